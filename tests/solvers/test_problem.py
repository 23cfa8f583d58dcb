"""The MaxSAT problem: what is refused, what a cost is, and that a lying solver is caught."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maieutic.solvers
from maieutic.errors import MaieuticError, ProblemError, UnsatisfiableError
from maieutic.solvers import SoftClause, Solution, WeightedCNF, margin, scored
from maieutic.solvers.exhaustive import Exhaustive
from maieutic.solvers.problem import COST_TOLERANCE, MAX_VARIABLES

EXCLUSIVE = WeightedCNF(
    hard=((-1, -2),), soft=(SoftClause((1,), 3.0), SoftClause((2,), 2.0), SoftClause((), 0.5))
)


@dataclass(frozen=True)
class Claims:
    """A solver that returns a fixed solution to every problem."""

    solution: Solution
    name: str = "claims"

    def solve(self, problem: WeightedCNF) -> Solution:
        return self.solution


def test_every_public_name_exists_and_nothing_else_is_public() -> None:
    names = maieutic.solvers.__all__
    assert all(getattr(maieutic.solvers, name) is not None for name in names)
    assert list(maieutic.solvers.SOLVERS) == ["rc2", "rc2-stratified", "exhaustive"]
    with pytest.raises(AttributeError):
        maieutic.solvers.RC3  # noqa: B018


def test_importing_the_package_loads_no_solver() -> None:
    code = "import sys, maieutic.solvers\nsys.exit(', '.join({'pysat', 'numpy'} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("clause", [(0,), (1, 0, 2)])
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_literal_0_is_refused_with_its_clause(kind: str, clause: tuple[int, ...]) -> None:
    with pytest.raises(ProblemError) as caught:
        if kind == "hard":
            WeightedCNF(hard=((1,), clause))
        else:
            WeightedCNF(soft=(SoftClause((1,), 1.0), SoftClause(clause, 1.0)))
    assert caught.value.subject == f"{kind}[1]"


@pytest.mark.parametrize("weight", [0, 0.0, -1.5, math.nan, math.inf, -math.inf, True, "3", None])
def test_a_weight_that_is_not_finite_and_positive_is_refused(weight: float) -> None:
    with pytest.raises(ProblemError) as caught:
        WeightedCNF(soft=(SoftClause((1,), 1.0), SoftClause((2,), weight)))
    assert caught.value.subject == "soft[1]"


@pytest.mark.parametrize("literal", [2.0, True, "1"])
def test_a_literal_that_is_not_an_int_is_refused(literal: int) -> None:
    with pytest.raises(ProblemError) as caught:
        WeightedCNF(hard=((literal,),))
    assert caught.value.subject == "hard[0]"


def test_a_variable_beyond_the_count_is_refused() -> None:
    with pytest.raises(ProblemError) as beyond_count:
        WeightedCNF(hard=((1, 2), (1, -3)), variables=2)
    assert beyond_count.value.subject == "hard[1]"
    with pytest.raises(ProblemError) as beyond_limit:
        WeightedCNF(hard=((MAX_VARIABLES + 1,),))
    assert beyond_limit.value.subject == "hard[0]"


@pytest.mark.parametrize("variables", [-1, MAX_VARIABLES + 1, 2.5, True])
def test_a_variable_count_out_of_range_is_refused(variables: int) -> None:
    with pytest.raises(ProblemError) as caught:
        WeightedCNF(variables=variables)
    assert caught.value.subject == "variables"


def test_weights_whose_sum_is_infinite_are_refused() -> None:
    with pytest.raises(ProblemError) as caught:
        WeightedCNF(soft=(SoftClause((1,), 1e308), SoftClause((2,), 1e308)))
    assert caught.value.subject == "soft"


def test_the_number_of_variables_is_derived_or_larger() -> None:
    assert WeightedCNF(hard=((1, -7),)).variables == 7
    assert WeightedCNF(hard=((1, -7),), variables=9).variables == 9
    assert WeightedCNF().variables == 0


def test_a_problem_keeps_its_own_copy_of_the_clauses() -> None:
    clause = [1, 2]
    problem = WeightedCNF(hard=[clause])  # type: ignore[arg-type]
    clause.append(0)
    assert problem.hard == ((1, 2),)
    assert hash(problem) == hash(WeightedCNF(hard=((1, 2),)))


def test_cost_is_the_weight_of_the_violated_clauses() -> None:
    assert EXCLUSIVE.violated((False, True)) == (0, 2)
    assert EXCLUSIVE.cost((False, True)) == 3.5
    assert EXCLUSIVE.cost((True, True)) == 0.5
    assert not EXCLUSIVE.satisfies_hard((True, True))
    assert EXCLUSIVE.satisfies_hard((False, False))


def test_labels_of_the_wrong_number_are_refused() -> None:
    for check in (EXCLUSIVE.cost, EXCLUSIVE.satisfies_hard, EXCLUSIVE.violated):
        with pytest.raises(ProblemError) as caught:
            check((True,))
        assert caught.value.subject == "labels"


def test_assuming_adds_hard_unit_clauses_and_leaves_the_original() -> None:
    assert EXCLUSIVE.assuming(2, -1).hard == ((-1, -2), (2,), (-1,))
    assert EXCLUSIVE.hard == ((-1, -2),)
    for literal in (0, 3, -3):
        with pytest.raises(ProblemError) as caught:
            EXCLUSIVE.assuming(literal)
        assert caught.value.subject == "literal"


@given(st.lists(st.floats(min_value=0, exclude_min=True, max_value=1e300), max_size=6))
def test_integer_weights_over_the_denominator_are_the_weights_exactly(weights: list[float]) -> None:
    problem = WeightedCNF(soft=tuple(SoftClause((1,), w) for w in weights))
    assert problem.denominator.bit_count() == 1
    assert [w / problem.denominator for w in problem.integer_weights] == weights


@given(st.permutations([0.1, 0.2, 0.3, 1e16, 1e-16, 7.0]))
def test_cost_does_not_depend_on_the_order_of_the_clauses(weights: list[float]) -> None:
    problem = WeightedCNF(soft=tuple(SoftClause((), w) for w in weights))
    assert problem.cost(()) == math.fsum(sorted(weights))


def test_scored_computes_the_cost_itself() -> None:
    assert scored(EXCLUSIVE, (True, False), 2.5, True, "any") == Solution((True, False), 2.5, 2.5, True)
    assert scored(EXCLUSIVE, (False, True), 1.0, False, "any") == Solution((False, True), 3.5, 1.0, False)


def test_scored_takes_rounding_of_a_claim_and_nothing_more() -> None:
    assert scored(EXCLUSIVE, (True, False), 2.5 * (1 + 1e-12), True, "any").cost == 2.5
    with pytest.raises(MaieuticError):
        scored(EXCLUSIVE, (True, False), 2.5 * (1 + 2 * COST_TOLERANCE), True, "any")


@pytest.mark.parametrize(
    ("labels", "bound", "optimal"),
    [
        ((True, True), 0.5, True),
        ((True,), 2.5, True),
        ((True, False), 0.5, True),
        ((True, False), 3.0, True),
        ((True, False), 3.0, False),
    ],
    ids=["hard clause violated", "a label missing", "cost too low", "cost too high", "bound too high"],
)
def test_a_solver_that_lies_is_caught(labels: tuple[bool, ...], bound: float, optimal: bool) -> None:
    with pytest.raises(MaieuticError) as caught:
        scored(EXCLUSIVE, labels, bound, optimal, "any")
    assert (type(caught.value), caught.value.subject) == (MaieuticError, "any")


def test_margin_scores_the_answers_of_a_foreign_solver_again() -> None:
    liar = Claims(Solution((True, False), cost=0.0, lower_bound=0.0, optimal=True))
    # This one answers the flipped problem with the labels of the original one.
    honest_once = Claims(Solution((True, False), cost=2.5, lower_bound=2.5, optimal=True))
    for solver in (liar, honest_once):
        with pytest.raises(MaieuticError) as caught:
            margin(EXCLUSIVE, 1, solver)
        assert (type(caught.value), caught.value.subject) == (MaieuticError, "Claims.solve")


def test_margin_is_the_price_of_the_other_value() -> None:
    assert margin(EXCLUSIVE, 1) == margin(EXCLUSIVE, -1) == 1.0
    assert margin(EXCLUSIVE, 2) == 1.0
    assert margin(EXCLUSIVE, 1, Exhaustive()) == 1.0
    best = Exhaustive().solve(EXCLUSIVE)
    assert margin(EXCLUSIVE, 1, best=best) == 1.0


def test_margin_of_a_tie_is_0_and_of_a_forced_literal_is_infinite() -> None:
    assert margin(WeightedCNF(variables=1), 1) == 0.0
    assert margin(EXCLUSIVE.assuming(2), 1) == math.inf
    assert margin(EXCLUSIVE.assuming(2), -1) == math.inf


def test_margin_refuses_what_has_none() -> None:
    for literal in (0, 3):
        with pytest.raises(ProblemError) as caught:
            margin(EXCLUSIVE, literal)
        assert caught.value.subject == "literal"
    with pytest.raises(UnsatisfiableError):
        margin(EXCLUSIVE.assuming(1, 2), 1)
