"""What can be said of the world: claims, their negations and questions, and chains that explain them.

Three kinds of claim have a known truth value: a *membership* ("a spoon is made of steel"), a *group
fact* ("things made of steel sink in water") and a *derived* claim, which takes one of each. A membership
counts as false only where the world refutes it: when properties of the group are ones that the thing is known
to lack, or the reverse. That a membership is not listed says nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from maieutic.benchmarks.agora.english import VerbPhrase, sentence
from maieutic.benchmarks.agora.world import Derivation, World
from maieutic.errors import InputError

__all__ = [
    "FRAMES",
    "SPLITS",
    "Chain",
    "Claim",
    "Split",
    "chain",
    "check_split",
    "derived",
    "group_fact",
    "membership",
    "refuted",
    "split_of",
    "things_of",
]

Split = Literal["train", "dev", "test"]
SPLITS: tuple[tuple[Split, int], ...] = (("train", 60), ("dev", 10), ("test", 30))  # percent of things

REFUTING = 2  # properties in which a thing must differ from a group to be known to be outside of it

# Ways to put a sentence; {} is the bare clause.
FRAMES = ("{}", "in general, {}", "it is a fact that {}", "everyone knows that {}")


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing said of one subject, in the affirmative or the negative.

    Attributes:
        many: the subject is a plural.
        affirmed: whether it is said or denied; ``holds``: whether the affirmed form is true.
        frame: index into :data:`FRAMES`.
    """

    subject: str
    many: bool
    verb: VerbPhrase
    affirmed: bool
    holds: bool
    frame: int = 0

    @property
    def truth(self) -> bool:
        """Whether what it says is so."""
        return self.affirmed == self.holds

    @property
    def clause(self) -> str:
        """It without capital, full stop and frame: "a spoon floats in water"."""
        return f"{self.subject} {self.verb.said(self.affirmed, many=self.many)}"

    @property
    def text(self) -> str:
        """It as a sentence."""
        return sentence(FRAMES[self.frame].format(self.clause))

    @property
    def question(self) -> str:
        """The yes/no question to which "yes" asserts the affirmed form."""
        return self.verb.asked(self.subject, many=self.many)

    def negated(self) -> Claim:
        """The claim that is true exactly when this one is false."""
        return replace(self, affirmed=not self.affirmed)

    def correct(self) -> Claim:
        """This claim if it is true, else its negation."""
        return replace(self, affirmed=self.holds)

    def framed(self, frame: int) -> Claim:
        """The same claim, put another way."""
        return replace(self, frame=frame)


@dataclass(frozen=True, slots=True)
class Chain:
    """An explanation: a membership and a group fact, joined; true when both are.

    >>> world_claim = Claim("a cork", False, VerbPhrase("is made of bark", "are made of bark"), True, True)
    >>> fact = Claim("things made of bark", True, VerbPhrase("floats", "float"), True, True)
    >>> Chain(world_claim, fact).text
    'A cork is made of bark, and things made of bark float.'
    >>> Chain(world_claim, fact).negation
    'A cork is not made of bark, or things made of bark do not float.'
    """

    member: Claim
    fact: Claim

    @property
    def truth(self) -> bool:
        """Whether both parts are so."""
        return self.member.truth and self.fact.truth

    @property
    def clause(self) -> str:
        """It as it reads after "because"."""
        return f"{self.member.clause}, and {self.fact.clause}"

    @property
    def text(self) -> str:
        """It as a sentence."""
        return sentence(self.clause)

    @property
    def negation(self) -> str:
        """The sentence that is true exactly when the chain is false."""
        return sentence(f"{self.member.negated().clause}, or {self.fact.negated().clause}")


def membership(world: World, thing: str, group: str, holds: bool) -> Claim:
    """That a thing belongs to a group; ``holds`` is the caller's knowledge, see :func:`refuted`."""
    return Claim(thing, False, world.groups[group].verb, True, holds)


def group_fact(world: World, group: str, property_id: str) -> Claim:
    """That the members of a group have a property that the table gives or denies them."""
    holds = world.groups[group].properties[property_id]
    return Claim(world.groups[group].members, True, world.properties[property_id].verb, True, holds)


def derived(world: World, thing: str, property_id: str) -> Claim:
    """That a thing has a property.

    Raises:
        KeyError: the world does not know.
    """
    truth = world.truth(thing, property_id)
    if truth is None:
        raise KeyError((thing, property_id))
    return Claim(thing, False, world.properties[property_id].verb, True, truth)


def chain(world: World, way: Derivation) -> Chain:
    """The true explanation that a derivation gives."""
    fact = group_fact(world, way.group, way.property).correct()
    return Chain(membership(world, way.thing, way.group, True), fact)


def refuted(world: World, thing: str, group: str) -> bool:
    """Whether the world knows that a thing is outside a group.

    It does when the thing differs from the group in at least ``REFUTING`` properties, those on which the
    thing is an exception anyway left out: what a table says of a group has its exceptions.
    """
    if group in world.things[thing].groups:
        return False
    return len(world.derived_of[thing] & world.opposites[group]) >= REFUTING


def split_of(thing: str) -> Split:
    """The split a thing belongs to, by a hash of its name: all its derived claims go there together.

    >>> split_of("a penguin") == split_of("a penguin")
    True
    """
    bucket = int.from_bytes(hashlib.sha256(thing.encode()).digest()[:8], "big") % 100
    for split, percent in SPLITS:
        if bucket < percent:
            return split
        bucket -= percent
    raise AssertionError("the percentages of SPLITS sum to 100")


def check_split(name: str) -> Split:
    """The split of that name.

    Raises:
        InputError: there is none.
    """
    for split, _ in SPLITS:
        if split == name:
            return split
    raise InputError(f"split must be one of {', '.join(split for split, _ in SPLITS)}, not {name!r}")


def things_of(world: World, split: Split) -> Sequence[str]:
    """The names of the things in a split, in the world's order."""
    return [name for name in world.things if split_of(name) == split]
