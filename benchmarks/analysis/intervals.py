"""Confidence intervals of accuracies and of paired differences.

Questions on their own: Wilson's score interval of an accuracy (Wilson 1927), which has a width where all or
none are correct. For a difference of two methods, given how many questions they decide differently, the
number that one of them gains is binomial; the exact interval of its share (Clopper and Pearson 1934) inverts
McNemar's exact test, so that it excludes 0 where the test's p is below 0.05, and nowhere else.

Twins: a bootstrap that draws them together. Where it has no width, they count as one question each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from maieutic.benchmarks.analysis.statistics import LEVEL, RESAMPLES, Interval, bench_library, bootstrap

__all__ = ["accuracy_interval", "difference_interval", "explained", "has_twins"]

EXACT = "beta"  # Clopper and Pearson's, in statsmodels


def has_twins(groups: Sequence[str]) -> bool:
    """Whether two questions belong together.

    Args:
        groups: a name that twins share, "" for a question on its own.
    """
    return any(count > 1 for group, count in Counter(groups).items() if group)


def accuracy_interval(right: Sequence[bool], groups: Sequence[str], seed: int) -> Interval:
    """Interval of the share of correct answers, at :data:`LEVEL`.

    Args:
        right: one value per question, as ``groups`` has.
        seed: of the bootstrap, for twins.
    """
    if has_twins(groups):
        interval = bootstrap(right, groups, seed)
        if interval.low < interval.high:
            return interval
    trials = _units(groups)
    return _share(sum(right) / len(right) * trials, trials, "wilson")


def difference_interval(
    one: Sequence[bool], other: Sequence[bool], groups: Sequence[str], seed: int
) -> Interval:
    """Interval of the accuracy of ``one`` minus that of ``other`` on the same questions, at :data:`LEVEL`.

    Args:
        one, other: whether each method was correct, one value per question, as ``groups`` has.
        seed: of the bootstrap, for twins.
    """
    gains = [int(a) - int(b) for a, b in zip(one, other, strict=True)]
    if has_twins(groups):
        interval = bootstrap(gains, groups, seed)
        if interval.low < interval.high:
            return interval
    gained, lost = gains.count(1), gains.count(-1)
    differing = gained + lost
    if not differing:
        largest = _share(0, _units(groups), EXACT).high  # of the share that they decide differently
        return Interval(-largest, largest)
    theta = _share(gained, differing, EXACT)
    scale = differing / len(gains)
    return Interval((2 * theta.low - 1) * scale, (2 * theta.high - 1) * scale)


def explained(groups: Sequence[str], seed: int) -> str:
    """How intervals of such questions are made, in a clause."""
    if has_twins(groups):
        return f"bootstrap of {RESAMPLES:,} resamples, seed {seed}, twins drawn together"
    return "Wilson's for accuracies; of differences the exact one that inverts McNemar's test"


def _units(groups: Sequence[str]) -> int:
    """The number of questions, twins counted as one."""
    return groups.count("") + len(set(groups) - {""})


def _share(count: float, trials: int, method: str) -> Interval:
    """The interval of a binomial share, by a method of statsmodels'."""
    confint = bench_library("statsmodels.stats.proportion").proportion_confint
    low, high = confint(count, trials, alpha=1 - LEVEL, method=method)
    return Interval(max(0.0, float(low)), min(1.0, float(high)))
