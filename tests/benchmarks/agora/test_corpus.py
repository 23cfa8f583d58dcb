"""The training text: no leaks between splits, no false assertions, deterministic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import pytest

from maieutic.benchmarks.agora.claims import (
    FRAMES,
    Claim,
    chain,
    check_split,
    derived,
    split_in,
    split_of,
    things_of,
)
from maieutic.benchmarks.agora.corpus import MIX, Corpus, Document
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.questions import Question, contested, questions
from maieutic.benchmarks.agora.world import World
from maieutic.errors import InputError
from maieutic.prompts import PromptSet

DOCUMENTS = 20_000


@pytest.fixture(scope="module")
def documents(world: World, prompts: PromptSet) -> Sequence[Document]:
    return list(islice(Corpus(world, prompts, seed=0).documents(), DOCUMENTS))


def wordings(world: World, thing: str, name: str) -> set[str]:
    """Every clause and question about a property of a thing."""
    claim = derived(world, thing, name)
    clauses = (claim.clause, claim.negated().clause, claim.question.removesuffix("?"))
    return {words.lower() for words in clauses}


def test_the_splits_are_of_things_and_cover_them(world: World) -> None:
    parts: list[Sequence[str]] = [things_of(world, split) for split in ("train", "dev", "test")]
    assert sorted(name for part in parts for name in part) == sorted(world.things)
    assert len(parts[0]) > len(parts[2]) > len(parts[1]) > 50


def test_a_split_of_another_name_is_refused() -> None:
    assert check_split("dev") == "dev"
    with pytest.raises(InputError) as caught:
        check_split("validation")
    assert caught.value.subject == "split"


def test_no_derived_property_of_a_held_out_thing_is_in_the_training_text_in_any_wording(
    world: World, documents: Sequence[Document]
) -> None:
    held_out: dict[str, set[str]] = {}
    for thing, name in world.derivations:
        if split_in(world, thing) != "train":
            held_out.setdefault(thing, set()).update(wordings(world, thing, name))
    assert sum(map(len, held_out.values())) > 20_000
    # A clause follows a mark, a frame or a conjunction: "garlic bread" is not "bread".
    before = r"(?:\||that |because |and |or |^) ?"
    leaks = []
    for text in {re.sub(r"[^a-z' -]", "|", document.text.lower()) for document in documents}:
        said = (words for thing, all_words in held_out.items() if thing in text for words in all_words)
        leaks += [w for w in said if w in text and re.search(f"{before}{re.escape(w)}(?:[|]|$)", text)]
    assert leaks == []


def test_documents_name_the_things_whose_properties_they_speak_of(
    world: World, documents: Sequence[Document]
) -> None:
    named = [thing for document in documents for thing in document.things]
    assert len(named) > DOCUMENTS / 8
    assert {split_in(world, thing) for thing in named} == {"train"}


def test_held_out_things_are_met_through_their_memberships(
    world: World, documents: Sequence[Document]
) -> None:
    facts = "\n".join(document.text.lower() for document in documents if document.kind.endswith("fact"))
    met = [thing for thing in things_of(world, "test") if f"{thing} " in facts]
    assert len(met) > 0.6 * len(things_of(world, "test"))


def test_nothing_false_is_asserted(world: World, documents: Sequence[Document]) -> None:
    oracle = Oracle(world)
    facts = [document.text for document in documents if document.kind == "fact"]
    assert len(facts) > DOCUMENTS / 20
    assert [text for text in facts if oracle.truth(text) is not True] == []
    everyday = [document.reply for document in documents if document.kind == "everyday fact"]
    assert len(everyday) > DOCUMENTS / 20
    truths = [oracle.truth(text) for text in everyday]  # unknown in other words
    assert truths.count(False) == 0
    assert truths.count(True) > len(everyday) / 3


def test_every_verdict_is_right(world: World, prompts: PromptSet, documents: Sequence[Document]) -> None:
    oracle, verdicts = Oracle(world), Counter[bool]()
    for document in documents:
        if document.kind not in ("think", "judge"):
            continue
        asked = document.prompt.removeprefix("Think: ").partition("?\n")[0] + "."
        reasoning, _, verdict = document.reply.partition(prompts.marker)
        truth = oracle.truth(asked)
        assert truth is not None
        assert verdict == f"{prompts.answers[0 if truth else 1]}."
        assert [oracle.truth(part) for part in reasoning.split(". ") if part.strip()].count(False) == 0
        verdicts[truth] += 1
    assert 0.4 < verdicts[True] / verdicts.total() < 0.6


def test_every_explanation_is_true_and_on_the_right_side(world: World, documents: Sequence[Document]) -> None:
    oracle = Oracle(world)
    for document in documents:
        if document.kind == "explain":
            asked, _, side = document.prompt.removeprefix("Q: ").partition("?\nA: ")
            assert oracle.truth(asked) == side.startswith("True")
            assert oracle.truth(document.reply) is True


def test_the_kinds_come_in_their_shares(documents: Sequence[Document]) -> None:
    counts = Counter(document.kind for document in documents)
    assert set(counts) == set(MIX)
    for kind, share in MIX.items():
        assert counts[kind] / len(documents) == pytest.approx(share / sum(MIX.values()), abs=0.02)


def test_facts_are_met_with_very_different_frequency(world: World, documents: Sequence[Document]) -> None:
    counts = Counter[str]()
    for document in documents:
        if document.kind == "fact":
            counts.update(name for name in world.things if document.text.lower().startswith(f"{name} "))
    ranked = [count for _, count in counts.most_common()]
    assert ranked[0] > 10 * ranked[len(ranked) // 2]


def test_a_stream_is_the_same_for_its_seed_and_part_and_another_for_others(
    world: World, prompts: PromptSet
) -> None:
    def first(seed: int, part: int) -> list[Document]:
        return list(islice(Corpus(world, prompts, seed).documents(part), 50))

    assert first(1, 2) == first(1, 2)
    assert first(1, 2) != first(1, 3)
    assert first(1, 2) != first(2, 2)


# Questions


@pytest.fixture(scope="module")
def asked(world: World) -> Sequence[Question]:
    return questions(world, "test", 800)


def test_questions_are_enough_balanced_and_of_their_split(world: World, asked: Sequence[Question]) -> None:
    assert len(asked) == len({(q.thing, q.property) for q in asked}) == 800
    assert sum(question.truth for question in asked) == 400
    for question in asked:
        assert split_of(question.thing) == "test"
        assert question.statement == derived(world, question.thing, question.property).text


def test_a_property_alone_tells_nothing_of_the_answer(asked: Sequence[Question]) -> None:
    for name in {question.property for question in asked}:
        truths = [question.truth for question in asked if question.property == name]
        assert 2 * sum(truths) == len(truths)


def test_gold_explanations_are_true_and_end_in_the_statement(world: World, asked: Sequence[Question]) -> None:
    oracle = Oracle(world)
    for question in asked:
        ways = world.derivations[question.thing, question.property]
        assert question.chains == tuple(chain(world, way).text for way in ways)
        assert {oracle.truth(text) for text in question.chains} == {True}
        assert oracle.truth(question.statement) == question.truth


def test_contested_pairs_are_those_on_which_the_likes_of_a_thing_disagree(world: World) -> None:
    pairs = contested(world, "dev")
    assert ("a penguin", "engine") not in contested(world, split_of("a penguin"))
    for thing, name in pairs[:50]:
        groups = set(world.things[thing].groups)
        likes = [
            world.truth(other.name, name)
            for other in world.things.values()
            if other.name != thing and len(groups & set(other.groups)) >= 2
        ]
        assert {True, False} <= set(likes)


def test_questions_are_the_same_for_a_seed_and_others_for_another(world: World) -> None:
    assert questions(world, "dev", 40, seed=1) == questions(world, "dev", 40, seed=1)
    assert questions(world, "dev", 40, seed=1) != questions(world, "dev", 40, seed=2)


# The oracle


@pytest.mark.parametrize(
    ("sentence", "truth"),
    [
        ("A spoon is made of steel.", True),
        ("A spoon is not made of steel.", False),
        ("It is a fact that a penguin cannot fly.", True),
        ("A penguin is a bird, and birds have feathers.", True),
        ("A penguin is a fish, and fish have scales.", False),
        ("A penguin is not a bird, or birds do not have feathers.", False),
        ("A penguin is not a fish, or fish do not have scales.", True),
        ("A penguin thinks of home.", None),
        ("A penguin is a bird, and birds think of home.", None),
        ("A penguin is a fish, and fish think of home.", False),
        ("", None),
    ],
)
def test_the_oracle_knows_what_the_world_knows(world: World, sentence: str, truth: bool | None) -> None:
    assert Oracle(world).truth(sentence) is truth


def test_what_a_member_is_known_to_break_is_not_so_in_general(world: World) -> None:
    """The definition, for every general statement that no table makes: false if a member breaks it."""
    oracle, refuted = Oracle(world), 0
    for group in world.groups.values():
        members = [name for name, thing in world.things.items() if group.id in thing.groups]
        for name in world.properties.keys() - group.properties.keys():
            truths = {world.truth(member, name) for member in members}
            for affirmed in (True, False):
                claim = Claim(group.members, True, world.properties[name].verb, affirmed, True)
                assert oracle.truth(claim.text) is (False if (not affirmed) in truths else None)
                refuted += (not affirmed) in truths
    assert refuted > 1000


def test_the_oracle_understands_every_frame(world: World) -> None:
    claim = derived(world, "a penguin", "feathers")
    for frame in range(len(FRAMES)):
        assert Oracle(world).truth(claim.framed(frame).text) is True
        assert Oracle(world).truth(claim.negated().framed(frame).text) is False
