"""Bootstrap, McNemar and Holm against scipy, exact distributions and hand-worked cases."""

from __future__ import annotations

import sys
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.statistics import Interval, bench_library, bootstrap, holm, mcnemar
from maieutic.errors import InputError

RESAMPLES = 2000  # enough for properties; results are compared at the default of 10,000
answers = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


# -- McNemar -------------------------------------------------------------------------------------------


def test_mcnemar_is_the_binomial_test_of_the_questions_on_which_two_differ() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for size, share in [(5, 0.5), (40, 0.5), (40, 0.9), (400, 0.55), (2500, 0.6)]:
        one = rng.random(size) < share
        other = rng.random(size) < 0.5
        gained, lost = int((one & ~other).sum()), int((other & ~one).sum())
        expected = stats.binomtest(gained, gained + lost).pvalue
        assert mcnemar(list(one), list(other)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (3, 3, 1.0), (5, 0, 2 / 2**5), (5, 1, 2 * (1 + 6) / 2**6)],
)
def test_mcnemar_by_hand(gained: int, lost: int, p: float) -> None:
    one = [True] * gained + [False] * lost + [True, False]
    other = [False] * gained + [True] * lost + [True, False]
    assert mcnemar(one, other) == pytest.approx(p)


@given(answers)
@settings(deadline=None, max_examples=50)
def test_mcnemar_is_a_probability_that_knows_no_first_and_second(pairs: list[tuple[bool, bool]]) -> None:
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    p = mcnemar(one, other)
    assert 0 < p <= 1
    assert mcnemar(other, one) == p
    assert mcnemar(one, one) == 1


def test_runs_of_different_length_are_not_paired() -> None:
    with pytest.raises(ValueError, match="shorter"):
        mcnemar([True], [])


# -- Holm ----------------------------------------------------------------------------------------------


def test_holm_by_hand() -> None:
    """0.01 · 4, then max(0.04, 0.015 · 3), max(…, 0.03 · 2), max(…, 0.8 · 1)."""
    assert holm([0.03, 0.8, 0.01, 0.015]) == pytest.approx([0.06, 0.8, 0.04, 0.045])
    assert holm([]) == []
    assert holm([0.2]) == pytest.approx([0.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
@settings(deadline=None, max_examples=50)
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float], random: Random) -> None:
    corrected = holm(p_values)
    assert all(q >= p - 1e-12 and q <= 1 for p, q in zip(p_values, corrected, strict=True))
    ranked = [q for _, q in sorted(zip(p_values, corrected, strict=True))]
    assert ranked == sorted(ranked)
    order = list(range(len(p_values)))
    random.shuffle(order)
    assert holm([p_values[k] for k in order]) == pytest.approx([corrected[k] for k in order])


# -- bootstrap -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "right"), [(20, 13), (100, 71), (100, 100), (2500, 1700)])
def test_without_twins_resampled_accuracy_is_binomial(size: int, right: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    interval = bootstrap([1] * right + [0] * (size - right), [""] * size, seed=1)
    low, high = stats.binom.ppf([0.025, 0.975], size, right / size) / size
    assert interval.low == pytest.approx(low, abs=1.01 / size + 0.001)
    assert interval.high == pytest.approx(high, abs=1.01 / size + 0.001)


def test_the_interval_is_scipys_with_twins_as_units() -> None:
    """Of groups of one and of two, and for differences as for accuracies."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(2)
    groups = [f"pair {k // 2}" if k < 120 else "" for k in range(200)]
    for values in (rng.integers(0, 2, 200), rng.integers(-1, 2, 200)):
        sums = [values[2 * k] + values[2 * k + 1] for k in range(60)] + list(values[120:])
        sizes = [2] * 60 + [1] * 80
        expected = stats.bootstrap(
            (sums, sizes),
            lambda a, n, axis=-1: a.sum(axis=axis) / n.sum(axis=axis),
            paired=True,
            vectorized=True,
            n_resamples=10_000,
            method="percentile",
            rng=np.random.default_rng(3),
        ).confidence_interval
        interval = bootstrap(list(values), groups, seed=4)
        assert interval.low == pytest.approx(expected.low, abs=0.012)
        assert interval.high == pytest.approx(expected.high, abs=0.012)


def test_twins_that_are_right_together_are_worth_one_question() -> None:
    values = [1, 1, 0, 0] * 100
    alone = bootstrap(values, [""] * 400, seed=0)
    twins = bootstrap(values, [f"{k // 2}" for k in range(400)], seed=0)
    ratio = (twins.high - twins.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(2**0.5, rel=0.06)


def resampled(questions: list[tuple[float, str]], seed: int) -> Interval:
    return bootstrap([value for value, _ in questions], [group for _, group in questions], seed, RESAMPLES)


@given(answers, st.integers(0, 9), st.randoms())
@settings(deadline=None, max_examples=40)
def test_the_interval_is_around_the_mean_whatever_the_order(
    rows: list[tuple[bool, bool]], seed: int, random: Random
) -> None:
    questions = [(float(right), f"{k // 2}" if twin else "") for k, (right, twin) in enumerate(rows)]
    interval = resampled(questions, seed)
    mean = sum(value for value, _ in questions) / len(questions)
    assert 0 <= interval.low <= mean + 1e-12
    assert mean - 1e-12 <= interval.high <= 1
    random.shuffle(questions)
    assert resampled(questions, seed) == interval


def test_the_same_seed_draws_the_same() -> None:
    values, groups = [1, 0, 1, 1, 0, 1, 0, 1], [""] * 8
    assert bootstrap(values, groups, seed=5) == bootstrap(values, groups, seed=5)
    assert bootstrap([0.0] * 8, groups, seed=5) == Interval(0.0, 0.0)


# -- libraries -----------------------------------------------------------------------------------------


def test_a_missing_library_is_one_sentence_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.stats.multitest", None)
    with pytest.raises(InputError) as refused:
        holm([0.5])
    assert refused.value.subject == "statsmodels"
    assert "pip install 'maieutic[bench]'" in str(refused.value)
    assert bench_library("sys") is sys
