"""What a memory did for an answer, in words: the same sentences in every output."""

from __future__ import annotations

from collections.abc import Iterator

from maieutic.memory.notes import Change, MemoryNotes
from maieutic.render.phrases import counted, quoted
from maieutic.render.text import printable

__all__ = ["change_line", "memory_lines"]

SHOWN = 10  # changes that are listed at most


def memory_lines(notes: MemoryNotes | None) -> Iterator[str]:
    """The sentences, without the warnings; every text is printable."""
    if notes is None:
        return
    if notes.settled_by:
        yield f"A remembered fact decides it: {quoted(notes.settled_by)}"
    yield f"Memory: {counted(notes.recalled, 'proposition')} and {counted(notes.facts, 'fact')} took part"
    if notes.shown:
        yield f"Facts that the model was shown: {', '.join(map(quoted, notes.shown))}"
    elif notes.facts:
        yield "The facts were not shown to the model: its prompts have no place for them, or all are denials"
    for fact in notes.idle:
        yield f"A fact that touches nothing here: {quoted(fact)}"
    for change in notes.changed[:SHOWN]:
        yield change_line(change)
    if len(notes.changed) > SHOWN:
        yield f"… and {counted(len(notes.changed) - SHOWN, 'more earlier answer')} changed"
    if notes.changed_explanations:
        yield f"{counted(notes.changed_explanations, 'remembered explanation')} changed too"


def change_line(change: Change) -> str:
    """What changed, and why."""
    what = "Earlier answer" if change.answer else "Remembered proposition"
    before, after = (
        f"{str(label).lower()}{'' if p is None else f' (P(true) {p:.2f})'}"
        for label, p in ((change.before, change.p_before), (change.after, change.p_after))
    )
    why = f", since {printable(change.why[0])}" if change.why else ""
    return f"{what} changed: {quoted(change.statement)} was {before}, is {after} now{why}"
