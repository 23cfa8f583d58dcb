"""The lines of ``maieutic memory``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maieutic.render.text import printable

if TYPE_CHECKING:
    from maieutic.memory.choices import KnownChoice
    from maieutic.memory.facts import KnownFact
    from maieutic.memory.notes import Change
    from maieutic.memory.why import Tie, Why

__all__ = ["change_lines", "choice_line", "fact_line", "why_lines"]

SHOWN = 20  # lines of one kind at most


def fact_line(fact: KnownFact) -> str:
    """A fact with its truth, source and time; one that touches nothing is said to be unused."""
    unused = "; unused: it touches nothing" if fact.unused else ""
    made = f"{printable(fact.source)}, {_date(fact.time)}"
    return f"{str(fact.holds).lower():5}  {printable(fact.statement)}  ({made}{unused})"


def choice_line(choice: KnownChoice) -> str:
    """A choice with its options and their truth values."""
    options = "; ".join(f"{printable(text)} ({_truth(label)})" for text, label in choice.options)
    return f"exactly one answer to “{printable(choice.question)}” is true: {options} ({_date(choice.time)})"


def change_lines(changes: Sequence[Change]) -> Iterator[str]:
    """What changed, answers first."""
    from maieutic.render.memory import change_line

    ordered = sorted(changes, key=lambda change: not change.answer)
    yield from map(change_line, ordered[:SHOWN])
    if len(changes) > SHOWN:
        yield f"… and {len(changes) - SHOWN:,} more"


def why_lines(found: Why) -> Iterator[str]:
    """What a memory holds of a statement."""
    p = "" if found.p is None else f", P(true) {found.p:.2f}"
    label = "never solved" if found.label is None else str(found.label).lower()
    yield f"{printable(found.statement)}  {label}{p}"
    if found.fact is not None:
        yield f"a fact ({printable(found.fact_source)}): {str(found.fact).lower()}"
    origin = f", of the question “{printable(found.origin)}”" if found.origin else ""
    yield f"entered {_date(found.time)}{origin}"
    if found.lm:
        yield f"what {printable(found.lm)} believes of it: {found.odds:+.2f} nats"
    for title, side in (("Speaks for it", True), ("Speaks against it", False), ("Says nothing now", None)):
        ties = [tie for tie in found.ties if tie.supports is side]
        if ties:
            yield f"{title}:"
            yield from map(_tie, ties[:SHOWN])
        if len(ties) > SHOWN:
            yield f"  … and {len(ties) - SHOWN:,} weaker"
    yield from map(choice_line, found.choices)
    for question, change in found.changes:
        yield f"{next(change_lines([change]))} (after “{printable(question)}”)"


def _tie(tie: Tie) -> str:
    said = " and ".join(f"“{printable(text)}” ({_truth(truth)})" for text, truth in tie.statements)
    return f"  {tie.weight:5.2f} nats  {said}"


def _truth(label: bool | None) -> str:
    return "unsolved" if label is None else str(label).lower()


def _date(seconds: int) -> str:
    """
    >>> _date(0)
    '1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
