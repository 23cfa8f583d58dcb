"""Every solver against exhaustive search, and the textbook problems by name."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.examples import rc2 as pysat_rc2

from maieutic.errors import MaieuticError, ProblemError, UnsatisfiableError
from maieutic.solvers import SOLVERS, Clause, SoftClause, Solution, Solver, WeightedCNF, margin
from maieutic.solvers.exhaustive import EXHAUSTIVE_VARIABLES, Exhaustive
from maieutic.solvers.rc2 import RC2

VARIABLES = 8
WEIGHTS = st.one_of(
    st.sampled_from([1.0, 2.0, 0.1, 0.2, 0.3, 1 / 3, 5e-324, 1e-300, 1e300]),
    st.integers(1, 2**53).map(float),
    st.floats(min_value=1e-6, max_value=20),
)
LITERALS = st.integers(1, VARIABLES).flatmap(lambda v: st.sampled_from([v, -v]))
SOLVER = pytest.mark.parametrize("solver", [make() for make in SOLVERS.values()], ids=list(SOLVERS))


@st.composite
def problems(draw: st.DrawFn) -> WeightedCNF:
    """Small problems with everything allowed in them: repeats, tautologies, empty soft clauses.

    Literals are drawn with repetition, so (3, 3) and (3, -3) come up; a few clauses and weights
    are drawn and then reused, so whole clauses and equal weights repeat too.
    """
    pool = draw(st.lists(st.lists(LITERALS, min_size=1, max_size=3).map(tuple), max_size=8))
    hard: tuple[Clause, ...] = ()
    soft: tuple[SoftClause, ...] = (SoftClause((), draw(WEIGHTS)),) * draw(st.integers(0, 1))
    if pool:
        hard = tuple(draw(st.lists(st.sampled_from(pool), max_size=6)))
        priced = st.builds(SoftClause, st.sampled_from(pool), WEIGHTS)
        soft = (*draw(st.lists(priced, max_size=12)), *soft)
    return WeightedCNF(hard, soft, VARIABLES)


def brute_force(problem: WeightedCNF) -> float:
    """The least cost by the definition alone; infinite without any solution."""
    everything = itertools.product((False, True), repeat=problem.variables)
    return min((problem.cost(x) for x in everything if problem.satisfies_hard(x)), default=math.inf)


def best_cost(solver: Solver, problem: WeightedCNF) -> float:
    try:
        return solver.solve(problem).cost
    except UnsatisfiableError:
        return math.inf


# Costs are compared with ==, without a tolerance: every solver compares exact integers, and a cost
# is the exact sum of the violated weights, rounded once. Equal optima are therefore equal doubles.


@settings(deadline=None, max_examples=50)
@given(problem=problems())
def test_exhaustive_search_finds_the_least_cost_of_the_definition(problem: WeightedCNF) -> None:
    assert best_cost(Exhaustive(), problem) == brute_force(problem)


@SOLVER
@settings(deadline=None)
@given(problem=problems())
def test_every_solver_agrees_with_exhaustive_search(solver: Solver, problem: WeightedCNF) -> None:
    expected = best_cost(Exhaustive(), problem)
    if expected == math.inf:
        with pytest.raises(UnsatisfiableError):
            solver.solve(problem)
        return
    solution = solver.solve(problem)
    assert solution.cost == solution.lower_bound == expected
    assert solution.optimal
    assert len(solution.labels) == problem.variables
    assert problem.satisfies_hard(solution.labels)
    assert problem.cost(solution.labels) == solution.cost


@SOLVER
@settings(deadline=None, max_examples=50)
@given(problem=problems(), data=st.data())
def test_renaming_and_reordering_change_no_cost(
    solver: Solver, problem: WeightedCNF, data: st.DataObject
) -> None:
    names = data.draw(st.permutations(range(1, VARIABLES + 1)))
    signs = data.draw(st.lists(st.sampled_from([1, -1]), min_size=VARIABLES, max_size=VARIABLES))

    def renamed(clause: Clause) -> Clause:
        literals = [signs[abs(x) - 1] * names[abs(x) - 1] * (1 if x > 0 else -1) for x in clause]
        return tuple(data.draw(st.permutations(literals)))

    hard = data.draw(st.permutations([renamed(clause) for clause in problem.hard]))
    soft = data.draw(st.permutations([SoftClause(renamed(s.clause), s.weight) for s in problem.soft]))
    other = WeightedCNF(tuple(hard), tuple(soft), VARIABLES)
    assert best_cost(solver, other) == best_cost(solver, problem)


@SOLVER
@settings(deadline=None, max_examples=50)
@given(problem=problems(), literal=LITERALS)
def test_margin_is_its_definition(solver: Solver, problem: WeightedCNF, literal: int) -> None:
    either = [best_cost(Exhaustive(), problem.assuming(x)) for x in (literal, -literal)]
    if min(either) == math.inf:
        with pytest.raises(UnsatisfiableError):
            margin(problem, literal, solver)
    else:
        assert margin(problem, literal, solver) == max(either) - min(either)


@SOLVER
@settings(deadline=None, max_examples=25)
@given(problem=problems())
def test_the_same_problem_gets_the_same_labels(solver: Solver, problem: WeightedCNF) -> None:
    if best_cost(solver, problem) < math.inf:
        assert solver.solve(problem) == solver.solve(problem)


def at_most_one(variables: range) -> tuple[Clause, ...]:
    return tuple((-a, -b) for a, b in itertools.combinations(variables, 2))


def vertex_cover_of_a_pentagon() -> WeightedCNF:
    edges = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 1)]
    return WeightedCNF(tuple(edges), tuple(SoftClause((-v,), 1) for v in range(1, 6)))


def cut_of_a_triangle() -> WeightedCNF:
    edges = [((1, 2), 3.0), ((2, 3), 4.0), ((1, 3), 5.0)]
    sides = [((a, b), (-a, -b), w) for (a, b), w in edges]
    return WeightedCNF(soft=tuple(SoftClause(c, w) for one, two, w in sides for c in (one, two)))


def three_pigeons_in_two_holes() -> WeightedCNF:
    """Pigeon p sits in hole 1 or 2 (variables 2p - 1, 2p); each would rather sit somewhere."""
    hard = at_most_one(range(1, 6, 2)) + at_most_one(range(2, 7, 2))
    return WeightedCNF(hard, tuple(SoftClause((2 * p - 1, 2 * p), 0.1 * p) for p in (1, 2, 3)))


@SOLVER
@pytest.mark.parametrize(
    ("problem", "cost"),
    [
        (vertex_cover_of_a_pentagon(), 3.0),
        (cut_of_a_triangle(), 3.0),
        (three_pigeons_in_two_holes(), 0.1),
        (
            WeightedCNF(at_most_one(range(1, 6)), tuple(SoftClause((v,), v) for v in range(1, 6))),
            10,
        ),
    ],
    ids=["vertex cover", "maximum cut", "pigeonhole", "at most one"],
)
def test_textbook_problems(solver: Solver, problem: WeightedCNF, cost: float) -> None:
    assert solver.solve(problem).cost == cost


@SOLVER
@pytest.mark.parametrize(
    ("problem", "solution"),
    [
        (WeightedCNF(), Solution((), 0.0, 0.0, True)),
        (WeightedCNF(variables=2), Solution((False, False), 0.0, 0.0, True)),
        (WeightedCNF(hard=((-1, 2), (1,))), Solution((True, True), 0.0, 0.0, True)),
        (WeightedCNF(soft=(SoftClause((), 2.5),)), Solution((), 2.5, 2.5, True)),
        (
            WeightedCNF(soft=(SoftClause((1,), 0.1), SoftClause((-1,), 0.3))),
            Solution((False,), 0.1, 0.1, True),
        ),
        (
            WeightedCNF(soft=(SoftClause((1,), 2), SoftClause((-1,), 3), SoftClause((1,), 2))),
            Solution((True,), 3.0, 3.0, True),
        ),
        (
            WeightedCNF(soft=(SoftClause((2, -2), 9.0), SoftClause((1, 1), 1.0))),
            Solution((True, False), 0.0, 0.0, True),
        ),
    ],
    ids=["nothing", "no clause", "hard only", "empty soft", "x or not x", "repeated", "tautology"],
)
def test_corner_cases(solver: Solver, problem: WeightedCNF, solution: Solution) -> None:
    assert solver.solve(problem) == solution


@SOLVER
@pytest.mark.parametrize("hard", [((),), ((1,), (-1,)), ((1, 2), (1, -2), (-1, 2), (-1, -2))])
def test_contradicting_hard_clauses_are_unsatisfiable(solver: Solver, hard: tuple[Clause, ...]) -> None:
    with pytest.raises(UnsatisfiableError) as caught:
        solver.solve(WeightedCNF(hard, (SoftClause((1,), 1.0),)))
    assert caught.value.subject == "hard"


@SOLVER
def test_weights_too_close_for_doubles_to_add_are_told_apart(solver: Solver) -> None:
    # 1 + 2**-60 rounds to 1 in a double, so summing in doubles would call these two a tie.
    tiny = 2.0**-60
    soft = (SoftClause((1,), 1.0), SoftClause((1,), tiny), SoftClause((-1,), 1.0))
    assert solver.solve(WeightedCNF(soft=soft)).labels == (True,)


@SOLVER
def test_integer_weights_beyond_doubles_are_told_apart(solver: Solver) -> None:
    soft = (SoftClause((1,), 2**62 + 1), SoftClause((-1,), 2**62))
    assert solver.solve(WeightedCNF(soft=soft)).labels == (True,)


@SOLVER
def test_solving_leaves_the_problem_as_it_was(solver: Solver) -> None:
    problem = cut_of_a_triangle()
    solver.solve(problem)
    assert problem == cut_of_a_triangle()


def test_exhaustive_search_breaks_ties_in_counting_order() -> None:
    either = WeightedCNF(hard=((1, 2),), soft=(SoftClause((-1,), 1.0), SoftClause((-2,), 1.0)))
    assert Exhaustive().solve(either).labels == (True, False)


def test_exhaustive_search_spans_several_blocks() -> None:
    last = WeightedCNF(hard=tuple((v,) for v in range(1, 18)), soft=(SoftClause((-17,), 1.5),))
    assert Exhaustive().solve(last) == Solution((True,) * 17, 1.5, 1.5, True)


def test_exhaustive_search_refuses_too_many_variables() -> None:
    with pytest.raises(ProblemError) as caught:
        Exhaustive().solve(WeightedCNF(variables=EXHAUSTIVE_VARIABLES + 1))
    assert caught.value.subject == "variables"


@pytest.mark.parametrize(("model", "cost"), [([1, 2], 0), ([1, -2], 1)])
def test_a_wrong_answer_of_the_engine_is_caught(
    monkeypatch: pytest.MonkeyPatch, model: list[int], cost: int
) -> None:
    def compute(engine: Any) -> list[int]:
        engine.cost = cost
        return model

    monkeypatch.setattr(pysat_rc2.RC2, "compute", compute)
    problem = WeightedCNF(((-1, -2),), (SoftClause((1,), 3.0), SoftClause((2,), 2.0)))
    with pytest.raises(MaieuticError) as caught:
        RC2().solve(problem)
    assert (type(caught.value), caught.value.subject) == (MaieuticError, "rc2")
