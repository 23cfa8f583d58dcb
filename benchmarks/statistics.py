"""Statistics of paired answers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

__all__ = ["mcnemar"]


def mcnemar(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Two-sided p-value of McNemar's exact test (McNemar 1947) that both are right equally often.

    Args:
        one, other: whether each of two methods was right, question by question.

    >>> mcnemar([True] * 10, [False] * 10) == 2 / 2**10
    True
    """
    pairs = list(zip(one, other, strict=True))
    gained = sum(a and not b for a, b in pairs)
    lost = sum(b and not a for a, b in pairs)
    tail = sum(comb(gained + lost, k) for k in range(min(gained, lost) + 1))
    return min(1.0, float(Fraction(2 * tail, 2 ** (gained + lost))))
