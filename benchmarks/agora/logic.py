"""What one sentence of Agora says of another, by all the ways that the world could be.

Sentences are joined literals. The one law is that of a chain: if a thing belongs to a group, what is said
of the group's members in general is so of the thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

__all__ = ["Formula", "Label", "Literals", "relation"]

Label = Literal["contradiction", "neutral", "entailment"]
Literals = tuple[tuple[str, str, str, bool], ...]  # kind, subject, what is said of it, whether it is affirmed


@dataclass(frozen=True, slots=True)
class Formula:
    """A sentence: all of its literals hold, or (the negation of a chain) at least one.

    Attributes:
        literals: of the kinds "member" (thing, group), "fact" (group, property), "end" (thing, property).
    """

    literals: Literals
    every: bool = True

    def negated(self) -> Formula:
        """What is true exactly when this is false."""
        opposite = tuple((kind, one, other, not sign) for kind, one, other, sign in self.literals)
        return Formula(opposite, not self.every)


def relation(premise: Formula, hypothesis: Formula) -> Label:
    """How the hypothesis stands to the premise, whatever the things, groups and properties are called."""
    one, other = _renamed((premise, hypothesis))
    return _relation(one, other)


def _renamed(formulas: Sequence[Formula]) -> list[Formula]:
    """The formulas with names numbered in the order in which they occur, so that few are different."""
    numbers: dict[str, str] = {}
    renamed = []
    for formula in formulas:
        literals: list[tuple[str, str, str, bool]] = []
        for kind, subject, said, sign in formula.literals:
            one, other = (numbers.setdefault(name, str(len(numbers))) for name in (subject, said))
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
        way = dict(zip(names, values, strict=True))
        if all(not way[member] or way[fact] == way[end] for member, fact, end in laws) and _holds(
            premise, way
        ):
            truths.add(_holds(hypothesis, way))
    return "neutral" if len(truths) == 2 else "entailment" if True in truths else "contradiction"


def _holds(formula: Formula, way: dict[tuple[str, str, str], bool]) -> bool:
    told = (way[kind, subject, said] == sign for kind, subject, said, sign in formula.literals)
    return all(told) if formula.every else any(told)
