"""Students: small language models that learn what survived, as statements, as questions and as triples."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from maieutic.bundled import words, write_checksums
from maieutic.checkpoints.devices import resolve_device
from maieutic.distil.criticise import Judged, p_true_of
from maieutic.distil.stage import RUN, TRAINING, Progressing, StageFolder, checksum, start_training
from maieutic.distil.thresholds import RECALLS, levels
from maieutic.distil.triples import Triple
from maieutic.errors import InputError
from maieutic.lm.known_words import KNOWN_WORDS
from maieutic.prompts import PromptSet, load_prompts
from maieutic.prompts.base import small_letter
from maieutic.sentences import negations
from maieutic.training.loop import Schedule, Trainer
from maieutic.training.networks import lm_loss, lm_tokenizer, new_lm, packed_batches

__all__ = ["ALL", "StudentTraining", "documents_of", "surviving", "train_student"]

ALL = "all"  # as a level: everything survives
LEAD = "Fact:"  # before a statement, as in the training text of agora-lm
PROMPTS = "agora"
TOKENIZER_LISTS = 5  # copies of the word list that the tokenizer sees
ROW_TOKENS = 128


@dataclass(frozen=True, slots=True)
class StudentTraining:
    """How a student is trained.

    Attributes:
        rows: of 128 tokens in a batch, ≥ 1.
    """

    steps: int = 600
    rows: int = 16
    rate: float = 3e-3
    seed: int = 0
    save_every: int = 100


def surviving(judged: Sequence[Judged], level: str, way: str = "joint") -> list[Triple]:
    """The triples that a level of P(true) keeps, by one way of judging; all for :data:`ALL`.

    Raises:
        InputError: there is no such level or way.
    """
    if level == ALL:
        return [one.triple for one in judged]
    if level not in RECALLS:
        names = ", ".join((*RECALLS, ALL))
        raise InputError(f"no level is named {level!r}; give one of {names}", subject=level)
    scores = [p_true_of(one, way) for one in judged]
    (threshold,) = [each.threshold for each in levels(scores) if each.name == level]
    return [one.triple for one, score in zip(judged, scores, strict=True) if score >= threshold]


def documents_of(triples: Sequence[Triple], prompts: PromptSet) -> list[tuple[str, str]]:
    """What a student learns of triples: prompts that are not learned, "" for none, and the replies that are.

    Each triple is a statement, a question whether it holds, one whether its negation does, and a triple.

    >>> triple = Triple("1", "a dog", "HasA", "legs", "A dog has legs.")
    >>> for prompt, reply in documents_of([triple], load_prompts("agora")):
    ...     print(repr(prompt), repr(reply))
    '' 'Fact: a dog has legs.'
    'Q: a dog has legs?\\nA: The statement is' 'true.'
    'Q: a dog does not have legs?\\nA: The statement is' 'false.'
    '' 'a dog | HasA | legs'
    """
    yes, no = (answer.strip() for answer in prompts.answers)
    documents: list[tuple[str, str]] = []
    for one in triples:
        documents += [
            ("", f"{LEAD} {small_letter(one.statement)}"),
            (prompts.direct(one.statement).text(), f"{yes}."),
        ]
        documents += [(prompts.direct(text).text(), f"{no}.") for text in _denial(one.statement)]
        documents.append(("", f"{one.head} | {one.relation} | {one.tail}"))
    return documents


def _denial(statement: str) -> tuple[str, ...]:
    """The negation of a statement of one sentence; of several the rules would deny the first, the head."""
    return () if ". " in statement else negations(statement)[:1]


def train_student(
    triples: Sequence[Triple],
    out: Path,
    report: Progressing,
    how: StudentTraining = StudentTraining(),
    device: str = "auto",
) -> int:
    """Train a language model of agora-lm's shape from scratch into a folder; a stopped training goes on.

    The folder is that of a model like any other: safetensors, tokenizer, known words, checksums, and a card
    with the checksum of the data.

    Returns:
        The number of the student's parameters.

    Raises:
        InputError: fewer triples than rows of a batch, or the folder is not empty and of no such run.
        MaieuticError: a checkpoint cannot be written; the previous one stays.
    """
    if len(triples) < how.rows:
        problem = f"{len(triples)} triples survive, fewer than the {how.rows} rows of a batch"
        raise InputError(f"{problem}; keep more of them (--keep), or give fewer --rows", subject="triples")
    read = checksum(one.statement for one in triples)
    settings = {"statements": len(triples), "sha256": read, **asdict(how)}
    with StageFolder(out, "train", settings) as folder:
        start_training(out)
        prompts = load_prompts(PROMPTS)
        documents = documents_of(triples, prompts)
        texts = [f"{prompt} {reply}".strip() for prompt, reply in documents]
        known = sorted({word for text in texts for word in words(text)})
        tokenizer = lm_tokenizer([*texts, *[f" {' '.join(known)}"] * TOKENIZER_LISTS])
        model = new_lm(tokenizer, how.seed).to(resolve_device(device))
        batches = packed_batches(_shuffled(documents, how.seed), tokenizer, how.rows, ROW_TOKENS)
        answers = [tokenizer.encode(each, add_special_tokens=False)[0] for each in prompts.answers]
        schedule = Schedule(how.steps, how.rate, warmup=min(100, how.steps // 10))
        losses: dict[int, float] = {}

        def noted(step: int, loss: float) -> None:
            losses[step] = loss
            report(step, loss)

        loss = partial(lm_loss, answers=answers)
        trainer = Trainer(model, batches, schedule, out / TRAINING, noted, loss)
        trainer.run(how.save_every)
        model.to(torch.bfloat16).save_pretrained(out)
        tokenizer.save_pretrained(out)
        folder.write(KNOWN_WORDS, "\n".join(known) + "\n")
        folder.write("README.md", _card(model.num_parameters(), settings, losses))
        shutil.rmtree(out / TRAINING)
    write_checksums(out)
    return int(model.num_parameters())


def _shuffled(documents: Sequence[tuple[str, str]], seed: int) -> Callable[[int], Iterator[tuple[str, str]]]:
    """Each step's stream: all documents in an order of its own, again and again."""

    def stream(step: int) -> Iterator[tuple[str, str]]:
        rng = random.Random(f"{seed} {step}")  # noqa: S311 - no secret
        while True:
            yield from rng.sample(documents, len(documents))

    return stream


def _card(parameters: int, settings: Mapping[str, object], losses: Mapping[int, float]) -> str:
    last = f"{losses[max(losses)]:.4f}" if losses else "not measured since it was resumed"
    return f"""---
pipeline_tag: text-generation
library_name: transformers
---

# A student

A Llama-shaped causal model with a byte-level BPE tokenizer, trained from scratch on
{settings["statements"]:,} statements of another model: as facts, as questions about them and their
negations, and as triples.
{parameters:,} parameters, bfloat16, safetensors.

| | |
| --- | --- |
| SHA-256 of the statements | `{settings["sha256"]}` |
| steps × rows | {settings["steps"]} × {settings["rows"]} |
| seed | {settings["seed"]} |
| last mean loss in training, nats a token | {last} |

What it says was never checked by a person. `{RUN}` has all settings and versions.
"""
