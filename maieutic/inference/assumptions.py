"""The user's own facts: statements taken for true or false while a question is weighed.

An assumption is a proposition with a hard clause. The verifier relates it to the forms of the tree. An
assumption whose text is that of an explanation, or of its negation, fixes that explanation's label too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.errors import InputError
from maieutic.inference.graph import Literal
from maieutic.text import as_question, same_text
from maieutic.tree import ROOT, Tree, taking_part

__all__ = ["Assumption", "assumptions_of", "fixed_literals"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A statement that the user takes for true, or for false.

    Attributes:
        id: "A1", "A2", … in the order given.
        holds: whether the statement is taken for true.

    Raises:
        InputError: the id is not of that form.
    """

    id: str
    statement: str
    holds: bool

    def __post_init__(self) -> None:
        if re.fullmatch("A[1-9][0-9]*", self.id) is None:
            raise InputError(f"the id {self.id!r} of an assumption must be A1, A2, …", subject="id")

    @property
    def literal(self) -> Literal:
        """The form that holds: A1, or ¬A1."""
        return Literal(self.id, self.holds)


def assumptions_of(true: Sequence[str] = (), false: Sequence[str] = ()) -> tuple[Assumption, ...]:
    """The assumptions that these texts are true and those are false; a repeated text counts once.

    Raises:
        InputError: a text is empty, too long or a question, or is given as both true and false.
    """
    assumptions: list[Assumption] = []
    for holds, texts in ((True, true), (False, false)):
        for text in texts:
            statement = _statement(text)
            twin = next((a for a in assumptions if same_text(a.statement, statement)), None)
            if twin is None:
                assumptions.append(Assumption(f"A{len(assumptions) + 1}", statement, holds))
            elif twin.holds != holds:
                raise InputError(
                    f"{statement!r} is assumed to be both true and false; remove one of the two",
                    subject=statement,
                )
    return tuple(assumptions)


def fixed_literals(
    tree: Tree, assumptions: Sequence[Assumption], *, pruned: bool = False
) -> tuple[Literal, ...]:
    """The literals that must hold: each assumption, and each explanation that has the text of one.

    Args:
        pruned: whether pruned propositions take part.

    Raises:
        InputError: an assumption is the statement asked about, or its negation; or two of them are an
            explanation and its negation. The message names them.
    """
    fixed = {assumption.literal: assumption for assumption in assumptions}
    for node in (tree.root, *taking_part(tree, pruned=pruned)):
        literal = Literal(node.id)
        for form, text in ((literal, node.statement), (~literal, node.negation)):
            for assumption in assumptions:
                if not text or not same_text(assumption.statement, text):
                    continue
                if node.id == ROOT:
                    raise InputError(
                        f"the assumption {assumption.statement!r} is the statement asked about; remove it",
                        subject=assumption.statement,
                    )
                held = form if assumption.holds else ~form
                if ~held in fixed:
                    raise InputError(
                        f"the assumptions {fixed[~held].statement!r} and {assumption.statement!r} "
                        f"contradict each other on {node.statement!r}; remove one of them",
                        subject=assumption.statement,
                    )
                fixed.setdefault(held, assumption)
    return tuple(fixed)


def _statement(text: str) -> str:
    try:
        statement = as_question(text)
    except InputError as error:
        raise InputError(f"an assumption: {error}", subject=text) from None
    if statement.endswith("?"):
        raise InputError(f"the assumption {statement!r} is a question; give a statement", subject=statement)
    return statement
