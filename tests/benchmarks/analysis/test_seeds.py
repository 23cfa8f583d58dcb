"""Runs that differ in their seed alone are told together; others are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.comparison import compare
from maieutic.benchmarks.analysis.seeds import over_seeds
from maieutic.benchmarks.report.tables import seed_table
from tests.benchmarks.analysis.test_compare import made, without

HITS = st.lists(st.booleans(), min_size=1, max_size=12)


@settings(deadline=None, max_examples=30)
@given(hits=st.lists(HITS, min_size=2, max_size=4))
def test_mean_and_spread_are_those_of_the_accuracies(hits: list[list[bool]]) -> None:
    runs = [made(f"run {seed}", right, seed=seed) for seed, right in enumerate(hits)]
    labels = [run.name for run in runs]
    (found,) = over_seeds(runs, labels)
    accuracies = [np.mean(right) for right in hits]
    assert found.labels == tuple(labels)
    assert found.mean == pytest.approx(np.mean(accuracies))
    assert found.deviation == pytest.approx(np.std(accuracies, ddof=1), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((min(accuracies), max(accuracies)))


def test_only_the_seed_may_differ() -> None:
    right = [True, False, True]
    one, other = made("one", right, seed=0), made("other", right, seed=1)
    assert over_seeds([one, replace(other, config=replace(other.config, method="argue"))], ["a", "b"]) == ()
    assert over_seeds([one, replace(other, config=replace(other.config, lm="else"))], ["a", "b"]) == ()
    assert over_seeds([one, made("same", right, seed=0)], ["a", "b"]) == ()
    assert seed_table(()) is None


def test_a_comparison_tells_them_at_their_own_questions() -> None:
    one = without(made("one", [True, False, True, True], seed=0), "q0")
    other = without(made("other", [True, False, True, True], seed=1), "q1")
    found = compare([one, other])
    assert found.questions == 2
    (together,) = found.seeds
    assert (together.low, together.high) == pytest.approx((2 / 3, 1.0))
    table = seed_table(found.seeds)
    assert table is not None
    assert [cell.text for cell in table.rows[0]][1:3] == ["2", f"{100 * together.mean:.1f}"]
