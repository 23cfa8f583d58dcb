"""Pairs of propositions in the words of somebody who asks: in the plural, in other words, with any article.

They add to those of :mod:`maieutic.benchmarks.agora.pairs`, and their labels follow from the same logic. A
chain may also say which kinds a group belongs to or is outside of ("a dog is a bird, and birds are not
mammals"), and two claims may be joined that have no conclusion.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from maieutic.benchmarks.agora.claims import FRAMES, Chain, Claim
from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.benchmarks.agora.logic import Label
from maieutic.benchmarks.agora.wording import SUBJECTS, careless, other_wordings, pluralized
from maieutic.benchmarks.agora.world import IS_A, World

__all__ = ["WordedPairs"]

PLURAL = 0.5  # share of pairs about all things of a kind
ONE_AND_MANY = 0.25  # share of pairs of which one speaks of a thing, and the other may speak of all
KINDS = 0.25  # share of chains whose fact says which kind a group belongs to, or is outside of
OTHER_WORDS = 0.3  # share of claims with another verb phrase for the same property
CARELESS = 0.2  # share of the other claims with another article, or none
FRAMED = 0.1  # share of claims in a frame

# A proposition before it is worded; the flag is False for the negation of a chain.
Said = tuple[Claim | Chain, bool]


@dataclass(frozen=True)
class WordedPairs:
    """Draws worded pairs.

    Attributes:
        chain: a random chain, as :class:`maieutic.benchmarks.agora.pairs.Pairs` makes them.
    """

    world: World
    chain: Callable[[random.Random], Chain]

    def draw(self, label: Label, rng: random.Random) -> tuple[str, str]:
        """A premise and a hypothesis with the relation ``label``."""
        makers: Mapping[Label, Sequence[Callable[[random.Random], tuple[Said, Said]]]] = {
            "entailment": (self._derives, self._derives, self._same, self._same, self._part),
            "contradiction": (self._opposes, self._opposes, self._denies, self._denies, self._negation),
            "neutral": (
                self._other_property,
                self._other_property,
                self._other_thing,
                self._backwards,
                self._broken,
                self._unrelated,
                self._abduced,
            ),
        }
        premise, hypothesis = rng.choice(makers[label])(rng)
        many = rng.random() < PLURAL
        other = rng.random() < PLURAL if rng.random() < ONE_AND_MANY else many
        return self._worded(premise, many, rng), self._worded(hypothesis, other, rng)

    # -- patterns --------------------------------------------------------------------------------------

    def _derives(self, rng: random.Random) -> tuple[Said, Said]:
        chain = self._chain(rng)
        return (chain, True), (_conclusion(chain), True)

    def _same(self, rng: random.Random) -> tuple[Said, Said]:
        claim = self._claim(rng)
        return (claim, True), (claim, True)

    def _part(self, rng: random.Random) -> tuple[Said, Said]:
        """A chain contains its parts; the negation of a part entails the negation of the chain."""
        chain = self._chain(rng)
        part = rng.choice((chain.member, chain.fact))
        return (
            ((chain, True), (part, True)) if rng.random() < 0.5 else ((part.negated(), True), (chain, False))
        )

    def _opposes(self, rng: random.Random) -> tuple[Said, Said]:
        chain = self._chain(rng)
        return _either_way((chain, True), (_conclusion(chain).negated(), True), rng)

    def _denies(self, rng: random.Random) -> tuple[Said, Said]:
        claim = self._claim(rng)
        return (claim, True), (claim.negated(), True)

    def _negation(self, rng: random.Random) -> tuple[Said, Said]:
        chain = self._chain(rng)
        return _either_way((chain, True), (chain, False), rng)

    def _other_property(self, rng: random.Random) -> tuple[Said, Said]:
        chain, other = self._chain(rng), self._chain(rng)
        if other.fact.verb in (chain.fact.verb, chain.member.verb):
            return self._other_property(rng)
        claim = replace(_conclusion(chain), verb=other.fact.verb, affirmed=rng.random() < 0.5)
        return _either_way((rng.choice((chain, _conclusion(chain))), True), (claim, True), rng)

    def _other_thing(self, rng: random.Random) -> tuple[Said, Said]:
        chain, other = self._chain(rng), self._chain(rng)
        if chain.member.subject == other.member.subject:
            return self._other_thing(rng)
        claim = replace(_conclusion(chain), subject=other.member.subject, affirmed=rng.random() < 0.5)
        return _either_way((rng.choice((chain, _conclusion(chain))), True), (claim, True), rng)

    def _backwards(self, rng: random.Random) -> tuple[Said, Said]:
        """A conclusion does not entail its chain; the negation of a chain does not decide its conclusion."""
        chain = self._chain(rng)
        claim = _conclusion(chain)
        if rng.random() < 0.5:
            return (claim, True), (chain, True)
        if rng.random() < 0.5:
            return (claim, True), (chain, False)
        return (chain, False), (claim if rng.random() < 0.5 else claim.negated(), True)

    def _broken(self, rng: random.Random) -> tuple[Said, Said]:
        """A membership and a fact about another group have no conclusion."""
        one, other = self._chain(rng), self._chain(rng)
        if one.member.verb in (other.member.verb, other.fact.verb):
            return self._broken(rng)
        claim = replace(_conclusion(one), verb=other.fact.verb, affirmed=rng.random() < 0.5)
        return (Chain(one.member, other.fact), True), (claim, True)

    def _unrelated(self, rng: random.Random) -> tuple[Said, Said]:
        """Two claims about a thing say nothing of a third."""
        one, other = self._chain(rng), self._chain(rng)
        if other.fact.verb in (one.fact.verb, one.member.verb) or one.fact.verb == one.member.verb:
            return self._unrelated(rng)
        claim = replace(_conclusion(one), verb=other.fact.verb, affirmed=rng.random() < 0.5)
        return (Chain(one.member, _conclusion(one)), True), (claim, True)

    def _abduced(self, rng: random.Random) -> tuple[Said, Said]:
        """What has the properties of a group need not belong to it."""
        chain = self._chain(rng)
        both = Chain(_conclusion(chain), chain.fact)
        return (both, True), (chain.member if rng.random() < 0.7 else chain.member.negated(), True)

    def _chain(self, rng: random.Random) -> Chain:
        """A chain whose fact is about a property, or about another kind."""
        chain = self.chain(rng)
        if rng.random() >= KINDS:
            return chain
        kind = rng.choice([verb for verb in self._kinds if verb != chain.member.verb])
        return Chain(chain.member, replace(chain.fact, verb=kind))

    def _claim(self, rng: random.Random) -> Claim:
        chain = self._chain(rng)
        claim = rng.choice((chain.member, _conclusion(chain), _conclusion(chain)))
        return claim if rng.random() < 0.5 else claim.negated()

    # -- words -----------------------------------------------------------------------------------------

    def _worded(self, said: Said, many: bool, rng: random.Random) -> str:
        what, affirmed = said
        if isinstance(what, Claim):
            return self._claim_text(what, many, rng)
        chain = Chain(pluralized(what.member), pluralized(what.fact)) if many else what
        return chain.text if affirmed else chain.negation

    def _claim_text(self, claim: Claim, many: bool, rng: random.Random) -> str:
        others = self._others.get(claim.verb, ())
        if others and rng.random() < OTHER_WORDS:
            claim = replace(claim, verb=rng.choice(others))
        if many:
            claim = pluralized(claim)
        elif rng.random() < CARELESS:
            claim = careless(claim, rng.choice(SUBJECTS))
        return claim.framed(rng.randrange(1, len(FRAMES)) if rng.random() < FRAMED else 0).text

    @cached_property
    def _kinds(self) -> Sequence[VerbPhrase]:
        return [group.verb for group in self.world.groups.values() if group.relation == IS_A]

    @cached_property
    def _others(self) -> Mapping[VerbPhrase, Sequence[VerbPhrase]]:
        properties = self.world.properties
        memberships = {group.verb.one for group in self.world.groups.values()}
        return {
            properties[name].verb: [verb for verb in verbs if verb.one not in memberships]
            for name, verbs in other_wordings().items()
            if name in properties
        }


def _conclusion(chain: Chain) -> Claim:
    return Claim(chain.member.subject, False, chain.fact.verb, chain.fact.affirmed, True)


def _either_way(one: Said, other: Said, rng: random.Random) -> tuple[Said, Said]:
    return (one, other) if rng.random() < 0.5 else (other, one)
