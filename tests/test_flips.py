"""What would change an answer, against trying every set of constraints."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.constraints import Constraint, problem_from, variables_of
from maieutic.flips import flip
from maieutic.solvers import SOLVERS
from maieutic.tree import Proposition, Tree

NAMES = ("Q", "QT0", "QF0")
TREE = Tree(
    "Q?",
    "Q holds.",
    "Q fails.",
    tuple(
        Proposition(name, None if name == "Q" else "Q", f"{name} holds.", f"{name} fails.") for name in NAMES
    ),
)
FORMS = st.sampled_from([sign + name for sign in ("", "¬") for name in NAMES])
WEIGHTS = st.integers(1, 40).map(lambda n: n / 8)
BELIEFS = st.builds(Constraint, st.just("belief"), FORMS, st.none(), WEIGHTS)
RELATIONS = st.builds(Constraint, st.sampled_from(["entailment", "contradiction"]), FORMS, FORMS, WEIGHTS)


def best(constraints: tuple[Constraint, ...], q: bool) -> float:
    variables = variables_of(TREE)
    problem = problem_from(constraints, variables, ())
    labellings = itertools.product((False, True), repeat=len(NAMES))
    return min(problem.cost(labels) for labels in labellings if labels[variables["Q"] - 1] == q)


def by_definition(constraints: tuple[Constraint, ...], answer: bool) -> float:
    least = math.inf
    for size in range(len(constraints) + 1):
        for removed in itertools.combinations(range(len(constraints)), size):
            left = tuple(c for index, c in enumerate(constraints) if index not in removed)
            if best(left, not answer) <= best(left, answer):
                least = min(least, sum(constraints[index].weight for index in removed))
    return least


@settings(deadline=None, max_examples=40)
@given(constraints=st.lists(BELIEFS | RELATIONS, max_size=7).map(tuple))
def test_no_lighter_set_of_constraints_flips_the_answer(constraints: tuple[Constraint, ...]) -> None:
    answer = best(constraints, True) <= best(constraints, False)
    found = flip(TREE, constraints, answer, SOLVERS["exhaustive"]())
    left = tuple(c for index, c in enumerate(constraints) if index not in found.removed)
    assert best(left, not answer) <= best(left, answer) + 1e-3
    assert found.weight == pytest.approx(by_definition(constraints, answer), abs=1e-3)
    margin = abs(best(constraints, True) - best(constraints, False))
    assert found.weight >= margin - 1e-3


def test_a_coin_toss_needs_nothing_removed() -> None:
    found = flip(TREE, (), True, SOLVERS["exhaustive"]())
    assert (found.removed, found.weight) == ((), 0.0)


def test_the_one_belief_that_an_answer_stands_on_is_named() -> None:
    constraints = (
        Constraint("belief", "QT0", None, 2.0),
        Constraint("entailment", "QT0", "Q", 5.0),
        Constraint("belief", "¬Q", None, 1.0),
    )
    found = flip(TREE, constraints, True, SOLVERS["exhaustive"]())
    assert (found.removed, found.weight) == ((0,), 2.0)
