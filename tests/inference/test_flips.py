"""What would change an answer, against trying every set of constraints."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import MaieuticError
from maieutic.inference import flips
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


def test_a_search_that_takes_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flips, "SECONDS", -1.0)
    with pytest.raises(MaieuticError) as error:
        flip_of((Constraint("belief", Literal("Q"), None, 1.0),), True)
    assert error.value.subject == "flip"


def test_what_other_threads_print_meanwhile_arrives_complete_and_alone() -> None:
    """A search writes nothing to standard output and leaves it to the rest of the process."""
    done = subprocess.run([sys.executable, "-c", PRINTING], capture_output=True, text=True, check=True)
    *lines, searches = done.stdout.splitlines()
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert len(lines) > int(searches) > 0


PRINTING = """
import os, random, threading
from maieutic.inference.base import Verdict
from maieutic.inference.constraints import Constraint
from maieutic.inference.flips import flip
from maieutic.inference.graph import Literal
from maieutic.solvers import load_solver

names = ["Q", *(f"QT{number}" for number in range(9))]
rng = random.Random(0)

def some():
    form = lambda: Literal(rng.choice(names), rng.random() < 0.5)
    for _ in range(30):
        kind = rng.choice(["belief", "entailment", "contradiction"])
        yield Constraint(kind, form(), None if kind == "belief" else form(), rng.uniform(0.1, 3))

searches = 0
done = threading.Event()

def search():
    global searches
    while searches < 10:
        problem = tuple(some())
        for answer in (True, False):
            verdict = Verdict("joint", answer, 0.0, "nats", {}, constraints=problem, variables=tuple(names))
            flip(verdict, load_solver("rc2-stratified"))
        searches += 1
    done.set()

threading.Thread(target=search).start()
number = 0
while not done.wait(0.0005) or number < 100:
    os.write(1, f"line {number}\\n".encode())
    number += 1
os.write(1, f"{searches}\\n".encode())
"""
