"""Choices of a memory: questions with options, of which exactly one is true. They are hard constraints.

Facts and choices of a memory can always hold together: what would contradict them is refused. A choice takes
part in a problem with all its options, and with the choices that share one of them, so that this stays true
of every problem too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maieutic.files.sqlite import Damaged
from maieutic.inference.constraints import Rule
from maieutic.inference.graph import Literal
from maieutic.memory.database import text
from maieutic.memory.rows import propositions_of
from maieutic.problem.conflicts import fewest_contradicting
from maieutic.text import text_key

__all__ = [
    "KnownChoice",
    "StoredChoice",
    "add_choice",
    "bound",
    "choices_of",
    "contradiction",
    "described",
    "every_choice",
    "known_choice",
    "known_choices",
    "remove_choices",
]


@dataclass(frozen=True, slots=True)
class StoredChoice:
    """A question with its options.

    Attributes:
        number: of the choice; ``options``: literals, numbers of propositions, negative for their negations.
        time: when it was chosen, in seconds since the epoch.
    """

    number: int
    question: str
    options: tuple[int, ...]
    time: int = 0

    @property
    def rule(self) -> Rule:
        """The constraint, with the numbers of propositions as their ids."""
        return Rule("exactly-one", tuple(Literal(str(abs(one)), one > 0) for one in self.options))


@dataclass(frozen=True, slots=True)
class KnownChoice:
    """A question of a memory with options, of which exactly one is true.

    Attributes:
        options: statements, each with its truth value; None where it was never solved.
        time: when it was chosen, in seconds since the epoch.
    """

    question: str
    options: tuple[tuple[str, bool | None], ...]
    time: int


def every_choice(db: sqlite3.Connection) -> list[StoredChoice]:
    """All choices, the oldest first."""
    return [
        _stored(row) for row in db.execute("SELECT id, question, literals, time FROM choices ORDER BY id")
    ]


def known_choices(db: sqlite3.Connection) -> list[KnownChoice]:
    """All choices with the texts of their options, the oldest first."""
    return [known_choice(db, choice) for choice in every_choice(db)]


def known_choice(db: sqlite3.Connection, choice: StoredChoice) -> KnownChoice:
    """A choice with the texts of its options."""
    return KnownChoice(choice.question, tuple(_option(db, one) for one in choice.options), choice.time)


def _option(db: sqlite3.Connection, literal: int) -> tuple[str, bool | None]:
    """The text of a literal and its truth value."""
    one = propositions_of(db, [abs(literal)])[abs(literal)]
    label = one.label if one.fact is None else one.fact
    if literal > 0:
        return one.statement, label
    return one.negation or f"not: {one.statement}", None if label is None else not label


def choices_of(db: sqlite3.Connection, propositions: Iterable[int]) -> list[StoredChoice]:
    """The choices with an option among these propositions, and all that a chain of shared options reaches."""
    found: dict[int, StoredChoice] = {}
    seen: set[int] = set()
    open_ = list(dict.fromkeys(propositions))
    while open_:
        proposition = open_.pop()
        if proposition in seen:
            continue
        seen.add(proposition)
        query = (
            "SELECT c.id, c.question, c.literals, c.time FROM options o JOIN choices c ON c.id = o.choice "
            "WHERE o.literal IN (?, ?)"
        )
        for row in db.execute(query, (proposition, -proposition)):
            choice = found.setdefault(row[0], _stored(row))
            open_ += map(abs, choice.options)
    return [found[number] for number in sorted(found)]


def bound(choices: Iterable[StoredChoice]) -> tuple[int, ...]:
    """The propositions that are options."""
    return tuple(dict.fromkeys(abs(option) for choice in choices for option in choice.options))


def add_choice(db: sqlite3.Connection, question: str, options: Iterable[int], time: int) -> bool:
    """Enter a choice; whether it is new. Another question with the same options takes its place.

    Args:
        options: literals; of fewer than two different ones nothing is entered.
        time: seconds since the epoch.
    """
    different = sorted(set(options))
    if len(different) < 2:
        return False
    literals = " ".join(map(str, different))
    known = db.execute("SELECT id FROM choices WHERE literals = ?", (literals,)).fetchone()
    if known is not None:
        row = (question, text_key(question), known[0])
        db.execute("UPDATE choices SET question = ?, key = ? WHERE id = ?", row)
        return False
    cursor = db.execute(
        "INSERT INTO choices (question, key, literals, time) VALUES (?, ?, ?, ?)",
        (question, text_key(question), literals, time),
    )
    db.executemany(
        "INSERT INTO options (literal, choice) VALUES (?, ?)",
        [(literal, cursor.lastrowid) for literal in different],
    )
    return True


def remove_choices(db: sqlite3.Connection, question: str) -> list[StoredChoice]:
    """Forget that exactly one option of a question is true; the choices that were removed are returned."""
    rows = db.execute(
        "SELECT id, question, literals, time FROM choices WHERE key = ? ORDER BY id", (text_key(question),)
    )
    found = [_stored(row) for row in rows]
    db.executemany("DELETE FROM options WHERE choice = ?", [(one.number,) for one in found])
    db.executemany("DELETE FROM choices WHERE id = ?", [(one.number,) for one in found])
    return found


def contradiction(
    db: sqlite3.Connection,
    choices: Sequence[StoredChoice],
    facts: Mapping[int, bool] | None = None,
) -> tuple[str, ...]:
    """The fewest facts and choices that cannot all hold, in words; () where all can.

    Args:
        choices: of :func:`choices_of` or :func:`every_choice`.
        facts: further facts, proposition → truth.
    """
    numbers = bound(choices)
    stored = propositions_of(db, numbers)
    known = {number: one.fact for number, one in stored.items() if one.fact is not None} | dict(facts or {})
    known = {number: holds for number, holds in known.items() if number in stored}
    rules = [Rule("clause", (Literal(str(number), holds),)) for number, holds in known.items()]
    said = [f"{stored[number].statement!r} is {str(holds).lower()}" for number, holds in known.items()]
    rules += (choice.rule for choice in choices)
    said += (described(choice.question) for choice in choices)
    return tuple(said[place] for place in fewest_contradicting([str(number) for number in numbers], rules))


def described(question: str) -> str:
    """The constraint in words."""
    return f"exactly one answer to {question!r} is true"


def _stored(row: Sequence[object]) -> StoredChoice:
    number, question, literals, time = row
    try:
        options = tuple(map(int, text(literals).split()))
    except ValueError:
        raise Damaged("a choice has options that are no numbers") from None
    if not isinstance(number, int) or not isinstance(time, int) or len(options) < 2 or 0 in options:
        raise Damaged("a choice has values of wrong types")
    return StoredChoice(number, text(question), options, time)
