"""Intervals have a width at the edges, agree with the paired test, and cover what they claim to cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.intervals import accuracy_interval, difference_interval, explained
from maieutic.benchmarks.analysis.statistics import LEVEL, Interval, bootstrap, mcnemar

pytest.importorskip("scipy")
pytest.importorskip("statsmodels")

QUICK = settings(deadline=None, max_examples=60)
COUNTS = st.integers(0, 25)


def alone(size: int) -> list[str]:
    return [""] * size


def decided(gained: int, lost: int, both: int, neither: int) -> tuple[list[bool], list[bool]]:
    """Whether each of two methods is correct, question by question."""
    one = [True] * gained + [False] * lost + [True] * both + [False] * neither
    other = [False] * gained + [True] * lost + [True] * both + [False] * neither
    return one, other


# -- accuracies ----------------------------------------------------------------------------------------


@QUICK
@given(right=COUNTS, wrong=COUNTS)
def test_wilsons_ends_are_where_the_score_test_rejects(right: int, wrong: int) -> None:
    """(share − p)² = z² · p (1 − p) / n at both ends (Wilson 1927, equation 2)."""
    size = right + wrong
    if not size:
        return
    interval = accuracy_interval([True] * right + [False] * wrong, alone(size), seed=0)
    z2 = 1.959963984540054**2
    for p in (interval.low, interval.high):
        assert (right / size - p) ** 2 == pytest.approx(z2 * p * (1 - p) / size, abs=1e-9)
    assert 0 <= interval.low < interval.high <= 1
    assert interval.low - 1e-12 <= right / size <= interval.high + 1e-12


def test_twenty_of_twenty_is_not_certain() -> None:
    low = accuracy_interval([True] * 20, alone(20), 0).low
    assert 0.8 < low < 0.9
    twins = [f"{k // 2}" for k in range(20)]
    assert accuracy_interval([True] * 20, twins, 0).low == accuracy_interval([True] * 10, alone(10), 0).low


def test_the_interval_covers_the_accuracy_about_as_often_as_it_claims() -> None:
    rng = np.random.default_rng(0)
    for truth in (0.5, 0.9, 0.98):
        draws = rng.binomial(40, truth, size=2000)
        found = {
            k: accuracy_interval([True] * int(k) + [False] * int(40 - k), alone(40), 0) for k in set(draws)
        }
        covered = np.mean([found[k].low <= truth <= found[k].high for k in draws])
        assert covered > LEVEL - 0.04


# -- paired differences --------------------------------------------------------------------------------


@QUICK
@given(gained=COUNTS, lost=COUNTS, both=COUNTS, neither=COUNTS)
def test_the_interval_of_a_difference_excludes_zero_where_the_test_rejects(
    gained: int, lost: int, both: int, neither: int
) -> None:
    one, other = decided(gained, lost, both, neither)
    if not one:
        return
    interval = difference_interval(one, other, alone(len(one)), seed=0)
    difference = (gained - lost) / len(one)
    assert -1 <= interval.low <= difference <= interval.high <= 1
    assert interval.low < interval.high
    excluded = not interval.low <= 0 <= interval.high
    assert excluded == (mcnemar(one, other) < 1 - LEVEL)
    turned = difference_interval(other, one, alone(len(one)), seed=0)
    assert (turned.low, turned.high) == pytest.approx((-interval.high, -interval.low))


def test_two_methods_that_never_differ_may_still_differ_a_little() -> None:
    narrow, wide = (difference_interval(*decided(0, 0, size, 0), alone(size), seed=0) for size in (1000, 20))
    assert wide.low < narrow.low < 0 < narrow.high < wide.high
    assert wide.high == pytest.approx(1 - 0.025 ** (1 / 20))


# -- twins ---------------------------------------------------------------------------------------------


def test_twins_are_drawn_together() -> None:
    one, other = decided(12, 5, 40, 23)
    twins = [f"{k // 2}" for k in range(80)]
    gains = [int(a) - int(b) for a, b in zip(one, other, strict=True)]
    assert accuracy_interval(one, twins, 3) == bootstrap(one, twins, 3)
    assert difference_interval(one, other, twins, 3) == bootstrap(gains, twins, 3)
    assert explained(twins, 3) != explained(alone(80), 3)


def test_a_group_of_one_is_no_twin() -> None:
    one, other = decided(12, 5, 40, 23)
    single = [f"{k}" for k in range(80)]
    assert accuracy_interval(one, single, 0) == accuracy_interval(one, alone(80), 0)
    found = difference_interval(one, other, single, 0)
    assert found == difference_interval(one, other, alone(80), 0)
    assert isinstance(found, Interval)
