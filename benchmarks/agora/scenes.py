"""Pairs of sentences about similar topics, like those in a tree of explanations, labelled by logic."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maieutic.benchmarks.agora.claims import FRAMES, Chain, Claim
from maieutic.benchmarks.agora.logic import Formula, Label, relation
from maieutic.benchmarks.agora.world import ThingGroup, World

__all__ = ["scene"]

# Relative frequencies of sentences: explanations, their negations, claims like the question, and parts.
FORMS = {"chain": 4, "negation": 4, "end": 3, "member": 1, "fact": 1}
SAME_SUBJECT, SAME_PROPERTY, SAME_GROUP = 0.85, 0.85, 0.4  # shares among the second sentences
BARE = 0.8  # share of claims without a frame


@dataclass(frozen=True, slots=True)
class _Topic:
    """The topic of a sentence."""

    subject: str
    group: ThingGroup
    property: str


def scene(
    world: World, subject: Callable[[str | None], str], label: Label, rng: random.Random
) -> tuple[str, str]:
    """A premise and a hypothesis with the relation ``label``.

    Args:
        subject: returns the name of a thing; given a name, that of another thing, perhaps a similar name.
    """
    groups = list(world.groups.values())
    while True:
        first = _topic(groups, subject(None), rng)
        second = _similar(first, groups, subject, rng)
        (premise, one), (hypothesis, other) = (_sentence(world, topic, rng) for topic in (first, second))
        if relation(one, other) == label:
            return premise, hypothesis


def _topic(groups: Sequence[ThingGroup], subject: str, rng: random.Random) -> _Topic:
    group = rng.choice(groups)
    return _Topic(subject, group, rng.choice(list(group.properties)))


def _similar(
    topic: _Topic, groups: Sequence[ThingGroup], subject: Callable[[str | None], str], rng: random.Random
) -> _Topic:
    """A topic that shares most of its parts with another."""
    name = topic.subject if rng.random() < SAME_SUBJECT else subject(topic.subject)
    if rng.random() < SAME_GROUP:
        same = rng.random() < SAME_PROPERTY
        return _Topic(name, topic.group, topic.property if same else rng.choice(list(topic.group.properties)))
    if rng.random() < SAME_PROPERTY:
        sharing = [group for group in groups if topic.property in group.properties]
        return _Topic(name, rng.choice(sharing), topic.property)
    return _topic(groups, name, rng)


def _sentence(world: World, topic: _Topic, rng: random.Random) -> tuple[str, Formula]:
    """A sentence about the topic, and its formula."""
    sign = rng.random() < 0.5
    verb = world.properties[topic.property].verb
    chain = Chain(
        Claim(topic.subject, False, topic.group.verb, True, True),
        Claim(topic.group.members, True, verb, sign, True),
    )
    member = ("member", topic.subject, topic.group.members, True)
    fact = ("fact", topic.group.members, topic.property, sign)
    (form,) = rng.choices(list(FORMS), list(FORMS.values()))
    if form == "chain":
        return chain.text, Formula((member, fact))
    if form == "negation":
        return chain.negation, Formula((member, fact)).negated()
    claims = {
        "member": (chain.member, member),
        "fact": (chain.fact, fact),
        "end": (
            Claim(topic.subject, False, verb, sign, True),
            ("end", topic.subject, topic.property, sign),
        ),
    }
    claim, literal = claims[form]
    formula = Formula((literal,))
    if form != "end" and rng.random() < 0.5:
        claim, formula = claim.negated(), formula.negated()
    frame = 0 if rng.random() < BARE else rng.randrange(1, len(FRAMES))
    return claim.framed(frame).text, formula
