"""Certificates against exhaustive search, and what a false solution is told."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver as SatSolver

from maieutic.errors import UnsatisfiableError
from maieutic.solvers import SOLVERS, SoftClause, WeightedCNF
from maieutic.solvers.below import below
from maieutic.solvers.certify import verify
from maieutic.solvers.components import components
from maieutic.solvers.exhaustive import Exhaustive
from tests.solvers.test_marginals import problems


@settings(deadline=None, max_examples=60)
@given(problem=problems(), data=st.data())
def test_below_is_satisfiable_iff_a_labelling_costs_less(problem: WeightedCNF, data: st.DataObject) -> None:
    best = Exhaustive().solve(problem)
    exact = sum((Fraction(problem.soft[i].weight) for i in problem.violated(best.labels)), Fraction(0))
    more = data.draw(st.fractions(Fraction(1, 1000), 50))
    for bound, expected in ((exact, False), (exact + more, True)):
        clauses = below(problem, bound)
        with SatSolver("cadical195", bootstrap_with=[c for c in clauses if c]) as solver:
            assert (solver.solve() and [] not in clauses) == expected


@settings(deadline=None, max_examples=60)
@given(problem=problems())
def test_the_solution_of_every_solver_is_certified_and_no_other(problem: WeightedCNF) -> None:
    for name in ("rc2", "rc2-stratified"):
        solution = SOLVERS[name]().solve(problem)
        certificate = verify(problem, solution, proof=True)
        assert certificate.holds
        assert certificate.proof.rstrip().split("\n")[-1] == "0" or "0" in certificate.proof.split("\n")
    wrong = replace(solution, cost=solution.cost + 1.0)
    assert not verify(problem, wrong).cost_holds


@settings(deadline=None, max_examples=60)
@given(problem=problems(), data=st.data())
def test_labels_that_are_not_the_cheapest_are_told_cheaper_ones(
    problem: WeightedCNF, data: st.DataObject
) -> None:
    labels = tuple(data.draw(st.lists(st.booleans(), min_size=problem.variables, max_size=problem.variables)))
    solution = Exhaustive().solve(problem)
    certificate = verify(problem, replace(solution, labels=labels))
    if not problem.satisfies_hard(labels):
        assert not certificate.holds
        assert certificate.cost is None
    elif certificate.cheaper is not None:
        assert problem.satisfies_hard(certificate.cheaper)
        assert problem.cost(certificate.cheaper) < problem.cost(labels)
    else:
        assert problem.cost(labels) == pytest.approx(solution.cost)


@settings(deadline=None, max_examples=60)
@given(problem=problems())
def test_components_solved_side_by_side_are_the_solution(problem: WeightedCNF) -> None:
    parts = components(problem)
    assert sorted(v for part in parts for v in part.variables) == list(range(1, problem.variables + 1))
    try:
        whole = Exhaustive().solve(problem)
    except UnsatisfiableError:
        return
    labels = [False] * problem.variables
    for part in parts:
        for variable, label in zip(part.variables, Exhaustive().solve(part.problem).labels, strict=True):
            labels[variable - 1] = label
    assert problem.satisfies_hard(labels)
    assert problem.cost(labels) == pytest.approx(whole.cost)


def test_a_file_of_thirty_soft_clauses_with_odd_weights_is_certified() -> None:
    soft = [SoftClause((v,), 0.1 * v + 0.013) for v in range(1, 13)]
    soft += [SoftClause((-v, -(v % 12) - 1), 0.37 * v) for v in range(1, 13)]
    soft += [SoftClause((v, -((v + 4) % 12) - 1, (v + 7) % 12 + 1), 1 / v) for v in range(1, 13)]
    problem = WeightedCNF(soft=tuple(soft))
    assert verify(problem, SOLVERS["rc2-stratified"]().solve(problem)).holds
