"""What a memory did for one answer, for results and all their outputs."""

from __future__ import annotations

from dataclasses import dataclass

from maieutic.tree import Probability

__all__ = ["Change", "MemoryNotes"]


@dataclass(frozen=True, slots=True)
class Change:
    """An earlier answer, or an asserted or remembered proposition, that has another label now.

    Attributes:
        before, after: its truth value; ``p_before``, ``p_after``: P(true) in [0, 1], None where it is not
            known exactly.
        why: what speaks for the new label, the heaviest first, as sentences.
        answer: whether somebody asked about it; else it is an explanation.
    """

    statement: str
    before: bool
    after: bool
    p_before: Probability | None
    p_after: Probability | None
    why: tuple[str, ...] = ()
    answer: bool = True


@dataclass(frozen=True, slots=True)
class MemoryNotes:
    """What a memory did for one answer.

    Attributes:
        recalled: propositions of before that took part; ``facts``: certain ones that did.
        shown: facts that the language model was shown in its prompts.
        idle: facts that took part and touch nothing: no relation with the question or an explanation.
        left_out: propositions that share words but exceed the limits.
        changed: earlier answers that changed.
        changed_explanations: how many propositions that nobody asked about changed too.
        settled_by: the fact that is the statement or its negation; "" for none.
        warnings: what was left out or comes from other models, one sentence each.
    """

    recalled: int = 0
    facts: int = 0
    shown: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    left_out: int = 0
    changed: tuple[Change, ...] = ()
    changed_explanations: int = 0
    settled_by: str = ""
    warnings: tuple[str, ...] = ()
