"""Trains the bundled models from scratch on the world.

Launch:   python -m maieutic.benchmarks.agora.train lm --out DIR [--steps N --seed S]
Data:     the world's own tables (:mod:`maieutic.benchmarks.agora.world`); nothing is downloaded.
Cost:     under an hour at the default settings on two cores, minutes on a GPU.

The same command resumes an interrupted run from its last checkpoint. A finished folder has the model, its
tokenizer, a model card with metrics, and checksums of all files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.card import LM_CARD, NLI_CARD, Training, lm_metrics, nli_metrics, write_card
from maieutic.benchmarks.agora.claims import things_of
from maieutic.benchmarks.agora.corpus import Corpus, vocabulary
from maieutic.benchmarks.agora.models import (
    lm_batches,
    lm_loss,
    lm_tokenizer,
    new_lm,
    new_verifier,
    nli_batches,
    nli_loss,
    nli_tokenizer,
)
from maieutic.benchmarks.agora.pairs import Pairs
from maieutic.benchmarks.agora.training import Batches, Loss, Schedule, Trainer, own_loss
from maieutic.benchmarks.agora.world import load_world
from maieutic.checkpoints.devices import resolve_device
from maieutic.lm.known_words import KNOWN_WORDS
from maieutic.prompts import load_prompts

__all__ = ["app"]

TOKENIZER_DOCUMENTS = 20_000
TOKENIZER_LISTS = 40
TOKENIZER_PART = -1  # number of a stream that training does not use
ROWS, ROW_TOKENS = 64, 128  # batch of the language model
NLI_PAIRS = 128  # batch of the verifier
HELD_OUT_PAIRS = 6000
MADE_UP = 0.5  # share of made-up names among the subjects of training pairs

OutOption = Annotated[
    Path, typer.Option("--out", help="Folder for the model: a new one, or that of an interrupted run.")
]
StepsOption = Annotated[int, typer.Option("--steps", help="Optimizer steps.", min=1)]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of initial weights and data.", min=0)]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]

app = typer.Typer(help="Train the bundled models.", pretty_exceptions_enable=False)


@app.command()
def lm(
    out: OutOption, steps: StepsOption = 2000, seed: SeedOption = 0, device: DeviceOption = "auto"
) -> None:
    """Train the language model."""
    world = load_world()
    corpus = Corpus(world, load_prompts("agora"), seed)
    vocabulary_words = vocabulary(world)
    texts = (document.text for document in corpus.documents(TOKENIZER_PART))
    # The word lists make nearly every name a single token, even if it is rare in the text.
    lists = [f" {' '.join(vocabulary_words)}"] * TOKENIZER_LISTS
    tokenizer = lm_tokenizer(chain(islice(texts, TOKENIZER_DOCUMENTS), lists))
    model = new_lm(tokenizer, seed).to(resolve_device(device))
    batches = lm_batches(corpus, tokenizer, ROWS, ROW_TOKENS)
    minutes = _train(model, tokenizer, batches, Schedule(steps, rate=3e-3), out, lm_loss)
    (out / KNOWN_WORDS).write_text("\n".join(vocabulary_words) + "\n", encoding="utf-8")
    write_card(out, LM_CARD, _training("lm", model, steps, seed, minutes), lm_metrics(world, out))


@app.command()
def nli(
    out: OutOption, steps: StepsOption = 2000, seed: SeedOption = 0, device: DeviceOption = "auto"
) -> None:
    """Train the verifier."""
    world = load_world()
    pairs = Pairs(world, things_of(world, "train"), seed, made_up=MADE_UP)
    # The tokenizer sees the words of all things; the model does not.
    all_pairs = Pairs(world, list(world.things), seed, made_up=MADE_UP)
    texts = (f"{pair.premise} {pair.hypothesis}" for pair in all_pairs.stream(TOKENIZER_PART))
    tokenizer = nli_tokenizer(islice(texts, TOKENIZER_DOCUMENTS))
    model = new_verifier(tokenizer, seed).to(resolve_device(device))
    batches = nli_batches(pairs, tokenizer, NLI_PAIRS)
    minutes = _train(model, tokenizer, batches, Schedule(steps, rate=2e-3), out, nli_loss)
    metrics = nli_metrics(world, out, HELD_OUT_PAIRS)
    write_card(out, NLI_CARD, _training("nli", model, steps, seed, minutes), metrics)


def _train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    batches: Batches,
    schedule: Schedule,
    out: Path,
    loss: Loss = own_loss,
) -> float:
    """Train, save the model and the tokenizer, and return the time in minutes."""
    start = time.perf_counter()
    with _progress(schedule.steps) as report:
        trainer = Trainer(model, batches, schedule, out, report, loss)
        trainer.run()
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
