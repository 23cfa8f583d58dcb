"""Runs that differ in their seed alone, as one row: mean and spread over the seeds.

A seed draws the model's texts and, of a part of the data, the questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.metrics import measure

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.folder import Run

__all__ = ["SeedSpread", "over_seeds"]


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """Several runs of one method with the same settings.

    Attributes:
        labels: of the runs, each with another seed.
        mean: of their accuracies, in [0, 1].
        deviation: the sample standard deviation of the accuracies, in [0, 1].
        low, high: the lowest accuracy and the highest.
        tokens: mean per question, of prompts and replies.
    """

    labels: tuple[str, ...]
    mean: float
    deviation: float
    low: float
    high: float
    tokens: float


def over_seeds(runs: Sequence[Run], labels: Sequence[str]) -> tuple[SeedSpread, ...]:
    """The groups of two seeds or more; each run counts at its own questions, which its seed drew.

    Args:
        runs: with gold answers.
        labels: one for each run.

    Raises:
        InputError: as :func:`maieutic.benchmarks.analysis.metrics.measure`.
    """
    groups: dict[str, list[tuple[str, Run]]] = {}
    for label, run in zip(labels, runs, strict=True):
        groups.setdefault(repr(replace(run.config, seed=0)), []).append((label, run))
    return tuple(
        _spread(group) for group in groups.values() if len({run.config.seed for _, run in group}) > 1
    )


def _spread(group: Sequence[tuple[str, Run]]) -> SeedSpread:
    metrics = [measure(run.records) for _, run in group]
    accuracies = [each.accuracy for each in metrics]
    return SeedSpread(
        labels=tuple(label for label, _ in group),
        mean=fmean(accuracies),
        deviation=stdev(accuracies),
        low=min(accuracies),
        high=max(accuracies),
        tokens=fmean(each.costs.tokens for each in metrics),
    )
