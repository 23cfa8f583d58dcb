"""Statistics of correct and wrong answers: bootstrap intervals, the paired test and its correction.

scipy and statsmodels are in the extra ``bench``; they load when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maieutic.extras import extra_library

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["LEVEL", "RESAMPLES", "Interval", "bench_library", "bootstrap", "holm", "mcnemar"]

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends included."""

    low: float
    high: float


def bench_library(name: str) -> Any:
    """A module of the extra ``bench``.

    Raises:
        InputError: it is not installed; ``subject`` is the package.
    """
    return extra_library(name, "bench")


def mcnemar(one: Sequence[bool], other: Sequence[bool]) -> float:
    """Two-sided p-value of McNemar's exact test (McNemar 1947) that both are correct equally often.

    The test assumes independent questions; twins are not quite independent.

    Args:
        one, other: whether each of two methods was correct, one value per question.

    >>> round(mcnemar([True] * 10, [False] * 10), 12) == round(2 / 2**10, 12)
    True
    """
    pairs = list(zip(one, other, strict=True))
    gained = sum(a and not b for a, b in pairs)
    lost = sum(b and not a for a, b in pairs)
    tables = bench_library("statsmodels.stats.contingency_tables")
    return float(tables.mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for multiple tests (Holm 1979), in the same order.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    if not p_values:
        return []
    corrected = bench_library("statsmodels.stats.multitest").multipletests(p_values, method="holm")[1]
    return [float(p) for p in corrected]


def bootstrap(
    values: Sequence[float],
    groups: Sequence[str],
    seed: int,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile bootstrap interval, at :data:`LEVEL`, of the mean of ``values``.

    A cluster bootstrap: questions of one group ("" for a single question) are drawn together. The mean of a
    resample depends only on how often each kind of group (its size and the sum of its values) is drawn.
    These counts are multinomial, so they are drawn instead of the groups. This gives the same distribution
    in milliseconds, where ``scipy.stats.bootstrap`` takes a second, and does not depend on the order of the
    questions.

    Args:
        values: one per question, with few different values, such as 0 for wrong and 1 for correct.
    """
    import numpy as np  # noqa: PLC0415 - keeps --help fast

    sums, sizes = _totals(values, groups)
    kinds, counts = np.unique(np.stack([sizes, sums]), axis=1, return_counts=True)
    draws = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=resamples)
    means = (draws @ kinds[1]) / (draws @ kinds[0])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def _totals(
    values: Sequence[float], groups: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The sum of values, and the number of them, of every group."""
    import numpy as np  # noqa: PLC0415

    keys = [(group, 0) if group else ("", place) for place, group in enumerate(groups)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    places = np.array([numbers[key] for key in keys])
    sums = np.bincount(places, weights=np.asarray(values, dtype=np.float64))
    return np.asarray(sums, dtype=np.float64), np.bincount(places).astype(np.float64)
