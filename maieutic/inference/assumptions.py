"""The user's own facts: what is taken for certain while a question is weighed.

An assumption is a proposition with a hard clause. The verifier relates it to the forms of the tree, and these
relations count in full, by the verifier's own log-odds: unlike a model's explanations, a user's facts are
neither overconfident nor one of many of the same kind. One whose text is that of an explanation, or of its
negation, settles that explanation too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.errors import InputError
from maieutic.inference.constraints import Constraint, relations
from maieutic.relate import opposite
from maieutic.text import as_question, same_text
from maieutic.tree import ROOT, Tree, taking_part

if TYPE_CHECKING:
    from maieutic.inference.weights import JointWeights
    from maieutic.relate import BeliefGraph

__all__ = ["Assumption", "assumed", "assumptions_of", "settled"]


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
            raise InputError(f"the id {self.id!r} of an assumption is not A1, A2, …")

    @property
    def name(self) -> str:
        """The form that holds: "A1", or "¬A1"."""
        return self.id if self.holds else f"¬{self.id}"


def assumptions_of(true: Sequence[str] = (), false: Sequence[str] = ()) -> tuple[Assumption, ...]:
    """What the user takes for true and for false; what is given twice counts once.

    Raises:
        InputError: a text is empty, too long or a question, or is taken for both.
    """
    found: list[Assumption] = []
    for holds, texts in ((True, true), (False, false)):
        for text in texts:
            statement = _statement(text)
            twin = next((a for a in found if same_text(a.statement, statement)), None)
            if twin is None:
                found.append(Assumption(f"A{len(found) + 1}", statement, holds))
            elif twin.holds != holds:
                raise InputError(f"{statement!r} is assumed to be both true and false; leave one of them out")
    return tuple(found)


def settled(tree: Tree, assumptions: Sequence[Assumption], *, pruned: bool = False) -> tuple[str, ...]:
    """The forms that must hold: each assumption, and what in the tree has the text of one.

    Args:
        pruned: whether pruned propositions take part.

    Raises:
        InputError: an assumption is the statement asked about, or its negation; or two of them are an
            explanation and its negation. The message names them.
    """
    held = {assumption.name: assumption for assumption in assumptions}
    for node in (tree.root, *taking_part(tree, pruned=pruned)):
        forms = ((node.id, node.statement), (opposite(node.id), node.negation))
        same = [
            (form, a) for form, text in forms for a in assumptions if text and same_text(a.statement, text)
        ]
        for form, assumption in same:
            if node.id == ROOT:
                raise InputError(
                    f"the assumption {assumption.statement!r} is what was asked about; leave it out"
                )
            name = form if assumption.holds else opposite(form)
            if opposite(name) in held:
                raise InputError(
                    f"the assumptions {held[opposite(name)].statement!r} and {assumption.statement!r} say "
                    f"opposite things of {node.statement!r}; leave one of them out"
                )
            held.setdefault(name, assumption)
    return tuple(held)


def assumed(
    graph: BeliefGraph, assumptions: Sequence[Assumption], weights: JointWeights
) -> Iterator[Constraint]:
    """What the verifier's relations with assumptions ask for; of several that ask the same, the likeliest.

    A relation that holds whatever the other proposition's label says nothing and is left out.
    """
    facts = {assumption.id: assumption.holds for assumption in assumptions}
    best: dict[frozenset[str], Constraint] = {}
    for constraint in relations(graph, weights.strength):
        source, target = constraint.source, constraint.target or ""
        if not facts.keys() & {source.removeprefix("¬"), target.removeprefix("¬")}:
            continue
        clause = frozenset(
            (opposite(source), opposite(target) if constraint.kind == "contradiction" else target)
        )
        if any(facts.get(name.removeprefix("¬")) == (not name.startswith("¬")) for name in clause):
            continue
        if clause not in best or best[clause].weight < constraint.weight:
            best[clause] = constraint
    yield from best.values()


def _statement(text: str) -> str:
    try:
        statement = as_question(text)
    except InputError as error:
        raise InputError(f"an assumption: {error}") from None
    if statement.endswith("?"):
        raise InputError(f"the assumption {statement!r} is a question; give a statement")
    return statement
