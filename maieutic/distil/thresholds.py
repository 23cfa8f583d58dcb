"""Thresholds of P(true), named by the share of the true statements that they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.errors import InputError

__all__ = ["RECALLS", "Level", "levels", "precision_at_recall"]

RECALLS: Mapping[str, float] = {"low": 0.5, "medium": 0.8, "high": 0.95}
"""Name → the share of the true statements that is kept at least."""


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold.

    Attributes:
        recall: that it is named by.
        threshold: least P(true) of what is kept.
        size: number of statements kept.
        precision: estimated as the mean P(true) of these, which is as good as P(true) is calibrated.
        labelled, right: how many of these have a known truth, and how many of them are true.
    """

    name: str
    recall: float
    threshold: float
    size: int
    precision: float
    labelled: int = 0
    right: int = 0


def levels(p_true: Sequence[float], labels: Sequence[bool | None] | None = None) -> list[Level]:
    """The thresholds of :data:`RECALLS`. The true statements among some are estimated as the sum of P(true).

    >>> [(each.name, each.threshold, each.size) for each in levels([0.9, 0.8, 0.2, 0.1])]
    [('low', 0.8, 2), ('medium', 0.8, 2), ('high', 0.2, 3)]
    """
    known = labels or [None] * len(p_true)
    rows = sorted(zip(p_true, known, strict=True), key=lambda row: -row[0])
    found = []
    for name, recall in RECALLS.items():
        threshold = _threshold([p for p, _ in rows], recall * sum(p_true))
        kept = [row for row in rows if row[0] >= threshold]
        truths = [label for _, label in kept if label is not None]
        mean = sum(p for p, _ in kept) / max(1, len(kept))
        found.append(Level(name, recall, threshold, len(kept), mean, len(truths), sum(truths)))
    return found


def _threshold(descending: Sequence[float], wanted: float) -> float:
    total = 0.0
    for p in descending:
        total += p
        if total >= wanted - 1e-9:
            return p
    return 0.0


def precision_at_recall(scores: Sequence[float], truths: Sequence[bool], recall: float) -> float:
    """The share of true statements among the best that hold this share of all true ones, in [0, 1].

    Statements of equal score count in the proportion of their truths, so that the order of the statements
    does not matter.

    Raises:
        InputError: no statement is true; ``subject`` is "truths".

    >>> precision_at_recall([0.9, 0.8, 0.7, 0.1], [True, False, True, True], 0.5)
    0.6
    """
    if not any(truths):
        raise InputError("no statement is true, so there is no recall", subject="truths")
    wanted = recall * sum(truths)
    counts: dict[float, list[int]] = {}
    for score, truth in zip(scores, truths, strict=True):
        row = counts.setdefault(score, [0, 0])
        row[0] += 1
        row[1] += truth
    size = right = 0.0
    for score in sorted(counts, reverse=True):
        number, true = counts[score]
        if true and right + true >= wanted - 1e-9:
            share = (wanted - right) / true
            return wanted / (size + share * number)
        size, right = size + number, right + true
    return right / size
