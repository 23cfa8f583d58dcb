"""Two sentences about much the same, as they meet in a tree of explanations, labelled by logic."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maieutic.benchmarks.agora.claims import FRAMES, Chain, Claim
from maieutic.benchmarks.agora.logic import Formula, Label, relation
from maieutic.benchmarks.agora.world import ThingGroup, World

__all__ = ["scene"]

# What a sentence of a tree is: an explanation, its negation, a claim that could be the question's, a part.
FORMS = {"chain": 4, "negation": 4, "end": 3, "member": 1, "fact": 1}
SAME_SUBJECT, SAME_PROPERTY, SAME_GROUP = 0.85, 0.85, 0.4  # shares of second sentences
BARE = 0.8  # of claims that are said without a frame


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a sentence is about."""

    subject: str
    group: ThingGroup
    property: str


def scene(
    world: World, subject: Callable[[str | None], str], label: Label, rng: random.Random
) -> tuple[str, str]:
    """A premise and a hypothesis that stand to each other as ``label`` says.

    Args:
        subject: gives the name of a thing; with a name, that of another thing, perhaps a similar one.
    """
    groups = list(world.groups.values())
    while True:
        first = _topic(groups, subject(None), rng)
        second = _near(first, groups, subject, rng)
        (premise, one), (hypothesis, other) = (_told(world, topic, rng) for topic in (first, second))
        if relation(one, other) == label:
            return premise, hypothesis


def _topic(groups: Sequence[ThingGroup], subject: str, rng: random.Random) -> _Topic:
    group = rng.choice(groups)
    return _Topic(subject, group, rng.choice(list(group.properties)))


def _near(
    topic: _Topic, groups: Sequence[ThingGroup], subject: Callable[[str | None], str], rng: random.Random
) -> _Topic:
    """A topic that has most in common with another."""
    who = topic.subject if rng.random() < SAME_SUBJECT else subject(topic.subject)
    if rng.random() < SAME_GROUP:
        what = topic.property if rng.random() < SAME_PROPERTY else rng.choice(list(topic.group.properties))
        return _Topic(who, topic.group, what)
    if rng.random() < SAME_PROPERTY:
        sharing = [group for group in groups if topic.property in group.properties]
        return _Topic(who, rng.choice(sharing), topic.property)
    return _topic(groups, who, rng)


def _told(world: World, topic: _Topic, rng: random.Random) -> tuple[str, Formula]:
    """A sentence on the topic and what it says."""
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
