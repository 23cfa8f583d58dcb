"""A choice and a check as a host shows them: plain data, a handful of sentences. All text is printable."""

from __future__ import annotations

from dataclasses import dataclass

from maieutic.problem.checking import Check
from maieutic.problem.choosing import Choice
from maieutic.problem.reasons import claim_reasons
from maieutic.render.text import printable

__all__ = [
    "CheckSummary",
    "CheckedStatement",
    "ChoiceSummary",
    "Option",
    "Reason",
    "check_summary",
    "choice_summary",
]

SHOWN_REASONS = 3  # for each option or statement
SHOWN_CONFLICTS = 10


@dataclass(frozen=True)
class Reason:
    """What speaks for a claim or against it.

    Attributes:
        held: whether the text itself is taken for true.
        moves: change of P(claim), in [-1, 1]; below 0 it speaks against it.
    """

    text: str
    held: bool
    moves: float


@dataclass(frozen=True)
class Option:
    """An option of a question.

    Attributes:
        statement: what says that it is the answer.
        p: P(this option is the true one) in [0, 1]; None where it is not known exactly.
    """

    text: str
    statement: str
    p: float | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class ChoiceSummary:
    """The answer to a question with options.

    Attributes:
        choice: the text of the chosen option.
        unsure: whether another option is as good, or the choice means nothing.
        options: in the order given; their probabilities sum to 1.
        warnings: what makes the choice doubtful.
    """

    choice: str
    unsure: bool
    options: tuple[Option, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class CheckedStatement:
    """A statement that was checked with others.

    Attributes:
        held: whether it is true in what fits together best; False: it is given up.
        p_true: P(it is true) in [0, 1]; None where it is not known exactly.
    """

    text: str
    held: bool
    p_true: float | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class CheckSummary:
    """Whether statements hang together.

    Attributes:
        hangs_together: whether no conflict stands.
        conflicts: the smallest sets of statements and facts that cannot all be true.
        more_conflicts: whether there are more than are listed.
        give_up: the cheapest statements without which the rest can be true.
    """

    hangs_together: bool
    statements: tuple[CheckedStatement, ...]
    conflicts: tuple[tuple[str, ...], ...]
    more_conflicts: bool
    give_up: tuple[str, ...]


def choice_summary(choice: Choice) -> ChoiceSummary:
    """What a host shows of a choice."""
    return ChoiceSummary(
        printable(choice.chosen.text),
        choice.unsure,
        tuple(
            Option(printable(one.text), printable(one.statement), one.p, _reasons(choice, one.claim))
            for one in choice.options
        ),
        tuple(map(printable, choice.warnings)),
    )


def check_summary(check: Check) -> CheckSummary:
    """What a host shows of a check; reasons stand beside the statements that are given up."""
    texts = check.settled.texts
    statements = tuple(
        CheckedStatement(printable(one.text), one.held, one.p, () if one.held else _reasons(check, one.claim))
        for one in check.statements
    )
    conflicts = [tuple(printable(texts[one.id]) for one in each) for each in check.conflicts.sets]
    return CheckSummary(
        check.hangs_together,
        statements,
        tuple(conflicts[:SHOWN_CONFLICTS]),
        check.conflicts.more or len(conflicts) > SHOWN_CONFLICTS,
        tuple(printable(texts[one.id]) for one in check.conflicts.given_up),
    )


def _reasons(found: Choice | Check, claim: str) -> tuple[Reason, ...]:
    told = claim_reasons(found.settled, claim, SHOWN_REASONS)
    return tuple(Reason(printable(one.text), one.held, one.moves) for one in told)
