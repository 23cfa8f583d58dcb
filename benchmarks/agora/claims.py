"""Claims about the world, their negations and questions, and the chains that explain them.

Three kinds of claim have a known truth value: a *membership* ("a spoon is made of steel"), a *group
fact* ("things made of steel sink in water") and a *derived* claim, which follows from one of each. A
membership is false only if the world refutes it: the group has properties that the thing is known to lack,
or lacks properties that the thing is known to have. A membership that is merely not listed is unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
    "split_in",
    "split_of",
    "things_of",
]

Split = Literal["train", "dev", "test"]
SPLITS: Mapping[Split, int] = {"train": 60, "dev": 10, "test": 30}  # percent of the benchmark's things
EVERYDAY_SPLITS: Mapping[Split, int] = {"train": 85, "dev": 5, "test": 10}  # of those of the everyday tables

REFUTING = 2  # number of properties in which a thing must differ from a group that it is outside of

# Wordings of a sentence; {} is the bare clause.
FRAMES = ("{}", "in general, {}", "it is a fact that {}", "everyone knows that {}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about one subject, affirmed or negated.

    Attributes:
        many: whether the subject is plural.
        affirmed: whether the statement is affirmed or negated.
        holds: whether the affirmed form is true.
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
        """Whether the claim, as affirmed or negated, is true."""
        return self.affirmed == self.holds

    @property
    def clause(self) -> str:
        """The bare clause, without frame, capital and full stop: "a spoon floats in water"."""
        return f"{self.subject} {self.verb.phrase(self.affirmed, many=self.many)}"

    @property
    def text(self) -> str:
        """The claim as a sentence."""
        return sentence(FRAMES[self.frame].format(self.clause))

    @property
    def question(self) -> str:
        """The yes/no question whose answer yes asserts the affirmed form."""
        return self.verb.question(self.subject, many=self.many)

    def negated(self) -> Claim:
        """The claim that is true exactly when this one is false."""
        return replace(self, affirmed=not self.affirmed)

    def correct(self) -> Claim:
        """The claim if it is true, else its negation."""
        return replace(self, affirmed=self.holds)

    def framed(self, frame: int) -> Claim:
        """The same claim in another wording."""
        return replace(self, frame=frame)


@dataclass(frozen=True, slots=True)
class Chain:
    """An explanation: the conjunction of a membership and a group fact.

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
        """Whether both parts are true."""
        return self.member.truth and self.fact.truth

    @property
    def clause(self) -> str:
        """The clause, as it reads after "because"."""
        return f"{self.member.clause}, and {self.fact.clause}"

    @property
    def text(self) -> str:
        """The chain as a sentence."""
        return sentence(self.clause)

    @property
    def negation(self) -> str:
        """The sentence that is true exactly when the chain is false."""
        return sentence(f"{self.member.negated().clause}, or {self.fact.negated().clause}")


def membership(world: World, thing: str, group: str, holds: bool) -> Claim:
    """The claim that a thing belongs to a group; the caller knows whether it holds (:func:`refuted`)."""
    return Claim(thing, False, world.groups[group].verb, True, holds)


def group_fact(world: World, group: str, property_id: str) -> Claim:
    """The claim that the members of a group have a property; the table must say whether they do."""
    holds = world.groups[group].properties[property_id]
    return Claim(world.groups[group].members, True, world.properties[property_id].verb, True, holds)


def derived(world: World, thing: str, property_id: str) -> Claim:
    """The claim that a thing has a property.

    Raises:
        KeyError: the world does not know whether it has.
    """
    truth = world.truth(thing, property_id)
    if truth is None:
        raise KeyError((thing, property_id))
    return Claim(thing, False, world.properties[property_id].verb, True, truth)


def chain(world: World, way: Derivation) -> Chain:
    """The true explanation of a derivation."""
    fact = group_fact(world, way.group, way.property).correct()
    return Chain(membership(world, way.thing, way.group, True), fact)


def refuted(world: World, thing: str, group: str) -> bool:
    """Whether the world knows that a thing is outside a group.

    That is so if the thing differs from the group in at least ``REFUTING`` properties. Properties that are
    exceptions of the thing do not count, since they may differ from those of its own groups.
    """
    if group in world.things[thing].groups:
        return False
    return len(world.derived_of[thing] & world.opposites[group]) >= REFUTING


def split_of(thing: str, shares: Mapping[Split, int] = SPLITS) -> Split:
    """The split of a thing and of all its derived claims, by a hash of its name.

    Args:
        shares: of the splits, in percent.

    >>> split_of("a penguin") == split_of("a penguin")
    True
    """
    bucket = int.from_bytes(hashlib.sha256(thing.encode()).digest()[:8], "big") % 100
    for split, percent in shares.items():
        if bucket < percent:
            return split
        bucket -= percent
    raise AssertionError("the shares of the splits sum to 100")


def split_in(world: World, thing: str) -> Split:
    """The split of a thing of a world: most things of the everyday tables are trained on."""
    return split_of(thing, EVERYDAY_SPLITS if world.things[thing].everyday else SPLITS)


def check_split(name: str) -> Split:
    """The split of that name.

    Raises:
        InputError: there is no such split.
    """
    for split in SPLITS:
        if split == name:
            return split
    names = ", ".join(SPLITS)
    raise InputError(f"no split is named {name!r}; give one of {names}", subject="split")


def things_of(world: World, split: Split) -> Sequence[str]:
    """The names of the things in a split, in the order of the world."""
    return [name for name in world.things if split_in(world, name) == split]
