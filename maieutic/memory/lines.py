"""A memory as lines of JSON: propositions with their beliefs and facts, then relations, then choices.

P(true) and changes are not among them; ``memory settle`` solves the labels again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge, MinLen

from maieutic.errors import InputError
from maieutic.files.json_text import dump_json, parse_json
from maieutic.memory.choices import add_choice, choices_of, contradiction, every_choice
from maieutic.memory.database import CONTRADICTION, ENTAILMENT
from maieutic.memory.facts import set_fact
from maieutic.memory.recording import add_question
from maieutic.memory.rows import entered, literal_of, model_number
from maieutic.text import as_question
from maieutic.tree import Probability

__all__ = [
    "ChoiceLine",
    "Line",
    "PropositionLine",
    "RelationLine",
    "export_lines",
    "import_lines",
    "line_json",
    "parse_line",
]


@dataclass(frozen=True, slots=True)
class PropositionLine:
    """A proposition.

    Attributes:
        fact: whether it is a fact that it is true, or false; None for no fact.
        odds: log-odds in nats by what ``lm`` believes of it.
        answered: whether somebody asked about it, and ``label`` its truth value then.
        time: when it was entered, in seconds since the epoch.
    """

    statement: str
    negation: str = ""
    fact: bool | None = None
    fact_source: str = ""
    odds: float = 0.0
    p_true: Probability | None = None
    p_true_negation: Probability | None = None
    lm: tuple[str, str] | None = None
    answered: bool = False
    label: bool | None = None
    time: int = 0
    kind: Literal["proposition"] = "proposition"


@dataclass(frozen=True, slots=True)
class RelationLine:
    """A relation between texts that are statements or negations of propositions above.

    Attributes:
        other: a second source; "" for none.
        says: "entailment" or "contradiction" of the target.
        distribution: contradiction, neutral, entailment as ``verifier`` has them; None where the relation is
            that of a tree.
        verifier: fingerprint and name.
        weight: nats, ≥ 0.
    """

    source: str
    target: str
    says: Literal["entailment", "contradiction"]
    weight: Annotated[float, Ge(0.0)]
    other: str = ""
    distribution: tuple[Probability, Probability, Probability] | None = None
    verifier: tuple[str, str] | None = None
    tree: bool = False
    kind: Literal["relation"] = "relation"


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """A question with options: statements or negations of propositions above, of which exactly one is true.

    Attributes:
        time: when it was chosen, in seconds since the epoch.
    """

    question: str
    options: Annotated[tuple[str, ...], MinLen(2)]
    time: int = 0
    kind: Literal["choice"] = "choice"


Line: TypeAlias = PropositionLine | RelationLine | ChoiceLine
_KINDS: Mapping[bytes, type[RelationLine] | type[ChoiceLine]] = {
    b'"kind":"relation"': RelationLine,
    b'"kind":"choice"': ChoiceLine,
}


def line_json(line: Line) -> str:
    """A line as JSON."""
    return dump_json(line)


def parse_line(text: bytes) -> Line:
    """The inverse of :func:`line_json`.

    Raises:
        InputError: the text is no such line; ``subject`` is the field.
    """
    packed = text.replace(b" ", b"")
    line: type[Line] = next((one for kind, one in _KINDS.items() if kind in packed), PropositionLine)
    return parse_json(line, text)


def export_lines(db: sqlite3.Connection) -> Iterator[Line]:
    """All propositions, then all relations and choices.

    Relations that say nothing are among them, so that they need not be asked again. What has a negation
    without a text is left out, which is rare.
    """
    models = {row[0]: (row[1], row[2]) for row in db.execute("SELECT id, fingerprint, name FROM models")}
    texts: dict[int, str] = {}
    rows = db.execute(
        "SELECT id, statement, negation, fact, fact_source, odds, p_true, p_negation, lm, asked, label, time "
        "FROM propositions ORDER BY id"
    )
    for number, statement, negation, fact, source, odds, p, p_negation, lm, asked, label, time in rows:
        texts |= {number: statement} | ({-number: negation} if negation else {})
        truths = (None if one is None else bool(one) for one in (fact, label))
        known, held = truths
        yield PropositionLine(
            statement, negation, known, source or "", odds, p, p_negation, models.get(lm), asked is not None,
            held, time,
        )  # fmt: skip
    rows = db.execute(
        "SELECT source, other, target, kind, contradiction, neutral, entailment, verifier, weight, tree "
        "FROM relations ORDER BY source, other, target"
    )
    for source, other, target, kind, c, n, e, verifier, weight, tree in rows:
        if not {source, target, *((other,) if other else ())} <= texts.keys():
            continue
        says: Literal["entailment", "contradiction"] = (
            "contradiction" if kind == CONTRADICTION else "entailment"
        )
        second, scores = texts[other] if other else "", None if n is None else (c, n, e)
        made_by = models.get(verifier)
        yield RelationLine(texts[source], texts[target], says, weight, second, scores, made_by, bool(tree))
    for choice in every_choice(db):
        if texts.keys() >= {*choice.options}:
            yield ChoiceLine(choice.question, tuple(texts[one] for one in choice.options), choice.time)


def import_lines(db: sqlite3.Connection, lines: Iterable[Line], time: int) -> int:
    """Add lines; what is there stays. How many are new is returned.

    Raises:
        InputError: a text is empty or too long, a relation or a choice names what is not there, or facts and
            choices contradict each other.
    """
    question = add_question(db, "import", "", time)
    added = 0
    for line in lines:
        if isinstance(line, PropositionLine):
            added += _proposition(db, line, question, time)
        elif isinstance(line, RelationLine):
            added += _relation(db, line, question)
        else:
            added += _choice(db, line, time)
    return added


def _proposition(db: sqlite3.Connection, line: PropositionLine, question: int, time: int) -> int:
    statement = as_question(line.statement)
    new = literal_of(db, statement) is None
    literal = entered(db, statement, line.negation, question=question, time=line.time or time)
    if new:
        lm = None if line.lm is None else model_number(db, "lm", line.lm)
        db.execute(
            "UPDATE propositions SET odds = ?, p_true = ?, p_negation = ?, lm = ?, label = ?, asked = ? "
            "WHERE id = ?",
            (
                line.odds,
                line.p_true,
                line.p_true_negation,
                lm,
                line.label,
                question if line.answered else None,
                literal,
            ),
        )
    fact = db.execute("SELECT fact FROM propositions WHERE id = ?", (abs(literal),)).fetchone()[0]
    if line.fact is None:
        return int(new)
    set_fact(db, statement, line.fact, line.fact_source or "import", line.time or time)
    return int(new or fact is None)


def _choice(db: sqlite3.Connection, line: ChoiceLine, time: int) -> int:
    options = [_literal(db, option, "choice") for option in line.options]
    new = add_choice(db, as_question(line.question), options, line.time or time)
    found = contradiction(db, choices_of(db, map(abs, options)))
    if found:
        raise InputError(f"these cannot all hold: {'; '.join(found)}; remove one", subject="choice")
    return int(new)


def _literal(db: sqlite3.Connection, text: str, what: str) -> int:
    """The literal with a text that a relation or a choice names."""
    literal = literal_of(db, text)
    if literal is None:
        problem = f"a {what} names {text[:60]!r}, which no proposition has"
        raise InputError(f"{problem}; put propositions before what names them", subject=what)
    return literal


def _relation(db: sqlite3.Connection, line: RelationLine, question: int) -> int:
    texts = (line.source, line.other, line.target)
    ends = [_literal(db, text, "relation") if text else 0 for text in texts]
    verifier = None if line.verifier is None else model_number(db, "verifier", line.verifier)
    kind = CONTRADICTION if line.says == "contradiction" else ENTAILMENT
    cursor = db.execute(
        "INSERT OR IGNORE INTO relations (source, other, target, tree, kind, verifier, contradiction, "
        "neutral, entailment, weight, question) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*ends, line.tree, kind, verifier, *(line.distribution or (None,) * 3), line.weight, question),
    )
    return cursor.rowcount
