"""Training pairs of the bundled verifier: two propositions about the world and their relation.

The labels follow from logic alone, not from the truth of the world: a chain entails its conclusion even if
its parts are false. Propositions are single claims, chains and the negations of both, in either order,
about the same thing or different ones. Since logic does not depend on names, subjects can be made up from
the words in names of things, so that the verifier learns to distinguish any names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.agora.claims import FRAMES, Chain, Claim
from maieutic.benchmarks.agora.english import sentence
from maieutic.benchmarks.agora.logic import Label
from maieutic.benchmarks.agora.scenes import scene
from maieutic.benchmarks.agora.worded_pairs import WordedPairs
from maieutic.benchmarks.agora.world import ThingGroup, World

__all__ = ["LABELS", "Label", "LabelledPair", "Pairs"]

ARTICLES = {"a", "an", "the"}
SCENES = 0.5  # share of the pairs from scenes; each of the others teaches one inference pattern

LABELS: tuple[Label, ...] = ("contradiction", "neutral", "entailment")


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A premise, a hypothesis and their relation."""

    premise: str
    hypothesis: str
    label: Label


class Pairs:
    """Seeded streams of pairs, balanced over the three labels.

    Args:
        things: names of the things that the pairs are about.
        made_up: share of the subjects that are made-up names, in [0, 1].
        worded: share of the pairs in the words of somebody who asks, in [0, 1]
            (:mod:`maieutic.benchmarks.agora.worded_pairs`).
    """

    def __init__(
        self,
        world: World,
        things: Sequence[str],
        seed: int = 0,
        *,
        made_up: float = 0.0,
        worded: float = 0.0,
    ) -> None:
        self.world = world
        self.made_up = made_up
        self.worded = worded
        self.things = list(things)
        self._groups = list(world.groups.values())
        self._known_names = {*world.things, *(group.members for group in self._groups)}
        self._words = sorted({word for name in world.things for word in name.split()} - ARTICLES)
        self._seed = seed

    def stream(self, part: int = 0) -> Iterator[LabelledPair]:
        """The endless stream number ``part``, determined by world, things, seed and part."""
        rng = random.Random(f"{self._seed} {part}")  # noqa: S311 - no secret
        # The hardest patterns occur twice as often: different subjects, and conclusions.
        makers: dict[Label, Sequence[Callable[[random.Random], tuple[str, str]]]] = {
            "entailment": (self._derives, self._derives, self._contains, self._same, self._weakens),
            "contradiction": (
                self._opposes,
                self._opposes,
                self._denies,
                self._denies_part,
                self._chains_clash,
            ),
            "neutral": (
                self._other_thing,
                self._other_thing,
                self._other_property,
                self._other_property,
                self._broken,
                self._broken,
                self._backwards,
                self._undecided,
            ),
        }

        def subject(other: str | None) -> str:
            return self._subject(rng) if other is None else self._another(rng, other)

        worded = WordedPairs(self.world, self._chain)
        while True:
            label = rng.choice(LABELS)
            if self.worded and rng.random() < self.worded:
                premise, hypothesis = worded.draw(label, rng)
            elif rng.random() < SCENES:
                premise, hypothesis = scene(self.world, subject, label, rng)
            else:
                premise, hypothesis = rng.choice(makers[label])(rng)
            yield LabelledPair(premise, hypothesis, label)

    # -- material --------------------------------------------------------------------------------------

    def _chain(self, rng: random.Random, group: ThingGroup | None = None, name: str = "") -> Chain:
        """A chain of any thing, any group and any of its properties, whether true or not."""
        group = group or rng.choice(self._groups)
        name = name or rng.choice(list(group.properties))
        member = Claim(self._subject(rng), False, group.verb, True, True)
        verb = self.world.properties[name].verb
        return Chain(member, Claim(group.members, True, verb, rng.random() < 0.5, True))

    def _subject(self, rng: random.Random) -> str:
        """A thing, or a made-up name of one or two words that is not in the world."""
        if rng.random() >= self.made_up:
            return rng.choice(self.things)
        name = " ".join(rng.choice(self._words) for _ in range(rng.choice((1, 2))))
        if rng.random() < 0.8:
            name = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        return self._subject(rng) if name in self._known_names else name

    def _another(self, rng: random.Random, name: str) -> str:
        """A subject other than ``name``; with made-up names, sometimes ``name`` with one more word."""
        while True:
            longer = rng.random() < self.made_up / 2
            subject = f"{name} {rng.choice(self._words)}" if longer else self._subject(rng)
            if subject != name and not (longer and subject in self._known_names):
                return subject

    def _conclusion(self, chain: Chain) -> Claim:
        return Claim(chain.member.subject, False, chain.fact.verb, chain.fact.affirmed, True)

    def _claim(self, rng: random.Random) -> Claim:
        chain = self._chain(rng)
        claim = rng.choice((chain.member, chain.fact, self._conclusion(chain)))
        return claim if rng.random() < 0.5 else claim.negated()

    def _other(self, rng: random.Random, name: str, choices: Sequence[str]) -> str:
        return rng.choice([choice for choice in choices if choice != name])

    # -- entailment ------------------------------------------------------------------------------------

    def _derives(self, rng: random.Random) -> tuple[str, str]:
        chain = self._chain(rng)
        return chain.text, _wording(self._conclusion(chain), rng)

    def _contains(self, rng: random.Random) -> tuple[str, str]:
        chain = self._chain(rng)
        return chain.text, _wording(rng.choice((chain.member, chain.fact)), rng)

    def _same(self, rng: random.Random) -> tuple[str, str]:
        claim = self._claim(rng)
        return _wording(claim, rng), _wording(claim, rng)

    def _weakens(self, rng: random.Random) -> tuple[str, str]:
        """The negation of a part of a chain entails the negation of the chain."""
        chain = self._chain(rng)
        return _wording(rng.choice((chain.member, chain.fact)).negated(), rng), chain.negation

    # -- contradiction ---------------------------------------------------------------------------------

    def _opposes(self, rng: random.Random) -> tuple[str, str]:
        chain = self._chain(rng)
        return _either_way(rng, chain.text, _wording(self._conclusion(chain).negated(), rng))

    def _denies(self, rng: random.Random) -> tuple[str, str]:
        if rng.random() < 0.3:
            chain = self._chain(rng)
            return _either_way(rng, chain.text, chain.negation)
        claim = self._claim(rng)
        return _wording(claim, rng), _wording(claim.negated(), rng)

    def _denies_part(self, rng: random.Random) -> tuple[str, str]:
        chain = self._chain(rng)
        return _either_way(rng, chain.text, _wording(rng.choice((chain.member, chain.fact)).negated(), rng))

    def _chains_clash(self, rng: random.Random) -> tuple[str, str]:
        """Two chains with opposite conclusions about one subject."""
        chain, name = self._chain_and_property(rng)
        groups = [group for group in self._groups if name in group.properties]
        other = self._chain(rng, rng.choice(groups), name)
        member = replace(other.member, subject=chain.member.subject)
        fact = replace(other.fact, affirmed=not chain.fact.affirmed)
        return chain.text, Chain(member, fact).text

    def _chain_and_property(self, rng: random.Random) -> tuple[Chain, str]:
        group = rng.choice(self._groups)
        name = rng.choice(list(group.properties))
        return self._chain(rng, group, name), name

    # -- neutral ---------------------------------------------------------------------------------------

    def _other_thing(self, rng: random.Random) -> tuple[str, str]:
        chain = self._chain(rng)
        conclusion = self._conclusion(chain)
        subject = self._subject(rng)
        if subject == conclusion.subject:
            return self._other_thing(rng)
        wording = replace(conclusion, subject=subject, affirmed=rng.random() < 0.5)
        return _either_way(rng, rng.choice((chain.text, _wording(conclusion, rng))), _wording(wording, rng))

    def _other_property(self, rng: random.Random) -> tuple[str, str]:
        chain, name = self._chain_and_property(rng)
        other = self.world.properties[self._other(rng, name, list(self.world.properties))]
        conclusion = replace(self._conclusion(chain), verb=other.verb, affirmed=rng.random() < 0.5)
        return _either_way(rng, chain.text, _wording(conclusion, rng))

    def _broken(self, rng: random.Random) -> tuple[str, str]:
        """A membership and a fact about different groups, which have no conclusion."""
        one, other = self._chain(rng), self._chain(rng)
        if one.member.verb == other.member.verb:
            return self._broken(rng)
        broken = sentence(f"{one.member.clause}, and {other.fact.clause}")
        conclusion = Claim(one.member.subject, False, other.fact.verb, rng.random() < 0.5, True)
        return _either_way(rng, broken, _wording(conclusion, rng))

    def _backwards(self, rng: random.Random) -> tuple[str, str]:
        """A conclusion does not entail its chain; chains with one conclusion do not entail each other."""
        chain, name = self._chain_and_property(rng)
        if rng.random() < 0.5:
            return _wording(self._conclusion(chain), rng), chain.text
        groups = [g for g in self._groups if name in g.properties and g.members != chain.fact.subject]
        if not groups:
            return self._backwards(rng)
        other = self._chain(rng, rng.choice(groups), name)
        member = replace(other.member, subject=chain.member.subject)
        return chain.text, Chain(member, replace(other.fact, affirmed=chain.fact.affirmed)).text

    def _undecided(self, rng: random.Random) -> tuple[str, str]:
        """The negation of a chain does not decide its conclusion."""
        chain = self._chain(rng)
        conclusion = self._conclusion(chain)
        wording = conclusion if rng.random() < 0.5 else conclusion.negated()
        if rng.random() < 0.5:
            return chain.negation, _wording(wording, rng)
        return _wording(conclusion, rng), chain.negation


def _wording(claim: Claim, rng: random.Random) -> str:
    """The claim in some wording, the bare one with probability 0.8."""
    return claim.framed(0 if rng.random() < 0.8 else rng.randrange(1, len(FRAMES))).text


def _either_way(rng: random.Random, one: str, other: str) -> tuple[str, str]:
    return (one, other) if rng.random() < 0.5 else (other, one)
