"""An answer as a host shows it: plain data, a handful of sentences. All text in it is printable."""

from __future__ import annotations

from dataclasses import dataclass

from maieutic.answer import Answer
from maieutic.render.phrases import SHOWN_FOR, Phrases
from maieutic.render.text import printable
from maieutic.tree import ROOT

__all__ = ["Explanation", "Summary", "summary_of"]

SHOWN_AGAINST = 3  # sentences at most


@dataclass(frozen=True)
class Explanation:
    """A proposition that took part, other than the statement asked about.

    Attributes:
        id: QT0, QT1, … where the model gave it for the statement, QF0, … against it, A1, … where you did.
        holds: whether it is taken for true.
        p_true: P(it is true) after reasoning, in [0, 1]; None where the inference gives none.
    """

    id: str
    statement: str
    holds: bool
    p_true: float | None


@dataclass(frozen=True)
class Summary:
    """An answer, how sure it is, and the sentences for it and against it, the strongest first.

    Attributes:
        statement: what is held true or false; of a question, its declarative form.
        answer: whether the statement is held true.
        p_true: P(statement is true) in [0, 1]; None where the inference gives none.
        unsure: whether the answer is less probable than was asked for, or means nothing.
        reasons: for the answer; "reason 2" in a sentence is the second of them.
        objections: what does not support the answer, and why it did not win.
        warnings: what makes the answer doubtful.
    """

    statement: str
    answer: bool
    p_true: float | None
    unsure: bool
    reasons: tuple[str, ...]
    objections: tuple[str, ...]
    explanations: tuple[Explanation, ...]
    warnings: tuple[str, ...]


def summary_of(answer: Answer) -> Summary:
    """What a host shows of an answer."""
    phrases = Phrases(answer)
    helping, other = phrases.sides
    chances = answer.verdict.p_labels or {}
    said = [node for node in answer.propositions if node.id != ROOT and node.id in answer.labels]
    return Summary(
        statement=printable(answer.statement),
        answer=answer.answer,
        p_true=answer.p_true,
        unsure=answer.unsure,
        reasons=tuple(phrases.sentence(one) + phrases.otherwise(one) for one in helping[:SHOWN_FOR]),
        objections=tuple(phrases.overruled(one) + phrases.otherwise(one) for one in other[:SHOWN_AGAINST]),
        explanations=tuple(
            Explanation(node.id, printable(node.statement), answer.labels[node.id], chances.get(node.id))
            for node in said
        ),
        warnings=tuple(map(printable, answer.warnings)),
    )
