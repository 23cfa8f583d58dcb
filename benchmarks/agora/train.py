"""Trains the bundled models on the world, from scratch or from models trained before.

Launch:   python -m maieutic.benchmarks.agora.train lm --out DIR [--steps N --seed S] [--from FOLDER]
Data:     the world's own tables (:mod:`maieutic.benchmarks.agora.world`); nothing is downloaded.
Cost:     1,000 steps of the language model take about 75 minutes on one core without bfloat16 arithmetic
          (37 with --rows 32); a GPU needs minutes.

The language model in the package continues the one of revision e13a5fb, which knew no everyday questions. For
that one: ``git archive e13a5fb maieutic/bundled | tar x``. The card has the commands.

The same command resumes an interrupted run from its last checkpoint. A finished folder has the model, its
tokenizer, a model card with metrics, and checksums of all files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import ModernBertForSequenceClassification, PreTrainedModel, PreTrainedTokenizerFast

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.card import LM_CARD, NLI_CARD, Training, lm_metrics, nli_metrics, write_card
from maieutic.benchmarks.agora.claims import things_of
from maieutic.benchmarks.agora.corpus import Corpus, vocabulary
from maieutic.benchmarks.agora.models import (
    continue_lm,
    lm_batches,
    new_verifier,
    nli_batches,
    nli_loss,
    nli_tokenizer,
)
from maieutic.benchmarks.agora.pairs import Pairs
from maieutic.benchmarks.agora.wording import singular_nouns
from maieutic.benchmarks.agora.world import load_everyday
from maieutic.checkpoints.devices import resolve_device
from maieutic.lm.known_words import KNOWN_WORDS, words_in
from maieutic.prompts import load_prompts
from maieutic.training.loop import Batches, Loss, Schedule, Trainer
from maieutic.training.networks import lm_loss, lm_tokenizer, new_lm

__all__ = ["app"]

TOKENIZER_DOCUMENTS = 20_000
TOKENIZER_LISTS = 40
TOKENIZER_PART = -1  # number of a stream that training does not use
ROWS, ROW_TOKENS = 64, 128  # batch of the language model
NLI_PAIRS = 128  # batch of the verifier
HELD_OUT_PAIRS = 6000
LM_RATES, NLI_RATES = (3e-3, 2e-3), (2e-3, 1e-3)  # from scratch, from another model
WORDED = 0.5  # share of training pairs in the words of somebody who asks
MADE_UP = 0.5  # share of made-up names among the subjects of training pairs

OutOption = Annotated[
    Path, typer.Option("--out", help="Folder for the model: a new one, or that of an interrupted run.")
]
StepsOption = Annotated[int, typer.Option("--steps", help="Optimizer steps.", min=1)]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of initial weights and data.", min=0)]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]

StartOption = Annotated[
    Path | None, typer.Option("--from", help="Folder of a model of the same shape to continue from.")
]
RowsOption = Annotated[
    int | None,
    typer.Option("--rows", help=f"Rows of {ROW_TOKENS} tokens in a batch; {ROWS} if not given.", min=1),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", help="Processes that write the text; some 8 keep a GPU busy.", min=0)
]

app = typer.Typer(help="Train the bundled models.", pretty_exceptions_enable=False)


@app.command()
def lm(
    out: OutOption,
    steps: StepsOption = 2000,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    start: StartOption = None,
    rows: RowsOption = None,
    *,
    workers: WorkersOption = 0,
) -> None:
    """Train the language model."""
    world = load_everyday()
    corpus = Corpus(world, load_prompts("agora"), seed)
    vocabulary_words = vocabulary(world)
    if start is not None and words_in(start) == frozenset(vocabulary_words):
        tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
    else:
        texts = (document.text for document in corpus.documents(TOKENIZER_PART))
        # The word lists make nearly every name a single token, even if it is rare in the text.
        lists = [f" {' '.join(vocabulary_words)}"] * TOKENIZER_LISTS
        tokenizer = lm_tokenizer(chain(islice(texts, TOKENIZER_DOCUMENTS), lists))
    model = new_lm(tokenizer, seed)
    if start is not None:
        continue_lm(model, tokenizer, start, singular_nouns(world))
    model = model.to(resolve_device(device))
    batches = lm_batches(corpus, tokenizer, rows or ROWS, ROW_TOKENS)
    schedule = Schedule(steps, LM_RATES[start is not None], warmup=min(100, steps // 10))
    answers = [tokenizer.encode(each, add_special_tokens=False)[0] for each in corpus.prompts.answers]
    loss = partial(lm_loss, answers=answers)
    minutes = _train(model, tokenizer, batches, schedule, out, loss=loss, workers=workers)
    (out / KNOWN_WORDS).write_text("\n".join(vocabulary_words) + "\n", encoding="utf-8")
    options = (f" --from {start.name}" if start else "") + (f" --rows {rows}" if rows else "")
    write_card(out, LM_CARD, _training(f"lm{options}", model, steps, seed, minutes), lm_metrics(out))


@app.command()
def nli(
    out: OutOption,
    steps: StepsOption = 2000,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    start: StartOption = None,
    workers: WorkersOption = 0,
) -> None:
    """Train the verifier. One that continues from another keeps its tokenizer."""
    world = load_everyday()
    pairs = Pairs(world, things_of(world, "train"), seed, made_up=MADE_UP, worded=WORDED)
    if start is None:
        # The tokenizer sees the words of all things; the model does not.
        all_pairs = Pairs(world, list(world.things), seed, made_up=MADE_UP, worded=WORDED)
        texts = (f"{pair.premise} {pair.hypothesis}" for pair in all_pairs.stream(TOKENIZER_PART))
        tokenizer = nli_tokenizer(islice(texts, TOKENIZER_DOCUMENTS))
        model = new_verifier(tokenizer, seed)
    else:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
        model = ModernBertForSequenceClassification.from_pretrained(start, dtype=torch.float32)
    model = model.to(resolve_device(device))
    batches = nli_batches(pairs, tokenizer, NLI_PAIRS)
    schedule = Schedule(steps, NLI_RATES[start is not None], warmup=min(100, steps // 10))
    minutes = _train(model, tokenizer, batches, schedule, out, loss=nli_loss, workers=workers)
    options = f" --from {start.name}" if start else ""
    training = _training(f"nli{options}", model, steps, seed, minutes)
    write_card(out, NLI_CARD, training, nli_metrics(out, HELD_OUT_PAIRS))


def _train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    batches: Batches,
    schedule: Schedule,
    out: Path,
    *,
    loss: Loss,
    workers: int,
) -> float:
    """Train, save the model and the tokenizer, and return the time in minutes."""
    start = time.perf_counter()
    with _progress(schedule.steps) as report:
        trainer = Trainer(model, batches, schedule, out, report, loss)
        trainer.run(workers=workers)
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    trainer.finish()
    return (time.perf_counter() - start) / 60


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[int, float], None]]:
    """Report progress on stderr: a progress bar on a terminal, else a line per report."""
    console = Console(stderr=True)
    columns = (
        TextColumn("loss {task.fields[loss]:.3f}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=steps, loss=float("nan"))

        def report(step: int, loss: float) -> None:
            bar.update(task, completed=step, loss=loss)
            if not console.is_terminal:
                typer.echo(f"step {step}/{steps} loss {loss:.4f}", err=True)

        yield report


def _training(command_name: str, model: PreTrainedModel, steps: int, seed: int, minutes: float) -> Training:
    command = (
        f"python -m maieutic.benchmarks.agora.train {command_name} --out DIR --steps {steps} --seed {seed}"
    )
    device = next(model.parameters()).device
    threads = torch.get_num_threads()
    cores = f"{threads} core{'' if threads == 1 else 's'}"
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else cores
    return Training(command, seed, model.num_parameters(), minutes, hardware)


if __name__ == "__main__":
    run_app(app)
