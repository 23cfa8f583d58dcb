"""A problem: claims, each with or without a tree, and hard constraints between them.

Claims are named by their ids. The constraints are facts, groups of which exactly one or at most one is true,
implications and equivalences:

>>> problem = Problem.of(["A whale is a fish.", "A whale is a mammal."], [ExactlyOne(("C1", "C2"))])
>>> [claim.id for claim in problem.claims], problem.constraints[0].describe(problem.statements)
(['C1', 'C2'], "exactly one of 'A whale is a fish.', 'A whale is a mammal.' is true")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from maieutic.errors import InputError
from maieutic.inference.constraints import Rule
from maieutic.inference.graph import CLAIM_ID, Literal
from maieutic.text import as_question, shortened
from maieutic.tree import ROOT, Proposition, Tree

__all__ = [
    "AtMostOne",
    "Claim",
    "ClaimConstraint",
    "Equivalent",
    "ExactlyOne",
    "Fact",
    "Implies",
    "Problem",
    "bare_tree",
]


def bare_tree(statement: str, negation: str = "") -> Tree:
    """The tree of a claim that nobody was asked about: its statement, with unknown beliefs."""
    return Tree(statement, statement, negation, (Proposition(ROOT, None, statement, negation),))


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that is true or false, with what is known of it.

    Attributes:
        id: "Q", or a capital letter and a number from 1.
        tree: its tree of explanations; without nodes but the root for a claim that has none.
        asserted: nats for "it is true" before anything is known, such as what a text asserts deserves; below
            0 for "it is false".
        premise: whether it is used as a premise only and never judged, such as a sentence of a document.
        name: what tells it from the others of its group, such as the text of an option; "" for nothing.

    Raises:
        InputError: the id has another form.
    """

    id: str
    tree: Tree
    asserted: float = 0.0
    premise: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if CLAIM_ID.fullmatch(self.id) is None:
            problem = f"the id {self.id!r} of a claim must be Q, or a capital letter and a number: C1"
            raise InputError(problem, subject="id")

    @property
    def statement(self) -> str:
        """What is true or false."""
        return self.tree.statement


@dataclass(frozen=True, slots=True)
class Fact:
    """A claim that is taken for true, or for false."""

    claim: str
    holds: bool = True

    @property
    def ids(self) -> tuple[str, ...]:
        """The claims that it is about; likewise for the other constraints."""
        return (self.claim,)

    @property
    def rule(self) -> Rule:
        """The constraint in literals; likewise for the others."""
        return Rule("clause", (Literal(self.claim, self.holds),))

    def describe(self, statements: Mapping[str, str]) -> str:
        """The constraint in words; likewise for the others."""
        return f"{statements[self.claim]!r} is {str(self.holds).lower()}"


@dataclass(frozen=True, slots=True)
class _Group:
    claims: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return self.claims

    @property
    def literals(self) -> tuple[Literal, ...]:
        """The claims as literals."""
        return tuple(map(Literal, self.claims))


class ExactlyOne(_Group):
    """Claims of which exactly one is true."""

    @property
    def rule(self) -> Rule:
        return Rule("exactly-one", self.literals)

    def describe(self, statements: Mapping[str, str]) -> str:
        listed = ", ".join(repr(statements[claim]) for claim in self.claims)
        return f"exactly one of {listed} is true"


class AtMostOne(_Group):
    """Claims of which at most one is true."""

    @property
    def rule(self) -> Rule:
        return Rule("at-most-one", self.literals)

    def describe(self, statements: Mapping[str, str]) -> str:
        listed = ", ".join(repr(statements[claim]) for claim in self.claims)
        return f"at most one of {listed} is true"


@dataclass(frozen=True, slots=True)
class Implies:
    """If the one claim is true, the other is."""

    claim: str
    then: str

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.claim, self.then)

    @property
    def rule(self) -> Rule:
        return Rule("clause", (~Literal(self.claim), Literal(self.then)))

    def describe(self, statements: Mapping[str, str]) -> str:
        return f"{statements[self.claim]!r} implies {statements[self.then]!r}"


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Two claims are both true or both false."""

    claim: str
    other: str

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.claim, self.other)

    @property
    def rule(self) -> Rule:
        return Rule("exactly-one", (Literal(self.claim), ~Literal(self.other)))

    def describe(self, statements: Mapping[str, str]) -> str:
        return f"{statements[self.claim]!r} and {statements[self.other]!r} are equivalent"


ClaimConstraint: TypeAlias = Fact | ExactlyOne | AtMostOne | Implies | Equivalent


@dataclass(frozen=True)
class Problem:
    """Claims and the hard constraints between them.

    Raises:
        InputError: there is no claim, two have the same id, a constraint names one that is not there or one
            twice, or a group is empty. ``subject`` is the id, or "claims".
    """

    claims: tuple[Claim, ...]
    constraints: tuple[ClaimConstraint, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "claims", tuple(self.claims))
        object.__setattr__(self, "constraints", tuple(self.constraints))
        if not self.claims:
            raise InputError("a problem needs at least one claim", subject="claims")
        ids = [claim.id for claim in self.claims]
        if twice := next((one for one in ids if ids.count(one) > 1), None):
            raise InputError(f"two claims have the id {twice}; give each its own", subject=twice)
        for constraint in self.constraints:
            kind = type(constraint).__name__
            if not constraint.ids:
                raise InputError(f"{kind} has no claims; name some", subject="claims")
            for claim in constraint.ids:
                if claim not in ids:
                    known = ", ".join(ids[:8])
                    raise InputError(f"{kind} names {claim}, but the claims are {known}", subject=claim)
                if constraint.ids.count(claim) > 1:
                    raise InputError(f"{kind} names {claim} twice; name it once", subject=claim)

    @classmethod
    def of(
        cls,
        claims: Iterable[str | Tree],
        constraints: Iterable[ClaimConstraint] = (),
        *,
        asserted: float = 0.0,
    ) -> Problem:
        """The problem of statements and trees, as claims C1, C2, …

        Raises:
            InputError: a statement is empty or too long, or as for the class.
        """
        trees = [bare_tree(as_question(one)) if isinstance(one, str) else one for one in claims]
        named = tuple(Claim(f"C{number}", tree, asserted) for number, tree in enumerate(trees, 1))
        return cls(named, tuple(constraints))

    def __repr__(self) -> str:
        """One line, without the trees."""
        first = shortened(self.claims[0].statement)
        return f"<Problem {len(self.claims)} claims, {len(self.constraints)} constraints: {first}>"

    @cached_property
    def statements(self) -> Mapping[str, str]:
        """Id → statement."""
        return {claim.id: claim.statement for claim in self.claims}

    @cached_property
    def facts(self) -> Mapping[str, bool]:
        """Ids of the claims that are taken for true or for false; the last word counts."""
        return {one.claim: one.holds for one in self.constraints if isinstance(one, Fact)}

    @cached_property
    def groups(self) -> Sequence[ExactlyOne]:
        """The groups of which exactly one is true."""
        return [one for one in self.constraints if isinstance(one, ExactlyOne)]
