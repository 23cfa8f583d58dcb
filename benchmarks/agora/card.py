"""Metrics of a trained model, measured after saving, and its model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from maieutic.benchmarks.agora.claims import Split, things_of
from maieutic.benchmarks.agora.pairs import LABELS, Pairs
from maieutic.benchmarks.agora.questions import questions
from maieutic.benchmarks.agora.world import load_everyday, load_world
from maieutic.bundled import write_checksums
from maieutic.lm import load_lm
from maieutic.nli import Verifier, load_verifier
from maieutic.prompts import load_prompts

__all__ = ["LM_CARD", "NLI_CARD", "Card", "Training", "lm_metrics", "nli_metrics", "write_card"]

HELD_OUT_PART = -2  # number of a stream that neither training nor the tokenizer uses
DEV_QUESTIONS = 300


@dataclass(frozen=True, slots=True)
class Card:
    """The parts of a model card that do not depend on training.

    Attributes:
        task: the task tag of the Hugging Face Hub.
    """

    title: str
    task: str
    what: str
    data: str
    limits: str


@dataclass(frozen=True, slots=True)
class Training:
    """How a model was trained.

    Attributes:
        minutes: time of the run, or of its last part if it was resumed.
        device: the GPU, or the number of cores.
    """

    command: str
    seed: int
    parameters: int
    minutes: float
    device: str


LM_CARD = Card(
    title="agora-lm",
    task="text-generation",
    what="A Llama-shaped causal model with a byte-level BPE tokenizer, trained from scratch.",
    data="""The world of Agora: tables of some 1,200 everyday things, the groups they belong to and what holds
of these groups, all written for this project (`maieutic.benchmarks.agora`). The text is generated: facts,
questions and answers, explanations, verdicts on single facts and on explanations, negations. Nothing
false is asserted in it. Half of it speaks as people ask: "Q: dogs have legs?". Of the things outside the
training split (40 % of those of the benchmark, 15 % of the others), only memberships and exceptions occur;
what follows from the memberships does not.""",
    limits="""It knows these things, in these sentences, and no others; words it has not met (those not in
`known_words.txt`) make its answers unsure. It is meant for trying maieutic out and for measuring
reasoning where every proposition has a known truth value, not for use.""",
)
NLI_CARD = Card(
    title="agora-nli",
    task="text-classification",
    what="A ModernBERT-shaped classifier (contradiction, neutral, entailment), trained from scratch.",
    data="""Pairs of propositions in the sentences of Agora's world (`maieutic.benchmarks.agora`), labelled by
logic alone: what a chain of two facts derives, contains, excludes or leaves open, and how any two sentences
of a tree stand to each other, explanations and their negations among them. Half of the training pairs speak
of the things of the training split, half of names made up from the words that names of things have;
half are worded as people speak: in the plural, in other words. The held-out pairs below speak of the things
of the test split.""",
    limits="It judges sentences of the form that agora-lm writes, and was not measured on any others.",
)


def lm_metrics(folder: Path) -> dict[str, float]:
    """Accuracy of direct answers on the development split, in percent (the benchmark uses the test split)."""
    statements = questions(load_world(), "dev", DEV_QUESTIONS)
    prompts = load_prompts("agora")
    scores = load_lm(str(folder)).choose([prompts.direct(q.statement) for q in statements], prompts.answers)
    rows = zip(statements, scores.probabilities, strict=True)
    right = sum((p >= p_false) == q.truth for q, (p, p_false) in rows)
    count = len(statements)
    return {f"direct answers on {count} development statements, right in %": 100 * right / count}


def nli_metrics(folder: Path, count: int, split: Split = "test") -> dict[str, float]:
    """Accuracy in percent on pairs about things outside the training data, overall and by label.

    Besides the pairs of the benchmark's world there are as many of the everyday world, all worded.
    """
    verifier = load_verifier(str(folder))
    plain = Pairs(load_world(), things_of(load_world(), split))
    everyday = Pairs(load_everyday(), things_of(load_everyday(), split), worded=1.0)
    worded = {f"{name}, everyday": value for name, value in _accuracy(verifier, everyday, count).items()}
    return _accuracy(verifier, plain, count) | worded


def _accuracy(verifier: Verifier, source: Pairs, count: int) -> dict[str, float]:
    pairs = list(islice(source.stream(HELD_OUT_PART), count))
    # LABELS are in the order of the verifier's columns.
    rows = verifier.predict([(pair.premise, pair.hypothesis) for pair in pairs])
    right: Mapping[str, list[bool]] = {label: [] for label in LABELS}
    for pair, row in zip(pairs, rows, strict=True):
        right[pair.label].append(max(row) == row[LABELS.index(pair.label)])
    all_hits = [hit for hits in right.values() for hit in hits]
    shares = {f"accuracy, {label}, %": _percent(hits) for label, hits in right.items()}
    return {f"accuracy on {count} held-out pairs, %": _percent(all_hits), **shares}


def _percent(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / max(1, len(hits))


def write_card(folder: Path, card: Card, training: Training, metrics: Mapping[str, float]) -> None:
    """Write README.md, metrics.json and finally the checksums of all files."""
    rounded = {name: round(value, 2) for name, value in metrics.items()}
    (folder / "metrics.json").write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
    table = "\n".join(f"| {name} | {value} |" for name, value in rounded.items())
    text = f"""---
license: apache-2.0
language: en
pipeline_tag: {card.task}
library_name: transformers
---

# {card.title}

{card.what} {training.parameters:,} parameters, bfloat16, safetensors.

## Data

{card.data}

## Training

    {training.command}

Seed {training.seed}; {training.minutes:.0f} minutes on {training.device}.
The same command makes the same model, up to the rounding of the machine's matrix products.

## Metrics

| measured after training, as saved | |
| --- | --- |
{table}

How well the two bundled models reason together: `maieutic bench run agora --method maieutic --out DIR`.

## Limits

{card.limits}
"""
    (folder / "README.md").write_text(text, encoding="utf-8")
    write_checksums(folder)
