"""Runs whose trees grew in given steps; no model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maieutic.answer import NO_VERIFIER, Answer, Models
from maieutic.benchmarks.methods.base import Usage
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.inference import BeliefGraph, Verdict
from maieutic.tree import GrowthStep, Proposition, Tree

Step = tuple[float | None, int, int]  # P(true), tokens, calls


def stepped(name: str, gold: bool, *steps: Step, answer: bool | None = None) -> Record:
    """A record of a tree that took these steps; its answer is that of the last one, unless it is given."""
    taken = tuple(GrowthStep("chain" if k else "root", *step) for k, step in enumerate(steps))
    p_true = taken[-1].p_true if taken else None
    given = answer if answer is not None else p_true is None or p_true >= 0.5
    text = f"Text {name}."
    tree = Tree(text, text, "", (Proposition("Q", None, text, ""),))
    verdict = Verdict("joint", given, 0.0, "nats", {"Q": given}, p_true=p_true)
    reasoning = Answer(tree, BeliefGraph(()), verdict, Models(None, NO_VERIFIER), steps=taken)
    usage = Usage(50, sum(step.tokens for step in taken), sum(step.calls for step in taken))
    return Record(name, text, gold, "", given, p_true, usage=usage, reasoning=reasoning)


def run_of(records: Sequence[Record], **settings: Any) -> Run:
    """A run of maieutic with these records and settings."""
    config = RunConfig("csqa2", "maieutic", settings).complete()
    return Run("maieutic", Path("runs/maieutic"), config, tuple(records))
