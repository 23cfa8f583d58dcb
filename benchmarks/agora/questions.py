"""Statements to judge: derived claims that similarity alone does not decide, balanced and seeded.

A claim is *contested* if similar things disagree on it: of the things that share at least ``SHARED`` groups
with its subject, a share from ``MIN_SHARE`` to ``MAX_SHARE`` has the property. (That a carp has no engine
needs no reasoning, so it is not used.) Each property has as many true as false statements, so that the
property alone does not reveal the answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maieutic.benchmarks.agora.claims import Split, chain, derived, things_of
from maieutic.benchmarks.agora.world import World

__all__ = ["Question", "contested", "questions"]

SHARED = 2
MIN_SHARE, MAX_SHARE = 0.15, 0.85
MIN_SIBLINGS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """A statement with its truth value and its explanations.

    Attributes:
        chains: all gold explanations, as sentences.
    """

    thing: str
    property: str
    statement: str
    truth: bool
    chains: tuple[str, ...]


def contested(world: World, split: Split) -> list[tuple[str, str]]:
    """The contested (thing, property) pairs of a split without exceptions, in the order of the world."""
    siblings = _siblings(world)
    return [
        (thing, name)
        for thing in things_of(world, split)
        for name in world.properties
        if (thing, name) in world.derivations and _disagree(world, siblings[thing], name)
    ]


def questions(world: World, split: Split, count: int, seed: int = 0) -> list[Question]:
    """Up to ``count`` contested statements, half of them true."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    by_property: dict[str, dict[bool, list[str]]] = {}
    for thing, name in contested(world, split):
        truth = world.derivations[thing, name][0].truth
        by_property.setdefault(name, {True: [], False: []})[truth].append(thing)
    twins: list[list[Question]] = []  # a true and a false statement about the same property
    for name, things in by_property.items():
        for side in things.values():
            rng.shuffle(side)
        twins += [
            [_question(world, thing, name) for thing in pair]
            for pair in zip(things[True], things[False], strict=False)
        ]
    rng.shuffle(twins)
    sample = [question for pair in twins[: (count + 1) // 2] for question in pair]
    rng.shuffle(sample)
    return sample[:count]


def _question(world: World, thing: str, name: str) -> Question:
    claim = derived(world, thing, name)
    chains = tuple(chain(world, way).text for way in world.derivations[thing, name])
    return Question(thing, name, claim.text, claim.truth, chains)


def _siblings(world: World) -> Mapping[str, Sequence[str]]:
    groups = {name: set(thing.groups) for name, thing in world.things.items()}
    return {
        one: [other for other in groups if other != one and len(groups[one] & groups[other]) >= SHARED]
        for one in groups
    }


def _disagree(world: World, siblings: Sequence[str], name: str) -> bool:
    truths = list(_known_truths(world, siblings, name))
    return len(truths) >= MIN_SIBLINGS and MIN_SHARE <= sum(truths) / len(truths) <= MAX_SHARE


def _known_truths(world: World, things: Sequence[str], name: str) -> Iterator[bool]:
    for thing in things:
        truth = world.truth(thing, name)
        if truth is not None:
            yield truth
