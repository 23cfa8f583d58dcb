"""The training text of the bundled language model: endless, seeded streams of short documents.

The text asserts true statements only; a false statement appears only where an answer calls it false. No
document mentions a derived property of a thing outside the training split, in any wording. Of the things
in the other splits the text states only memberships and exceptions, and the model must derive the rest.

Things, and the memberships of a thing, are drawn with Zipf-like frequencies: some facts occur often and
in many wordings, others a few times in one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from maieutic.benchmarks.agora.claims import (
    FRAMES,
    Chain,
    Claim,
    chain,
    derived,
    group_fact,
    membership,
    split_in,
    things_of,
)
from maieutic.benchmarks.agora.draws import Names, zipf
from maieutic.benchmarks.agora.everyday_claims import EverydayClaims
from maieutic.benchmarks.agora.wording import other_wordings, plural, pluralized
from maieutic.benchmarks.agora.world import World
from maieutic.bundled import words
from maieutic.prompts import PromptSet
from maieutic.prompts.base import small_letter

__all__ = ["MIX", "Corpus", "Document", "vocabulary"]

THING_EXPONENT = 0.7  # of the Zipf-like frequencies of things
GROUP_EXPONENT = 1.0  # of those of a thing's groups
PLURALS = 0.2  # share of what is judged, negated or declared about all things of a kind: "dogs are mammals"

# Shares of the kinds of document, in percent.
MIX: Mapping[str, int] = {
    "fact": 8,
    "direct": 5,
    "explain": 12,
    "think": 9,
    "judge": 14,
    "negate": 1,
    "declare": 1,
    "everyday fact": 12,
    "everyday direct": 16,
    "everyday explain": 5,
    "everyday think": 17,
}


@dataclass(frozen=True, slots=True)
class Document:
    """One training example.

    Attributes:
        kind: a key of :data:`MIX`.
        prompt: the text that is not learned; "" for plain text.
        reply: the text that is learned.
        things: the things whose derived properties the document mentions.
    """

    kind: str
    prompt: str
    reply: str
    things: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Prompt and reply, as in training."""
        return f"{self.prompt} {self.reply}".strip()


class Corpus:
    """Documents about a world, in the wording of a prompt set.

    Args:
        seed: for the frequencies and the streams.
    """

    def __init__(self, world: World, prompts: PromptSet, seed: int = 0) -> None:
        self.world = world
        self.prompts = prompts
        order = random.Random(seed)  # noqa: S311 - no secret
        self._things = zipf(order.sample(sorted(world.things), len(world.things)), THING_EXPONENT)
        self._uniform = zipf(sorted(world.things), 0.0)
        trained = sorted(things_of(world, "train"))
        self._trained = zipf(order.sample(trained, len(trained)), THING_EXPONENT)
        self._groups_of = {
            name: zipf(order.sample(thing.groups, len(thing.groups)), GROUP_EXPONENT)
            for name, thing in sorted(world.things.items())
        }
        self._everyday = EverydayClaims(world)
        self._seed = seed

    def documents(self, part: int = 0) -> Iterator[Document]:
        """The endless stream number ``part``, determined by world, prompts, seed and part."""
        rng = random.Random(f"{self._seed} {part}")  # noqa: S311
        makers: Mapping[str, Callable[[random.Random], Document]] = {
            "fact": self._fact,
            "direct": self._direct,
            "explain": self._explain,
            "think": self._think,
            "judge": self._judge,
            "negate": self._negate,
            "declare": self._declare,
            "everyday fact": self._everyday_fact,
            "everyday direct": self._everyday_direct,
            "everyday explain": self._everyday_explain,
            "everyday think": self._everyday_think,
        }
        kinds, shares = list(MIX), list(MIX.values())
        while True:
            (kind,) = rng.choices(kinds, shares)
            yield makers[kind](rng)

    # -- claims ----------------------------------------------------------------------------------------

    @cached_property
    def _refuted(self) -> Mapping[str, Sequence[str]]:
        """Thing → the groups that it is known to be outside of."""
        return self._everyday.outside

    def _asked(self, rng: random.Random) -> Claim:
        """A single fact to be asked about: not of an everyday thing outside the training split."""
        while True:
            claim = self._single(rng)
            thing = self.world.things.get(claim.subject)
            if thing is None or not thing.everyday or split_in(self.world, thing.name) == "train":
                return claim

    def _single(self, rng: random.Random, things: Names | None = None) -> Claim:
        """A single fact (a group fact, a membership or an exception), true or false, affirmed or negated."""
        if rng.random() < 0.4:
            claim = self._group_fact(rng)
        else:
            thing = (things or self._things).draw(rng)
            exceptions = self._everyday.stated_exceptions(thing)
            if exceptions and rng.random() < 0.3:
                claim = derived(self.world, thing, rng.choice(exceptions))
            else:
                claim = self._membership(thing, rng.random() < 0.5, rng)
        return claim if rng.random() < 0.5 else claim.negated()

    def _membership(self, thing: str, holds: bool, rng: random.Random) -> Claim:
        outside = self._refuted[thing]
        if holds or not outside:
            return membership(self.world, thing, self._groups_of[thing].draw(rng), True)
        own = {group.partition(":")[0] for group in self.world.things[thing].groups}
        near = [group for group in outside if group.partition(":")[0] in own]  # as in "a bat is a bird"
        return membership(
            self.world, thing, rng.choice(near if near and rng.random() < 0.7 else outside), False
        )

    def _group_fact(self, rng: random.Random) -> Claim:
        group = self.world.things[self._things.draw(rng)].groups
        chosen = self.world.groups[rng.choice(group)]
        return group_fact(self.world, chosen.id, rng.choice(list(chosen.properties)))

    def _derived(self, rng: random.Random) -> tuple[Claim, Chain]:
        """A derived claim about a thing in the training split, and a chain for it.

        The claim is affirmed, whether true or false, since questions usually are.
        """
        thing = self._trained.draw(rng)
        group = self.world.groups[self._groups_of[thing].draw(rng)]
        names = [name for name in group.properties if name not in self.world.things[thing].exceptions]
        if not names:
            return self._derived(rng)
        name = rng.choice(names)
        (way,) = [way for way in self.world.derivations[thing, name] if way.group == group.id]
        return derived(self.world, thing, name), chain(self.world, way)

    def _chain(self, rng: random.Random, things: Names | None = None) -> Chain:
        """A chain about any thing: true, or with one part false."""
        thing = (things or self._things).draw(rng)
        kind = rng.random()
        member = self._membership(thing, kind < 0.75, rng)
        group = next(group for group in self.world.groups.values() if group.verb == member.verb)
        fact = group_fact(self.world, group.id, rng.choice(list(group.properties))).correct()
        return Chain(member, fact.negated() if 0.5 <= kind < 0.75 else fact)

    def _worded_chain(self, rng: random.Random, things: Names | None = None) -> Chain:
        """A chain as :meth:`_chain` draws them, some about all things of a kind."""
        why = self._chain(rng, things)
        return replace(why, member=pluralized(why.member)) if rng.random() < PLURALS else why

    # -- documents -------------------------------------------------------------------------------------

    def _fact(self, rng: random.Random) -> Document:
        claim = self._single(rng)
        claim = claim if claim.truth else claim.negated()
        return Document("fact", "", claim.framed(_frame(rng)).text)

    def _direct(self, rng: random.Random) -> Document:
        claim, things = self._some_claim(rng)
        reply = f"{self._answer(claim.truth)}."
        return Document("direct", self.prompts.direct(claim.framed(_frame(rng)).text).text(), reply, things)

    def _explain(self, rng: random.Random) -> Document:
        claim, why = self._derived(rng)
        prompt = self.prompts.explain(claim.text, claim.truth).text()
        return Document("explain", prompt, f"{why.clause}.", (claim.subject,))

    def _think(self, rng: random.Random) -> Document:
        claim, why = self._derived(rng)
        return self._belief("think", claim.text, why.text, claim.truth, (claim.subject,))

    def _judge(self, rng: random.Random) -> Document:
        """A judgement of a single fact, an explanation or its negation; the reasoning recalls the parts."""
        if rng.random() < 0.4:
            claim = self._asked(rng)
            return self._belief("judge", claim.text, claim.correct().text, claim.truth)
        why = self._worded_chain(rng)
        wrong = [part for part in (why.member, why.fact) if not part.truth]
        recalled = " ".join(part.correct().text for part in (wrong or [why.member, why.fact]))
        if rng.random() < 0.5:
            return self._belief("judge", why.text, recalled, why.truth)
        return self._belief("judge", why.negation, recalled, not why.truth)

    def _negate(self, rng: random.Random) -> Document:
        """A negation. All things are equally frequent, since the model must know a name to repeat it."""
        if rng.random() < 0.5:
            why = self._worded_chain(rng, self._uniform)
            return Document("negate", self.prompts.negate(why.text).text(), why.negation)
        claim, things = self._repeated(rng)
        return Document("negate", self.prompts.negate(claim.text).text(), claim.negated().text, things)

    def _declare(self, rng: random.Random) -> Document:
        claim, things = self._repeated(rng)
        affirmed = claim if claim.affirmed else claim.negated()
        return Document("declare", self.prompts.declare(claim.question).text(), affirmed.text, things)

    def _repeated(self, rng: random.Random) -> tuple[Claim, tuple[str, ...]]:
        """A claim of which every word is to be repeated, in the plural also."""
        claim, things = self._some_claim(rng, self._uniform)
        return pluralized(claim) if rng.random() < PLURALS else claim, things

    def _everyday_fact(self, rng: random.Random) -> Document:
        return Document("everyday fact", "Fact:", f"{self._everyday.fact(rng).clause}.")

    def _everyday_direct(self, rng: random.Random) -> Document:
        claim = self._everyday.claim(rng).claim
        prompt = self.prompts.direct(claim.framed(_frame(rng) if rng.random() < 0.2 else 0).text).text()
        return Document("everyday direct", prompt, f"{self._answer(claim.truth)}.")

    def _everyday_explain(self, rng: random.Random) -> Document:
        asked = self._everyday.explained(rng)
        prompt = self.prompts.explain(asked.claim.text, asked.claim.truth).text()
        return Document("everyday explain", prompt, f"{asked.reason.clause}.")

    def _everyday_think(self, rng: random.Random) -> Document:
        asked = self._everyday.claim(rng)
        return self._belief("everyday think", asked.claim.text, asked.reason.text, asked.claim.truth)

    def _some_claim(self, rng: random.Random, things: Names | None = None) -> tuple[Claim, tuple[str, ...]]:
        if rng.random() < 0.5:
            return self._single(rng, things) if things else self._asked(rng), ()
        claim, _ = self._derived(rng)
        return claim, (claim.subject,)

    def _belief(
        self, kind: str, statement: str, reasoning: str, truth: bool, things: tuple[str, ...] = ()
    ) -> Document:
        prompt = self.prompts.belief(statement).text()
        reply = f"{small_letter(reasoning)} {self.prompts.marker}{self.prompts.answers[0 if truth else 1]}."
        return Document(kind, prompt, reply, things)

    def _answer(self, truth: bool) -> str:
        return self.prompts.answers[0 if truth else 1].strip()


def vocabulary(world: World) -> list[str]:
    """All words of texts about the world, sorted."""
    texts = [*FRAMES, *world.things, *(group.members for group in world.groups.values())]
    texts += [many for many in map(plural, world.things) if many]
    verbs = [item.verb for item in world.properties.values()]
    verbs += [group.verb for group in world.groups.values()]
    verbs += [verb for others in other_wordings().values() for verb in others]
    for verb in verbs:
        for many in (False, True):
            texts += [
                verb.phrase(True, many=many),
                verb.phrase(False, many=many),
                verb.question("a", many=many),
            ]
    return sorted({word for text in texts for word in words(text)})


def _frame(rng: random.Random) -> int:
    """The index of a frame: the bare sentence with probability 1/2."""
    return 0 if rng.random() < 0.5 else rng.randrange(1, len(FRAMES))
