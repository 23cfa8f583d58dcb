"""The quadratic form against the cost of every labelling."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import ProblemError
from maieutic.solvers import SoftClause, WeightedCNF
from maieutic.solvers.energy import Energy, energy


@st.composite
def problems(draw: st.DrawFn) -> WeightedCNF:
    """Pairwise problems with repeated literals, tautologies and empty clauses."""
    variables = draw(st.integers(1, 6))
    literal = st.integers(1, variables).flatmap(lambda v: st.sampled_from([v, -v]))
    clauses = st.lists(literal, max_size=2).map(tuple) | literal.map(lambda x: (x, x, x))
    soft = draw(st.lists(st.builds(SoftClause, clauses, st.floats(0.01, 30)), max_size=14))
    return WeightedCNF(soft=tuple(soft), variables=variables)


def value(form: Energy, labels: Sequence[bool]) -> float:
    """The form at a labelling, by its definition."""
    pairs = itertools.combinations([v for v, label in enumerate(labels) if label], 2)
    linear = sum(weight for weight, label in zip(form.linear, labels, strict=True) if label)
    return form.constant + linear + sum(form.pairs[i].get(j, 0.0) for i, j in pairs)


@given(problem=problems())
def test_the_form_is_the_cost_of_every_labelling(problem: WeightedCNF) -> None:
    form = energy(problem)
    for labels in itertools.product((False, True), repeat=problem.variables):
        assert value(form, labels) == pytest.approx(problem.cost(labels), abs=1e-9)
    for i, row in enumerate(form.pairs):
        assert all(form.pairs[j][i] == weight for j, weight in row.items())


@given(problem=problems(), data=st.data())
def test_fixed_variables_no_longer_matter(problem: WeightedCNF, data: st.DataObject) -> None:
    indices = st.integers(0, problem.variables - 1)
    fixed = data.draw(st.dictionaries(indices, st.booleans()))
    form = energy(problem).given(fixed)
    for labels in itertools.product((False, True), repeat=problem.variables):
        settled = [fixed.get(v, label) for v, label in enumerate(labels)]
        assert value(form, labels) == pytest.approx(problem.cost(settled), abs=1e-9)


def test_a_clause_of_three_literals_is_refused() -> None:
    with pytest.raises(ProblemError) as error:
        energy(WeightedCNF(soft=(SoftClause((1,), 1.0), SoftClause((1, 2, 3), 1.0))))
    assert error.value.subject == "soft[1]"
