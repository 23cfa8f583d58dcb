"""What a memory holds of one statement and why, its conflicts, and how much there is in all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maieutic.inference.graph import Literal
from maieutic.inference.recalled import constraint_of
from maieutic.memory.choices import KnownChoice, StoredChoice, bound, choices_of, every_choice, known_choice
from maieutic.memory.facts import SURE
from maieutic.memory.notes import Change
from maieutic.memory.rows import Clause, Stored, clauses_of, literal_of, propositions_of, summed, truths
from maieutic.problem.conflicts import conflicts
from maieutic.solvers import WeightedCNF
from maieutic.solvers.components import components

__all__ = ["Contents", "MemoryConflicts", "Tie", "Why", "contents_of", "memory_conflicts", "why"]

MOST_SETS = 100  # conflicts that are listed


@dataclass(frozen=True, slots=True)
class Tie:
    """A relation that a statement is in.

    Attributes:
        statements: the others, each with its truth value; None where it was never solved.
        supports: whether it speaks for the statement, with the others as they are; None where it says
            nothing then.
        weight: nats.
    """

    statements: tuple[tuple[str, bool | None], ...]
    supports: bool | None
    weight: float


@dataclass(frozen=True, slots=True)
class Why:
    """What a memory holds of a statement.

    Attributes:
        statement: as the memory has it. ``label``: its truth value when it was last solved, ``p`` P(true)
            then in [0, 1]; None where it is not known.
        fact: whether it is a fact that it is true, or false; ``fact_source``: who said so.
        odds: log-odds in nats by what the language model believes of it.
        lm: name of that model, "" for none. ``origin``: the question that it comes from, "" for none.
        time: when it was entered, in seconds since the epoch.
        ties: what speaks for and against it, the heaviest first.
        changes: earlier labels, the oldest first, each with the question that changed it.
        choices: of which it, or its negation, is an option.
    """

    statement: str
    label: bool | None
    p: float | None
    fact: bool | None
    fact_source: str
    odds: float
    lm: str
    origin: str
    time: int
    ties: tuple[Tie, ...]
    changes: tuple[tuple[str, Change], ...]
    choices: tuple[KnownChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a memory holds.

    Attributes:
        models: (role, name, how many propositions or relations come from it).
    """

    propositions: int
    answers: int
    facts: int
    relations: int
    choices: int
    models: tuple[tuple[str, str, int], ...]


def why(db: sqlite3.Connection, statement: str) -> Why | None:
    """What the memory holds of a statement; None where that is nothing."""
    literal = literal_of(db, statement)
    if literal is None:
        return None
    number = abs(literal)
    one = propositions_of(db, [number])[number]
    clauses = clauses_of(db, [number])
    others = propositions_of(db, {abs(lit) for clause in clauses for lit in clause} - {number})
    known = truths(others)
    ties = sorted(
        (_tie(clause, weight, number, others, known) for clause, weight in clauses.items()),
        key=lambda tie: (tie.supports is None, -tie.weight),
    )
    source, time, lm, origin = db.execute(
        "SELECT fact_source, p.time, m.name, q.text FROM propositions p LEFT JOIN models m ON m.id = p.lm "
        "LEFT JOIN questions q ON q.id = p.origin WHERE p.id = ?",
        (number,),
    ).fetchone()
    return Why(
        one.statement, one.label, one.p, one.fact, source or "", one.odds, lm or "", origin or "", time,
        tuple(ties), tuple(_changes(db, one)), tuple(_choices(db, number)),
    )  # fmt: skip


def _tie(
    clause: Clause, weight: float, number: int, others: Mapping[int, Stored], known: Mapping[int, bool]
) -> Tie:
    own = next(literal for literal in clause if abs(literal) == number)
    rest = [literal for literal in clause if abs(literal) != number]
    satisfied = any(abs(one) in known and known[abs(one)] == (one > 0) for one in rest)
    open_ = any(abs(one) not in known for one in rest)
    said = tuple((others[abs(one)].statement, known.get(abs(one))) for one in rest)
    return Tie(said, None if satisfied or open_ else own > 0, weight)


def _changes(db: sqlite3.Connection, one: Stored) -> Iterator[tuple[str, Change]]:
    rows = db.execute(
        "SELECT q.text, before, after, p_before, p_after, why FROM changes c "
        "LEFT JOIN questions q ON q.id = c.question WHERE c.proposition = ? ORDER BY c.id",
        (one.number,),
    )
    for text, before, after, p_before, p_after, reasons in rows:
        lines = tuple(line for line in reasons.split("\n") if line)
        change = Change(
            one.statement, bool(before), bool(after), p_before, p_after, lines, one.asked is not None
        )
        yield text or "", change


def _choices(db: sqlite3.Connection, number: int) -> Iterator[KnownChoice]:
    for choice in choices_of(db, [number]):
        if not {number, -number}.isdisjoint(choice.options):
            yield known_choice(db, choice)


@dataclass(frozen=True, slots=True)
class MemoryConflicts:
    """What does not hang together in a memory.

    Attributes:
        sets: minimal sets of facts and answers that cannot all hold, as sentences, the smallest first; at
            most :data:`MOST_SETS`.
        ignored: relations that were left out, since heavier ones exclude them whatever holds.
    """

    sets: tuple[tuple[str, ...], ...]
    ignored: int = 0


def memory_conflicts(db: sqlite3.Connection) -> MemoryConflicts:
    """Minimal sets of facts and answers that cannot all hold under sure relations and choices.

    An answer stands for what was answered: its statement, or its negation. Other propositions have either
    truth value.
    """
    rows = db.execute(
        "SELECT id FROM propositions WHERE fact IS NOT NULL OR (asked IS NOT NULL AND label IS NOT NULL)"
    )
    held = propositions_of(db, [row[0] for row in rows])
    labels = truths(held)
    rows = db.execute(
        "SELECT source, other, target, kind, weight FROM relations WHERE weight > 0 AND tree = 0 "
        "AND (contradiction >= ? OR entailment >= ?)",
        (SURE, SURE),
    )
    found: list[tuple[str, ...]] = []
    ignored = 0
    known = summed(rows)
    for clauses, choices in _parts(list(known), every_choice(db)):
        numbers = {abs(literal) for clause in clauses for literal in clause} | {*bound(choices)}
        weights = {Literal(str(one), labels[one]): 1.0 for one in sorted(numbers & labels.keys())}
        relations = [
            constraint_of([Literal(str(abs(one)), one > 0) for one in each], known[each]) for each in clauses
        ]
        rules = [choice.rule for choice in choices]
        if not weights:
            continue
        part = conflicts(weights, relations, rules, MOST_SETS)
        ignored += part.ignored
        for each in part.sets:
            numbered = (int(literal.id) for literal in each)
            found.append(tuple(_said(held[number], labels[number]) for number in numbered))
    return MemoryConflicts(tuple(sorted(found, key=len)[:MOST_SETS]), ignored)


def _parts(
    clauses: Sequence[Clause], choices: Sequence[StoredChoice]
) -> Iterator[tuple[list[Clause], list[StoredChoice]]]:
    """The clauses and choices in independent groups."""
    listed = [*clauses, *(choice.options for choice in choices)]
    place = {n: i for i, n in enumerate(sorted({abs(one) for each in listed for one in each}), 1)}
    joined = tuple(tuple(place[abs(one)] for one in each) for each in listed)
    parts = components(WeightedCNF(joined, (), len(place))) if joined else []
    part_of = {variable: number for number, part in enumerate(parts) for variable in part.variables}
    found: list[tuple[list[Clause], list[StoredChoice]]] = [([], []) for _ in parts]
    for clause in clauses:
        found[part_of[place[abs(clause[0])]]][0].append(clause)
    for choice in choices:
        found[part_of[place[abs(choice.options[0])]]][1].append(choice)
    yield from found


def _said(one: Stored, label: bool) -> str:
    kind = "fact: " if one.fact is not None else ""
    return f"{kind}{one.statement}{'' if label else ' is false'}"


def contents_of(db: sqlite3.Connection) -> Contents:
    """How much there is."""

    def count(query: str) -> int:
        return int(db.execute(query).fetchone()[0])

    models = db.execute(
        "SELECT role, name, CASE role WHEN 'lm' THEN (SELECT COUNT(*) FROM propositions WHERE lm = m.id) "
        "ELSE (SELECT COUNT(*) FROM relations WHERE verifier = m.id) END FROM models m ORDER BY id"
    ).fetchall()
    return Contents(
        count("SELECT COUNT(*) FROM propositions"),
        count("SELECT COUNT(*) FROM propositions WHERE asked IS NOT NULL"),
        count("SELECT COUNT(*) FROM propositions WHERE fact IS NOT NULL"),
        count("SELECT COUNT(*) FROM relations"),
        count("SELECT COUNT(*) FROM choices"),
        tuple((str(role), str(name), int(number)) for role, name, number in models),
    )
