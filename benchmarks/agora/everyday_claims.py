"""Everyday claims for training: about things of the training split, in the words of somebody who asks.

Truth values are balanced for every property and every group, and most false claims are about a thing that
is like those of which they are true. Every claim comes with the reason for its truth value: a chain through
one of the thing's groups, mostly of the relation "is a", or, where there is none, the true form of the claim.
Things of the other splits occur through memberships and exceptions of their own rows only, and only as facts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from maieutic.benchmarks.agora.claims import (
    Chain,
    Claim,
    chain,
    derived,
    membership,
    refuted,
    split_in,
    things_of,
)
from maieutic.benchmarks.agora.draws import Names, weighted
from maieutic.benchmarks.agora.wording import in_someones_words, pluralized
from maieutic.benchmarks.agora.world import IS_A, World

__all__ = ["EverydayClaims", "Reasoned"]

SHORT_NAME = 4.0  # weight of a thing whose name is one noun, beside 1 of others: "a chair", "a wooden chair"
MEMBERSHIPS = 0.25  # share of memberships among the claims
KINDS = 0.7  # share of "is a" among memberships, and among the chains of claims that have one
ASKED_FACTS = 0.75  # share of facts about a thing of the training split that are like what is asked
NEGATED = 0.25  # share of claims asked in their negated form
EXCEPTIONS = 0.06  # share of claims about what a thing has or lacks unlike its kind
NEAR = 0.6  # share of false claims about a thing that is like those of which they are true: "a bat is a bird"
NEAREST = 0.2  # share of the things outside that are alike


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A claim in someone's words, and why it is true or false.

    Attributes:
        reason: a true chain, or the true form of the claim.
    """

    claim: Claim
    reason: Chain | Claim


class EverydayClaims:
    """Draws everyday claims about a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._stated = _by_length(list(world.things))

    def claim(self, rng: random.Random) -> Reasoned:
        """A claim about a thing of the training split."""
        name: str | None = None
        reason: Chain | None = None
        chance = rng.random()
        if chance < MEMBERSHIPS:
            pool = self._kinds if rng.random() < KINDS else self._other_groups
            group = pool.names.draw(rng)
            holds = rng.random() < 0.5
            plain = membership(self.world, pool.thing(group, holds, rng), group, holds)
        elif chance < MEMBERSHIPS + EXCEPTIONS:
            thing = self._exceptional.draw(rng)
            name = rng.choice(list(self.world.things[thing].exceptions))
            plain, reason = derived(self.world, thing, name), self._chain(thing, name, rng)
        else:
            name = self._properties.names.draw(rng)
            thing = self._properties.thing(name, rng.random() < 0.5, rng)
            plain, reason = derived(self.world, thing, name), self._chain(thing, name, rng)
        claim = in_someones_words(plain, name, rng)
        why = reason or claim.correct()
        if claim.many and isinstance(why, Chain):
            why = replace(why, member=pluralized(why.member))
        return Reasoned(claim.negated() if rng.random() < NEGATED else claim, why)

    def explained(self, rng: random.Random) -> Reasoned:
        """A claim of which the reason is a chain."""
        while True:
            asked = self.claim(rng)
            if isinstance(asked.reason, Chain):
                return asked

    def stated_exceptions(self, thing: str) -> Sequence[str]:
        """The properties of a thing's exceptions that training may state."""
        own = self.world.things[thing]
        return [
            name for name in own.exceptions if name not in own.added or split_in(self.world, thing) == "train"
        ]

    def fact(self, rng: random.Random) -> Claim:
        """A true claim: about a thing outside the training split, a membership or an exception of its own."""
        thing = self._stated.draw(rng)
        if split_in(self.world, thing) == "train" and rng.random() < ASKED_FACTS:
            return self.claim(rng).claim.correct()
        stated = self.stated_exceptions(thing)
        if stated and rng.random() < 0.3:
            name = rng.choice(stated)
            return in_someones_words(derived(self.world, thing, name), name, rng).correct()
        claim = self._membership(thing, rng.random() < 0.8, rng)
        return in_someones_words(claim, None, rng).correct()

    def _membership(self, thing: str, holds: bool, rng: random.Random) -> Claim:
        groups = self._groups[thing] if holds else self.outside[thing]
        kinds = [group for group in groups if group.startswith(f"{IS_A}:")]
        if not groups:
            return self._membership(thing, not holds, rng)
        group = rng.choice(kinds if kinds and rng.random() < KINDS else groups)
        return membership(self.world, thing, group, group in self._groups[thing])

    def _chain(self, thing: str, name: str, rng: random.Random) -> Chain | None:
        ways = self.world.derivations.get((thing, name), ())
        kinds = [way for way in ways if way.group.startswith(f"{IS_A}:")]
        chosen = kinds if kinds and rng.random() < KINDS else ways
        return chain(self.world, rng.choice(chosen)) if chosen else None

    @cached_property
    def _groups(self) -> Mapping[str, Sequence[str]]:
        return {name: thing.groups for name, thing in self.world.things.items()}

    @cached_property
    def outside(self) -> Mapping[str, Sequence[str]]:
        """Thing → the groups that it is known to be outside of."""
        return {
            thing: [group for group in self.world.groups if refuted(self.world, thing, group)]
            for thing in self.world.things
        }

    @cached_property
    def _properties(self) -> _Pool:
        trained = things_of(self.world, "train")
        return self._pool(
            {
                name: [[t for t in trained if self.world.truth(t, name) is side] for side in (True, False)]
                for name in self.world.properties
            }
        )

    @cached_property
    def _kinds(self) -> _Pool:
        return self._memberships([group for group in self.world.groups if group.startswith(f"{IS_A}:")])

    @cached_property
    def _other_groups(self) -> _Pool:
        return self._memberships([group for group in self.world.groups if not group.startswith(f"{IS_A}:")])

    def _memberships(self, groups: Sequence[str]) -> _Pool:
        trained = things_of(self.world, "train")
        return self._pool(
            {
                group: [
                    [thing for thing in trained if group in self._groups[thing]],
                    [thing for thing in trained if group in self._outside_sets[thing]],
                ]
                for group in groups
            }
        )

    @cached_property
    def _outside_sets(self) -> Mapping[str, frozenset[str]]:
        return {thing: frozenset(groups) for thing, groups in self.outside.items()}

    @cached_property
    def _exceptional(self) -> Names:
        trained = things_of(self.world, "train")
        return _by_length([thing for thing in trained if self.world.things[thing].exceptions])

    def _pool(self, sides: Mapping[str, Sequence[Sequence[str]]]) -> _Pool:
        """Those that are true of some things and false of others, more often where both are many."""
        both = {name: (yes, no) for name, (yes, no) in sides.items() if yes and no}
        return _Pool(
            weighted(list(both), (min(len(yes), len(no)) ** 0.5 for yes, no in both.values())),
            {name: {True: _by_length(yes), False: _by_length(no)} for name, (yes, no) in both.items()},
            {name: _by_length(self._alike(yes, no)) for name, (yes, no) in both.items()},
        )

    def _alike(self, inside: Sequence[str], outside: Sequence[str]) -> Sequence[str]:
        """Those of the things outside that have most groups in common with the things inside."""
        count = Counter(group for thing in inside for group in self._groups[thing])
        count_all = Counter(group for thing in (*inside, *outside) for group in self._groups[thing])
        common = {
            thing: sum(count[group] / count_all[group] for group in self._groups[thing]) for thing in outside
        }
        return sorted(outside, key=lambda thing: (-common[thing], thing))[
            : max(1, int(NEAREST * len(outside)))
        ]


@dataclass(frozen=True, slots=True)
class _Pool:
    """Properties or groups, and the things of which each is true and false.

    Attributes:
        near: the things of which it is false that are most like those of which it is true.
    """

    names: Names
    things: Mapping[str, Mapping[bool, Names]]
    near: Mapping[str, Names]

    def thing(self, name: str, holds: bool, rng: random.Random) -> str:
        """A thing of which the property or group ``name`` is true, or false."""
        names = self.things[name][holds] if holds or rng.random() >= NEAR else self.near[name]
        return names.draw(rng)


def _by_length(names: Sequence[str]) -> Names:
    return weighted(names, (SHORT_NAME if name.count(" ") < 2 else 1.0 for name in names))
