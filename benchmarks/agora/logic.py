"""The logical relation of two sentences of Agora, by enumeration of truth assignments.

A sentence is a conjunction or disjunction of literals. There is one law, that of a chain: if a thing belongs
to a group, then a group fact is true exactly when it is true of the thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

__all__ = ["Formula", "Label", "Literals", "relation"]

Label = Literal["contradiction", "neutral", "entailment"]
Atom = tuple[str, str, str]
Assignment = dict[Atom, bool]
Literals = tuple[tuple[str, str, str, bool], ...]  # kind, subject, predicate, whether it is affirmed


@dataclass(frozen=True, slots=True)
class Formula:
    """A conjunction of literals or, for the negation of a chain, a disjunction.

    Attributes:
        literals: of kind "member" (thing, group), "fact" (group, property) or "end" (thing, property).
        every: True for a conjunction, False for a disjunction.
    """

    literals: Literals
    every: bool = True

    def negated(self) -> Formula:
        """The formula that is true exactly when this one is false."""
        opposite = tuple((kind, one, other, not sign) for kind, one, other, sign in self.literals)
        return Formula(opposite, not self.every)


def relation(premise: Formula, hypothesis: Formula) -> Label:
    """The relation of a hypothesis to a premise; it does not depend on names."""
    one, other = _renamed((premise, hypothesis))
    return _relation(one, other)


def _renamed(formulas: Sequence[Formula]) -> list[Formula]:
    """The formulas with names replaced by numbers in order of occurrence, so that the cache can be small."""
    numbers: dict[str, str] = {}
    renamed = []
    for formula in formulas:
        literals: list[tuple[str, str, str, bool]] = []
        for kind, subject, predicate, sign in formula.literals:
            one, other = (numbers.setdefault(name, str(len(numbers))) for name in (subject, predicate))
            literals.append((kind, one, other, sign))
        renamed.append(Formula(tuple(literals), formula.every))
    return renamed


@cache
def _relation(premise: Formula, hypothesis: Formula) -> Label:
    atoms = dict.fromkeys(literal[:3] for formula in (premise, hypothesis) for literal in formula.literals)
    laws = [
        (member, fact, ("end", member[1], fact[2]))
        for member, fact in product(atoms, repeat=2)
        if member[0] == "member" and fact[0] == "fact" and member[2] == fact[1]
    ]
    names = list(dict.fromkeys([*atoms, *(end for *_, end in laws)]))
    truths = set()
    for values in product((True, False), repeat=len(names)):
        assignment = dict(zip(names, values, strict=True))
        if _lawful(assignment, laws) and _holds(premise, assignment):
            truths.add(_holds(hypothesis, assignment))
    return "neutral" if len(truths) == 2 else "entailment" if True in truths else "contradiction"


def _lawful(assignment: Assignment, laws: Sequence[tuple[Atom, Atom, Atom]]) -> bool:
    return all(not assignment[member] or assignment[fact] == assignment[end] for member, fact, end in laws)


def _holds(formula: Formula, assignment: Assignment) -> bool:
    values = (assignment[kind, one, other] == sign for kind, one, other, sign in formula.literals)
    return all(values) if formula.every else any(values)
