"""Exact marginals against the sum over every labelling."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UnsatisfiableError
from maieutic.solvers import SoftClause, WeightedCNF
from maieutic.solvers.exhaustive import Exhaustive
from maieutic.solvers.marginals import marginals

WEIGHTS = st.floats(0.01, 30)


@st.composite
def problems(draw: st.DrawFn, most: int = 7) -> WeightedCNF:
    """Problems with repeats, tautologies, empty soft clauses, hard units and clauses of several literals."""
    variables = draw(st.integers(1, most))
    literal = st.integers(1, variables).flatmap(lambda v: st.sampled_from([v, -v]))
    clauses = st.lists(literal, max_size=draw(st.integers(2, 4))).map(tuple)
    soft = tuple(draw(st.lists(st.builds(SoftClause, clauses, WEIGHTS), max_size=14)))
    named = draw(st.lists(st.integers(1, variables), unique=True, max_size=2))
    hard = tuple((draw(st.sampled_from([v, -v])),) for v in named)
    return WeightedCNF(hard, soft, variables)


def by_definition(problem: WeightedCNF) -> list[float]:
    total = [0.0] * (problem.variables + 1)
    labellings = [
        labels
        for labels in itertools.product((False, True), repeat=problem.variables)
        if problem.satisfies_hard(labels)
    ]
    least = min(map(problem.cost, labellings))
    for labels in labellings:
        share = math.exp(least - problem.cost(labels))
        total[-1] += share
        for variable, label in enumerate(labels):
            total[variable] += share * label
    return [value / total[-1] for value in total[:-1]]


@settings(deadline=None)
@given(problem=problems())
def test_marginals_are_the_sums_over_all_labellings(problem: WeightedCNF) -> None:
    found = marginals(problem)
    assert found is not None
    assert found.tolist() == pytest.approx(by_definition(problem), abs=1e-9)


@settings(deadline=None)
@given(problem=problems())
def test_conditioned_marginals_average_to_the_marginals(problem: WeightedCNF) -> None:
    free = replace(problem, hard=())
    p, if_true, if_false = (marginals(q) for q in (free, free.assuming(1), free.assuming(-1)))
    assert p is not None
    assert if_true is not None
    assert if_false is not None
    assert (if_true[0], if_false[0]) == (1.0, 0.0)
    np.testing.assert_allclose(p, p[0] * if_true + (1 - p[0]) * if_false, atol=1e-9)


@settings(deadline=None)
@given(problem=problems())
def test_with_large_weights_the_marginals_are_the_best_labelling(problem: WeightedCNF) -> None:
    best = Exhaustive().solve(problem)
    others = [
        Exhaustive().solve(problem.assuming(-(v + 1) if label else v + 1)).cost
        for v, label in enumerate(best.labels)
        if ((v + 1,) not in problem.hard and (-(v + 1),) not in problem.hard)
    ]
    clear = min((cost - best.cost for cost in others), default=1.0)
    if clear < 1e-3:  # a tie has no single best labelling
        return
    scale = 40 / clear
    heavy = tuple(SoftClause(item.clause, scale * item.weight) for item in problem.soft)
    found = marginals(replace(problem, soft=heavy))
    assert found is not None
    assert found.tolist() == pytest.approx([float(label) for label in best.labels], abs=1e-6)


@pytest.mark.parametrize("variables", [16, 21])
def test_a_complete_graph_is_answered_up_to_its_width(variables: int) -> None:
    pairs = itertools.combinations(range(1, variables + 1), 2)
    soft = tuple(SoftClause((-a, -b), 0.1 * a) for a, b in pairs)
    problem = WeightedCNF(soft=soft)
    assert (marginals(problem, max_width=15) is None) == (variables > 16)


def test_a_long_chain_has_width_one() -> None:
    links = tuple(SoftClause((v, v + 1), 1.0) for v in range(1, 500))
    back = tuple(SoftClause((-v, -v - 1), 1.0) for v in range(1, 500))
    found = marginals(WeightedCNF(soft=(*links, *back, SoftClause((1,), 60.0))), max_width=1)
    assert found is not None
    # Neighbours differ with odds e : 1, so that the distance from 1/2 shrinks by −tanh(1/2) a link.
    expected = [0.5 + 0.5 * (-math.tanh(0.5)) ** v for v in range(500)]
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def test_an_unpriced_variable_is_a_coin_toss() -> None:
    found = marginals(WeightedCNF(soft=(SoftClause((1,), 1.0),), variables=2))
    assert found is not None
    assert found.tolist() == pytest.approx([1 / (1 + math.exp(-1)), 0.5])


@settings(deadline=None)
@given(problem=problems(), data=st.data())
def test_hard_clauses_of_several_literals_exclude_labellings(
    problem: WeightedCNF, data: st.DataObject
) -> None:
    literal = st.integers(1, problem.variables).flatmap(lambda v: st.sampled_from([v, -v]))
    clauses = st.lists(st.lists(literal, min_size=1, max_size=4).map(tuple), max_size=5)
    bounded = replace(problem, hard=(*problem.hard, *data.draw(clauses)))
    try:
        Exhaustive().solve(bounded)
    except UnsatisfiableError:
        with pytest.raises(UnsatisfiableError):
            marginals(bounded)
        return
    found = marginals(bounded)
    assert found is not None
    assert found.tolist() == pytest.approx(by_definition(bounded), abs=1e-9)


def test_contradicting_hard_clauses_are_refused() -> None:
    with pytest.raises(UnsatisfiableError) as contradiction:
        marginals(WeightedCNF(hard=((1,), (-1,))))
    assert contradiction.value.subject == "hard[1]"
    for hard in (((1,), (2,), (-1, -2)), ((1, 2), (1, -2), (-1, 2), (-1, -2)), ((),)):
        with pytest.raises(UnsatisfiableError):
            marginals(WeightedCNF(hard=hard))


def test_a_clause_with_more_variables_than_a_table_may_have_is_not_summed() -> None:
    clause = tuple(range(1, 30))
    assert marginals(WeightedCNF(hard=(clause,))) is None
