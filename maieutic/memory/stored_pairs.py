"""The scores that a memory has of one verifier, so that it is never asked for a pair twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from maieutic.inference.premises import joined
from maieutic.memory.models import PairKey, pair_key
from maieutic.memory.neighbourhood import Neighbourhood
from maieutic.memory.rows import literal_of

__all__ = ["stored_pairs"]

Row = tuple[float, float, float]


def stored_pairs(
    db: sqlite3.Connection, fingerprint: str, near: Neighbourhood, texts: Sequence[str]
) -> dict[PairKey, Row]:
    """The scores of pairs, and of two premises with a third, among a neighbourhood and texts.

    Args:
        fingerprint: of the verifier; what another one said is left out.
        texts: those that the memory does not hold are ignored.
    """
    model = db.execute(
        "SELECT id FROM models WHERE role = 'verifier' AND fingerprint = ?", (fingerprint,)
    ).fetchone()
    if model is None:
        return {}
    literals = _literals(db, near, texts)
    facts = [number for number, one in near.stored.items() if one.fact]
    found: dict[PairKey, Row] = {}
    for sources, others in ((list(literals), [0]), (facts, facts)):
        for source, other, target, row in _rows(db, model[0], (sources, others, list(literals))):
            second = literals[other] if other else ""
            premise = joined(literals[source], second) if second else literals[source]
            found[pair_key((premise, literals[target]))] = row
    return found


def _rows(
    db: sqlite3.Connection, model: int, ends: tuple[list[int], list[int], list[int]]
) -> Iterator[tuple[int, int, int, Row]]:
    """What a verifier said of these sources, second sources and targets."""
    sources, others, targets = ends
    second, third = (",".join(map(str, numbers)) for numbers in (others, targets))
    query = (
        "SELECT other, target, contradiction, neutral, entailment FROM relations WHERE source = ? "  # noqa: S608
        f"AND other IN ({second}) AND target IN ({third}) AND tree = 0 AND verifier = ? "
        "AND neutral IS NOT NULL"
    )
    for source in sources:
        for other, target, *row in db.execute(query, (source, model)):
            yield source, other, target, (row[0], row[1], row[2])


def _literals(db: sqlite3.Connection, near: Neighbourhood, texts: Sequence[str]) -> dict[int, str]:
    """Literal → its text."""
    literals = {number: one.statement for number, one in near.stored.items()}
    literals |= {-number: one.negation for number, one in near.stored.items() if one.negation}
    for one in texts:
        literal = literal_of(db, one)
        if literal is not None:
            literals.setdefault(literal, one)
    return literals
