"""What would change an answer, against trying every set of constraints."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.inference.base import Verdict
from maieutic.inference.constraints import Constraint, Encoding
from maieutic.inference.flips import Flip, flip
from maieutic.inference.graph import Literal
from maieutic.solvers import load_solver

IDS = ("Q", "QT0", "QF0")
LITERALS = st.builds(Literal, st.sampled_from(IDS), st.booleans())
WEIGHTS = st.integers(1, 40).map(lambda n: n / 8)
BELIEFS = st.builds(Constraint, st.just("belief"), LITERALS, st.none(), WEIGHTS)
RELATIONS = st.builds(
    Constraint, st.sampled_from(["entailment", "contradiction"]), LITERALS, LITERALS, WEIGHTS
)


HELD = st.lists(st.sampled_from([Literal("QT0"), ~Literal("QF0")]), unique=True)  # what has to hold


def best(constraints: Sequence[Constraint], q: bool, held: Sequence[Literal]) -> float:
    problem = Encoding.of(IDS, constraints, held).problem
    labellings = itertools.product((False, True), repeat=len(IDS))
    allowed = [s for s in labellings if s[0] == q and all(s[abs(v) - 1] == (v > 0) for (v,) in problem.hard)]
    return min(map(problem.cost, allowed))


def flip_of(constraints: Sequence[Constraint], answer: bool, held: Sequence[Literal] = ()) -> Flip:
    verdict = Verdict(
        "joint",
        answer=answer,
        margin=0.0,
        margin_unit="nats",
        labels={},
        constraints=tuple(constraints),
        variables=IDS,
        held=tuple(held),
    )
    return flip(verdict, load_solver("exhaustive"))


def by_definition(constraints: Sequence[Constraint], answer: bool, held: Sequence[Literal]) -> float:
    least = math.inf
    for size in range(len(constraints) + 1):
        for removed in itertools.combinations(range(len(constraints)), size):
            left = [c for index, c in enumerate(constraints) if index not in removed]
            if best(left, not answer, held) <= best(left, answer, held):
                least = min(least, sum(constraints[index].weight for index in removed))
    return least


@settings(deadline=None, max_examples=40)
@given(constraints=st.lists(BELIEFS | RELATIONS, max_size=7).map(tuple), held=HELD)
def test_no_lighter_set_of_constraints_flips_the_answer(
    constraints: tuple[Constraint, ...], held: list[Literal]
) -> None:
    answer = best(constraints, True, held) <= best(constraints, False, held)
    removal = flip_of(constraints, answer, held)
    left = [c for index, c in enumerate(constraints) if index not in removal.removed]
    assert best(left, not answer, held) <= best(left, answer, held) + 1e-3
    assert removal.weight == pytest.approx(by_definition(constraints, answer, held), abs=1e-3)
    margin = abs(best(constraints, True, held) - best(constraints, False, held))
    assert removal.weight >= margin - 1e-3


def test_a_coin_toss_needs_nothing_removed() -> None:
    removal = flip_of((), True)
    assert (removal.removed, removal.weight) == ((), 0.0)


def test_the_one_belief_that_an_answer_stands_on_is_named() -> None:
    constraints = (
        Constraint("belief", Literal("QT0"), None, 2.0),
        Constraint("entailment", Literal("QT0"), Literal("Q"), 5.0),
        Constraint("belief", ~Literal("Q"), None, 1.0),
    )
    removal = flip_of(constraints, True)
    assert (removal.removed, removal.weight) == ((0,), 2.0)
