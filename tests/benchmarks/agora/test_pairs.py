"""The verifier's training pairs: every label is what logic says, by brute force over truth assignments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product

import pytest

from maieutic.benchmarks.agora.claims import FRAMES, things_of
from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.benchmarks.agora.pairs import LABELS, LabelledPair, Pairs
from maieutic.benchmarks.agora.wording import other_wordings, plural
from maieutic.benchmarks.agora.world import World, load_everyday

Atom = tuple[str, str]  # subject, base form of what is said of it
Formula = Callable[[Mapping[Atom, bool]], bool]

PAIRS = 3_000


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["things", "half made up"])
def pairs(world: World, request: pytest.FixtureRequest) -> list[LabelledPair]:
    stream = Pairs(world, things_of(world, "train"), seed=0, made_up=request.param).stream()
    return list(islice(stream, PAIRS))


class Logic:
    """Sentences as formulas over atoms, and what one says of another."""

    def __init__(self, world: World) -> None:
        self.members = {group.verb.one: group.members for group in world.groups.values()}
        self.many = {item.verb.many: item.verb.one for item in world.properties.values()}
        self.predicates: dict[str, tuple[str, bool]] = {}
        for verb in (*(g.verb for g in world.groups.values()), *(p.verb for p in world.properties.values())):
            for sign, many in product((True, False), repeat=2):
                self.predicates[verb.phrase(sign, many=many)] = (verb.many if many else verb.one, sign)
        self.bare = False
        self.one: dict[str, str] = {}

    @classmethod
    def of_worded(cls, world: World) -> Logic:
        """Of the everyday world, whose sentences have other words and articles, and memberships of many."""
        logic = cls(world)
        logic.bare = True
        nouns = {word for name in world.things for word in name.split()}
        logic.one = {all_of_them: noun for noun in nouns if (all_of_them := plural(f"a {noun}"))}
        logic.members = {verb: logic.kind(members) for verb, members in logic.members.items()}
        logic.many |= {group.verb.many: group.verb.one for group in world.groups.values()}
        for name, verbs in other_wordings().items():
            for verb, sign, many in product(verbs, (True, False), (True, False)):
                phrase = verb.phrase(sign, many=many)
                logic.predicates.setdefault(phrase, (world.properties[name].verb.one, sign))
        return logic

    def literal(self, clause: str) -> tuple[Atom, bool]:
        for frame in FRAMES[1:]:
            clause = clause.removeprefix(frame.removesuffix("{}"))
        for end in range(len(clause)):  # the shortest subject, which what is said of it leaves
            if clause[end] == " " and clause[end + 1 :] in self.predicates:
                phrase, sign = self.predicates[clause[end + 1 :]]
                subject = self.kind(clause[:end]) if self.bare else clause[:end]
                return (subject, self.many.get(phrase, phrase)), sign
        raise AssertionError(clause)

    def kind(self, subject: str) -> str:
        """What a claim is about, the same for one thing and for all: "a dog", "the dog", "dogs"."""
        before, _, noun = re.sub("^(a|an|the) (pair of )?", "", subject).rpartition(" ")
        return f"{before} {self.one.get(noun, noun)}".strip()

    def parse(self, sentence: str) -> tuple[list[Atom], Formula]:
        clause = sentence[:1].lower() + sentence[1:].removesuffix(".")
        separator, join = (", or ", any) if ", or " in clause else (", and ", all)
        literals = [self.literal(part) for part in clause.split(separator)]
        return [a for a, _ in literals], lambda values: join(values[a] == sign for a, sign in literals)

    def label(self, premise: str, hypothesis: str) -> str:
        (one, says), (other, claims) = self.parse(premise), self.parse(hypothesis)
        atoms = sorted({*one, *other})
        derived = [
            ((thing, verb), (members, said), (thing, said))
            for (thing, verb), (members, said) in product(atoms, repeat=2)
            if self.members.get(verb) == members
        ]
        atoms = sorted({*atoms, *(conclusion for *_, conclusion in derived)})
        worlds = [dict(zip(atoms, v, strict=True)) for v in product((True, False), repeat=len(atoms))]
        possible = [
            w for w in worlds if all(not w[member] or w[fact] == w[end] for member, fact, end in derived)
        ]
        truths = {claims(w) for w in possible if says(w)}
        return "neutral" if len(truths) == 2 else "entailment" if True in truths else "contradiction"


def test_every_label_is_what_logic_says(world: World, pairs: list[LabelledPair]) -> None:
    logic = Logic(world)
    wrong = [pair for pair in pairs if logic.label(pair.premise, pair.hypothesis) != pair.label]
    assert wrong == []


def test_every_label_of_a_pair_in_other_words_is_what_logic_says() -> None:
    world = load_everyday()
    logic = Logic.of_worded(world)
    stream = Pairs(world, things_of(world, "train"), seed=0, made_up=0.5, worded=1.0).stream()
    drawn = list(islice(stream, PAIRS))
    assert [pair for pair in drawn if logic.label(pair.premise, pair.hypothesis) != pair.label] == []


def test_the_labels_are_balanced(pairs: list[LabelledPair]) -> None:
    counts = Counter(pair.label for pair in pairs)
    assert all(counts[label] / len(pairs) == pytest.approx(1 / 3, abs=0.04) for label in LABELS)


def test_pairs_speak_of_the_things_they_are_given_only(world: World) -> None:
    stream = Pairs(world, ["a penguin", "a spoon"], seed=0).stream()
    texts = [text for pair in islice(stream, 500) for text in (pair.premise, pair.hypothesis)]
    others = [name for name in world.things if name not in ("a penguin", "a spoon")]

    def starts() -> Iterator[str]:
        for text in texts:
            yield from (name for name in others if text.lower().startswith(f"{name} "))

    assert list(starts()) == []


def test_made_up_subjects_are_no_things_of_the_world(world: World) -> None:
    """With nothing but made-up names, no pair speaks of a thing."""
    stream = Pairs(world, [], seed=0, made_up=1.0).stream()
    texts = [text.lower() for pair in islice(stream, 300) for text in (pair.premise, pair.hypothesis)]
    for name in world.things:
        ends = {verb.phrase(sign).split()[0] for verb in _verbs(world) for sign in (True, False)}
        assert not any(text.startswith(f"{name} {end} ") for text in texts for end in ends)


def _verbs(world: World) -> list[VerbPhrase]:
    return [g.verb for g in world.groups.values()] + [p.verb for p in world.properties.values()]


def test_a_stream_is_the_same_for_its_seed_and_part(world: World) -> None:
    def first(seed: int, part: int) -> list[LabelledPair]:
        return list(islice(Pairs(world, ["a penguin", "a spoon"], seed).stream(part), 20))

    assert first(1, 2) == first(1, 2)
    assert first(1, 2) != first(1, 3)
    assert first(1, 2) != first(2, 2)
