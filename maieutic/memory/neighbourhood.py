"""The neighbourhood of some texts in a memory: what is solved together with a question, and no more.

It holds the propositions that share content words with the texts, the best by BM25 first; the heaviest
neighbours of earlier answers among them, so that what these rest on is there too; the relevant facts; and
with an option of a choice all its options (:mod:`maieutic.memory.choices`). All else keeps its label: a
clause that a label outside satisfies says nothing, and a literal that is false there falls away. Solving the
neighbourhood is one step of block coordinate descent on the memory's MaxSAT problem: the cost of all labels
together never grows. ``memory settle`` solves everything at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint
from maieutic.inference.graph import Literal
from maieutic.inference.recalled import Recalled, RecalledChoice, Recollection, constraint_of
from maieutic.memory.choices import StoredChoice, bound, choices_of
from maieutic.memory.retrieval import relevant
from maieutic.memory.rows import Clause, Stored, clauses_of, literal_of, propositions_of, truths

__all__ = ["Limits", "Neighbourhood", "neighbourhood", "neighbourhood_of"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a memory takes part in one question.

    Attributes:
        propositions: most in all; ``facts`` are counted apart, and so are the options of choices.
        asked: most that are retrieved for what is asked, ``explained``: for each explanation.
        grown: most neighbours that each earlier answer among them brings along.
        weight: of relations between a question's propositions and those of before, as a multiple of what they
            weigh inside a tree.
    """

    propositions: int = 32
    facts: int = 12
    asked: int = 12
    explained: int = 4
    grown: int = 4
    weight: float = 1.0


@dataclass(frozen=True)
class Neighbourhood:
    """A part of a memory.

    Attributes:
        recollection: for joint inference.
        stored: by number, facts among them.
        names: id in the problem ("M1", "A1") → number.
        clauses: among its propositions, under the labels outside; with their weights in nats.
        left_out: propositions that share words with the texts but exceed the limits.
    """

    recollection: Recollection
    stored: Mapping[int, Stored] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    clauses: Mapping[Clause, float] = field(default_factory=dict)
    left_out: int = 0


def neighbourhood(
    db: sqlite3.Connection, texts: Sequence[str], limits: Limits, first_fact: int = 1
) -> Neighbourhood:
    """The neighbourhood of texts, what is asked first, then explanations.

    Args:
        first_fact: number in the id of the first fact; the user's assumptions have those before.
    """
    facts: dict[int, None] = {}
    chosen: dict[int, None] = {}
    found: set[int] = set()
    for place, one in enumerate(texts):
        facts |= dict.fromkeys(number for number, _ in relevant(db, one, limits.facts, facts=True))
        most = limits.asked if place == 0 else limits.explained
        numbers = [number for number, _ in relevant(db, one, limits.propositions)]
        found |= {*numbers}
        chosen |= dict.fromkeys(numbers[:most])
    facts = dict.fromkeys(list(facts)[: limits.facts])
    numbers = [number for number in chosen if number not in facts][: limits.propositions]
    numbers = _judged(db, _grown(db, numbers, limits))
    left_out = len(found - {*numbers} - {*facts})
    same = [abs(literal) for literal in (literal_of(db, one) for one in texts) if literal is not None]
    numbers += bound(choices_of(db, same))
    return neighbourhood_of(db, numbers, list(facts), limits, first_fact, left_out)


def neighbourhood_of(
    db: sqlite3.Connection,
    numbers: Iterable[int],
    facts: Iterable[int],
    limits: Limits,
    first_fact: int = 1,
    left_out: int = 0,
) -> Neighbourhood:
    """The neighbourhood that consists of these propositions and facts, and of the choices that bind them.

    Facts among the propositions are facts.
    """
    given = (*facts, *numbers)
    choices = choices_of(db, given)
    inside = propositions_of(db, (*given, *bound(choices)))
    every = clauses_of(db, inside)
    outside = truths(propositions_of(db, {abs(lit) for c in every for lit in c} - inside.keys()))
    clauses, evidence = _reduced(every, inside, outside)
    facts_inside = [one for one in inside.values() if one.fact is not None]
    others = [one for one in inside.values() if one.fact is None]
    ids = {one.number: f"A{place}" for place, one in enumerate(facts_inside, first_fact)}
    ids |= {one.number: f"M{place}" for place, one in enumerate(others, 1)}
    recalled = tuple(
        Recalled(
            ids[one.number],
            one.statement,
            one.negation,
            one.odds,
            evidence.get(one.number, 0.0),
            one.p_true,
            one.p_negation,
        )
        for one in others
    )
    assumed = tuple(Assumption(ids[one.number], one.statement, bool(one.fact)) for one in facts_inside)
    inner = tuple(_constraint(clause, weight, ids) for clause, weight in clauses.items())
    recollection = Recollection(
        recalled, assumed, inner, limits.weight, choices=tuple(_choice(one, ids) for one in choices)
    )
    names = {name: number for number, name in ids.items()}
    return Neighbourhood(recollection, inside, names, clauses, left_out)


def _judged(db: sqlite3.Connection, numbers: Sequence[int]) -> list[int]:
    """Those that a model judged; a retracted fact that nobody asked about says nothing."""
    found = propositions_of(db, numbers)
    return [n for n, one in found.items() if one.p_true is not None or one.p_negation is not None or one.odds]


def _grown(db: sqlite3.Connection, numbers: Sequence[int], limits: Limits) -> list[int]:
    """The propositions with the heaviest neighbours of the earlier answers among them, within the limit."""
    chosen = dict.fromkeys(numbers)
    for one in propositions_of(db, numbers).values():
        if one.asked is None:
            continue
        heaviest: dict[int, float] = {}
        for clause, weight in clauses_of(db, (one.number,)).items():
            for number in {abs(literal) for literal in clause} - {one.number}:
                heaviest[number] = max(weight, heaviest.get(number, 0.0))
        ranked = sorted(heaviest.items(), key=lambda item: (-item[1], item[0]))
        chosen |= dict.fromkeys(number for number, _ in ranked[: limits.grown])
    return list(chosen)[: limits.propositions]


def _reduced(
    clauses: Mapping[Clause, float], inside: Mapping[int, Stored], outside: Mapping[int, bool]
) -> tuple[dict[Clause, float], dict[int, float]]:
    """The clauses among the inside under the labels outside, and what those with one literal say, in nats.

    A clause about a proposition outside without a label says nothing yet.
    """
    left: dict[Clause, float] = {}
    evidence: dict[int, float] = {}
    for clause, weight in clauses.items():
        others = [literal for literal in clause if abs(literal) not in inside]
        if any(abs(one) not in outside or outside[abs(one)] == (one > 0) for one in others):
            continue
        rest = tuple(literal for literal in clause if abs(literal) in inside)
        if len(rest) == 1:
            number = abs(rest[0])
            evidence[number] = evidence.get(number, 0.0) + (weight if rest[0] > 0 else -weight)
        elif rest:
            left[rest] = max(weight, left.get(rest, 0.0))
    return left, evidence


def _choice(choice: StoredChoice, ids: Mapping[int, str]) -> RecalledChoice:
    return RecalledChoice(choice.question, tuple(Literal(ids[abs(one)], one > 0) for one in choice.options))


def _constraint(clause: Clause, weight: float, ids: Mapping[int, str]) -> Constraint:
    return constraint_of([Literal(ids[abs(literal)], literal > 0) for literal in clause], weight)
