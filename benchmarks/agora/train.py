"""Trains the bundled models from nothing but the world.

Launch:   python -m maieutic.benchmarks.agora.train lm --out DIR [--steps N --seed S]
Data:     the world's own tables (:mod:`maieutic.benchmarks.agora.world`); nothing is downloaded.
Cost:     about an hour at the default settings on two cores, minutes on a GPU.

An interrupted run goes on where its last checkpoint was when the same command is given again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from maieutic.benchmarks.agora.claims import things_of
from maieutic.benchmarks.agora.corpus import Corpus
from maieutic.benchmarks.agora.pairs import LABELS, Pairs
from maieutic.benchmarks.agora.tokens import LM_WINDOW, NLI_WINDOW, lm_tokenizer, nli_tokenizer
from maieutic.benchmarks.agora.training import Batches, Schedule, Trainer
from maieutic.benchmarks.agora.world import load_world
from maieutic.devices import resolve_device
from maieutic.errors import MaieuticError
from maieutic.loading import quiet
from maieutic.prompts import load_prompts

__all__ = ["app", "lm_batches", "new_lm", "new_verifier", "nli_batches"]

TOKENIZER_DOCUMENTS = 60_000
TOKENIZER_PART = -1  # a stream that training does not use
ROWS, ROW_TOKENS = 64, 128  # of a batch of the language model
NLI_PAIRS = 256  # of a batch of the verifier

OutOption = Annotated[Path, typer.Option("--out", help="Folder of the model; new, or of an interrupted run.")]
StepsOption = Annotated[int, typer.Option("--steps", help="Optimizer steps.", min=1)]
SeedOption = Annotated[int, typer.Option("--seed", help="Of weights and data.", min=0)]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]

app = typer.Typer(help="Train the bundled models.", pretty_exceptions_enable=False)


def new_lm(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """The language model before training: Llama-shaped, 3.7 million parameters, 7.4 MB as bfloat16."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=LM_WINDOW,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def lm_batches(corpus: Corpus, tokenizer: PreTrainedTokenizerFast) -> Batches:
    """Rows of ``ROW_TOKENS`` tokens, filled with documents one after another; each step has its own."""
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"]

    def tokens(step: int) -> Iterator[int]:
        documents = corpus.documents(step)
        while True:
            texts = [document.text for document in islice(documents, 256)]
            for ids in tokenizer(texts)["input_ids"]:
                yield from ids
                yield from newline

    def batch(step: int) -> dict[str, torch.Tensor]:
        flat = torch.tensor(list(islice(tokens(step), ROWS * ROW_TOKENS)))
        rows = flat.view(ROWS, ROW_TOKENS)
        return {"input_ids": rows, "labels": rows}

    return batch


def new_verifier(tokenizer: PreTrainedTokenizerFast, seed: int) -> BertForSequenceClassification:
    """The verifier before training: BERT-shaped, 2.4 million parameters, 4.8 MB as bfloat16."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=6,
        max_position_embeddings=NLI_WINDOW,
        pad_token_id=tokenizer.pad_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    return BertForSequenceClassification(config)


def nli_batches(pairs: Pairs, tokenizer: PreTrainedTokenizerFast) -> Batches:
    """``NLI_PAIRS`` pairs a step, padded to the longest; each step has its own."""

    def batch(step: int) -> dict[str, torch.Tensor]:
        rows = list(islice(pairs.stream(step), NLI_PAIRS))
        texts = ([row.premise for row in rows], [row.hypothesis for row in rows])
        inputs = tokenizer(*texts, padding=True, return_tensors="pt")
        return {**inputs, "labels": torch.tensor([LABELS.index(row.label) for row in rows])}

    return batch


@app.command()
def lm(
    out: OutOption, steps: StepsOption = 2000, seed: SeedOption = 0, device: DeviceOption = "auto"
) -> None:
    """Train the language model."""
    corpus = Corpus(load_world(), load_prompts("agora"), seed)
    texts = (document.text for document in corpus.documents(TOKENIZER_PART))
    tokenizer = lm_tokenizer(islice(texts, TOKENIZER_DOCUMENTS))
    model = new_lm(tokenizer, seed).to(resolve_device(device))
    _train(model, tokenizer, lm_batches(corpus, tokenizer), Schedule(steps, rate=2e-3), out)


@app.command()
def nli(
    out: OutOption, steps: StepsOption = 2000, seed: SeedOption = 0, device: DeviceOption = "auto"
) -> None:
    """Train the verifier."""
    world = load_world()
    pairs = Pairs(world, things_of(world, "train"), seed)
    everything = Pairs(world, list(world.things), seed)  # the words of all things, not how they are used
    texts = (f"{pair.premise} {pair.hypothesis}" for pair in everything.stream(TOKENIZER_PART))
    tokenizer = nli_tokenizer(islice(texts, TOKENIZER_DOCUMENTS))
    model = new_verifier(tokenizer, seed).to(resolve_device(device))
    _train(model, tokenizer, nli_batches(pairs, tokenizer), Schedule(steps, rate=1e-3), out)


def _train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    batches: Batches,
    schedule: Schedule,
    out: Path,
) -> None:
    console = Console(stderr=True)
    columns = (
        TextColumn("loss {task.fields[loss]:.3f}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=schedule.steps, loss=float("nan"))

        def report(step: int, loss: float) -> None:
            bar.update(task, completed=step, loss=loss)
            if not console.is_terminal:
                typer.echo(f"step {step}/{schedule.steps} loss {loss:.4f}", err=True)

        trainer = Trainer(model, batches, schedule, out, report)
        trainer.run()
    with quiet():
        model.to(torch.bfloat16).save_pretrained(out)
        tokenizer.save_pretrained(out)
    trainer.finish()


if __name__ == "__main__":
    try:
        app()
    except MaieuticError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
