"""Propositions and clauses of a memory as rows are read, and how propositions are found and entered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from maieutic.files.sqlite import Damaged
from maieutic.memory.database import CONTRADICTION, ENTAILMENT, text
from maieutic.memory.retrieval import add_words
from maieutic.sentences import negations
from maieutic.sentences.content import content_words
from maieutic.text import text_key

__all__ = [
    "MOST_RELATIONS",
    "Clause",
    "Stored",
    "clauses_of",
    "entered",
    "literal_of",
    "model_number",
    "propositions_of",
    "rule_negation",
    "stored_propositions",
    "summed",
    "truths",
]

MOST_RELATIONS = 256  # of one proposition that are read, in each direction
_COLUMNS = "id, statement, negation, odds, label, p, fact, asked, p_true, p_negation"

Clause = tuple[int, ...]
"""A disjunction of one to three literals: numbers of propositions, negative for their negations."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A proposition of a memory.

    Attributes:
        odds: log-odds in nats by what the language model believes of it; 0 where it was not asked.
        label: its truth value when it was last solved, or by a fact; None where it never was.
        p: P(true) then, in [0, 1]; None where it is not known exactly.
        fact: whether it is a fact that it is true, or false; None for no fact.
        asked: number of the question that it answered last; None where nobody asked.
        p_true, p_negation: P(true | statement) and P(true | negation) as the language model had them.
    """

    number: int
    statement: str
    negation: str
    odds: float
    label: bool | None
    p: float | None
    fact: bool | None
    asked: int | None
    p_true: float | None
    p_negation: float | None


def propositions_of(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, Stored]:
    """The propositions of these numbers.

    Raises:
        Damaged: one is missing or has values of wrong types.
    """
    found = {}
    for number in dict.fromkeys(numbers):
        row = db.execute(f"SELECT {_COLUMNS} FROM propositions WHERE id = ?", (number,)).fetchone()  # noqa: S608
        found[number] = stored(row)
    return found


def stored(row: Sequence[object] | None) -> Stored:
    """A proposition from a row of the columns above.

    Raises:
        Damaged: there is none, or a value has a wrong type.
    """
    if row is None:
        raise Damaged("a relation names a proposition that is missing")
    number, statement, negation, odds, label, p, fact, asked, p_true, p_negation = row
    if not isinstance(number, int) or not isinstance(odds, float):
        raise Damaged("a proposition has values of wrong types")
    return Stored(
        number,
        text(statement),
        text(negation),
        odds,
        _truth(label),
        _probability(p),
        _truth(fact),
        asked if isinstance(asked, int) else None,
        _probability(p_true),
        _probability(p_negation),
    )


def _truth(value: object) -> bool | None:
    if value not in (None, 0, 1):
        raise Damaged("a truth value is none")
    return None if value is None else bool(value)


def _probability(value: object) -> float | None:
    if value is not None and not (isinstance(value, float) and 0.0 <= value <= 1.0):
        raise Damaged("a probability is none")
    return value


def stored_propositions(db: sqlite3.Connection) -> list[Stored]:
    """All propositions, by number."""
    return [stored(row) for row in db.execute(f"SELECT {_COLUMNS} FROM propositions ORDER BY id")]  # noqa: S608


def literal_of(db: sqlite3.Connection, statement: str) -> int | None:
    """The literal with a text, or None: a proposition's number, negative where it is the negation."""
    key = text_key(statement)
    row = db.execute("SELECT id FROM propositions WHERE key = ?", (key,)).fetchone()
    if row is not None:
        return int(row[0])
    row = db.execute("SELECT id FROM propositions WHERE negation_key = ? LIMIT 1", (key,)).fetchone()
    return None if row is None else -int(row[0])


def entered(db: sqlite3.Connection, statement: str, negation: str, *, question: int | None, time: int) -> int:
    """The literal of a text; a proposition is entered where there is none.

    Args:
        negation: "" where it is not known; the likeliest by rule is taken then.
        question: number of the one that it comes from.
        time: seconds since the epoch.
    """
    known = literal_of(db, statement)
    if known is not None:
        return known
    negation = negation or rule_negation(statement)
    words = content_words(statement)
    cursor = db.execute(
        "INSERT INTO propositions (key, negation_key, statement, negation, words, origin, time) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            text_key(statement),
            text_key(negation) or None,
            statement,
            negation,
            sum(words.values()),
            question,
            time,
        ),
    )
    assert cursor.lastrowid is not None
    add_words(db, cursor.lastrowid, words)
    return cursor.lastrowid


def rule_negation(statement: str) -> str:
    """The negation by rule; "" where the rules find no verb."""
    return next(iter(negations(statement)), "")


def model_number(db: sqlite3.Connection, role: str, identity: tuple[str, str]) -> int:
    """The number of a model, which is entered where it is new.

    Args:
        role: "lm" or "verifier".
        identity: its fingerprint and its name.
    """
    db.execute("INSERT OR IGNORE INTO models (role, fingerprint, name) VALUES (?, ?, ?)", (role, *identity))
    row = db.execute(
        "SELECT id FROM models WHERE role = ? AND fingerprint = ?", (role, identity[0])
    ).fetchone()
    return int(row[0])


def clauses_of(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[Clause, float]:
    """The clauses about these propositions with their weights in nats; those of equal clauses are summed.

    Of a proposition at most :data:`MOST_RELATIONS` are read in each direction.
    """
    rows: dict[tuple[int, int, int, int], tuple[int, int, int, int, float]] = {}
    for literal in [sign * number for number in dict.fromkeys(numbers) for sign in (1, -1)]:
        for column in ("source", "target", "other"):
            query = (
                "SELECT source, other, target, tree, kind, weight FROM relations "  # noqa: S608
                f"WHERE {column} = ? AND {column} != 0 AND weight > 0 LIMIT ?"  # as in the partial index
            )
            for source, other, target, tree, kind, weight in db.execute(query, (literal, MOST_RELATIONS)):
                rows[source, other, target, tree] = (source, other, target, kind, weight)
    return summed(rows.values())


def summed(rows: Iterable[tuple[int, int, int, int, float]]) -> dict[Clause, float]:
    """The clauses of rows (source, other, target, kind, weight), each once, with the sum of its weights.

    As in a tree, each relation of two texts counts, in both directions and of the negations too.
    """
    found: dict[Clause, float] = {}
    for clause, weight in _clauses(rows):
        found[clause] = found.get(clause, 0.0) + weight
    return found


def _clauses(rows: Iterable[tuple[int, int, int, int, float]]) -> Iterator[tuple[Clause, float]]:
    for source, other, target, kind, weight in rows:
        if kind not in (ENTAILMENT, CONTRADICTION) or not isinstance(weight, float) or not source * target:
            raise Damaged("a relation has values of wrong types")
        ends = {-source, target if kind == ENTAILMENT else -target, *((-other,) if other else ())}
        if not any(-literal in ends for literal in ends):
            yield tuple(sorted(ends)), weight


def truths(stored_ones: Mapping[int, Stored]) -> dict[int, bool]:
    """Number → truth value, of the propositions that have one; a fact's is the fact's."""
    found = {}
    for number, one in stored_ones.items():
        label = one.label if one.fact is None else one.fact
        if label is not None:
            found[number] = label
    return found
