"""Everyday things and questions: many, right, kept apart from the benchmark, and asked in every form."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest

from maieutic.benchmarks.agora.claims import Split, derived, membership, split_in, things_of
from maieutic.benchmarks.agora.corpus import Corpus, Document
from maieutic.benchmarks.agora.everyday import SURE, Result, answered, answered_directly, table
from maieutic.benchmarks.agora.everyday_questions import (
    FORMS,
    KINDS,
    EverydayQuestion,
    everyday_questions,
    kind_of,
    plain_questions,
)
from maieutic.benchmarks.agora.questions import contested, questions
from maieutic.benchmarks.agora.wording import careless, other_wordings, plural, pluralized
from maieutic.benchmarks.agora.world import World, load_everyday
from maieutic.prompts import PromptSet
from maieutic.sentences import content_words, keeps_words, negations, statements

DOCUMENTS = 20_000


@pytest.fixture(scope="module")
def everyday() -> World:
    return load_everyday()


@pytest.fixture(scope="module")
def documents(everyday: World, prompts: PromptSet) -> Sequence[Document]:
    return list(islice(Corpus(everyday, prompts, seed=0).documents(), DOCUMENTS))


# The world


@pytest.mark.parametrize(
    ("split", "count", "checksum"),
    [("dev", 312, "0d290e4887c633b4"), ("test", 1160, "cfbaf964706dec54")],
)
def test_the_everyday_tables_change_no_question_of_the_benchmark(
    world: World, split: Split, count: int, checksum: str
) -> None:
    asked = questions(world, split, 100_000)
    text = "\n".join(f"{question.statement}\t{question.truth}\t{question.chains}" for question in asked)
    assert (len(asked), hashlib.sha256(text.encode()).hexdigest()[:16]) == (count, checksum)


def test_the_world_has_the_nouns_that_a_child_knows(world: World, everyday: World) -> None:
    nouns = {name.split()[-1] for name in everyday.things if len(name.split()) <= 2}
    assert len(nouns) >= 600
    assert world.things.keys() < everyday.things.keys()
    assert sum(thing.everyday for thing in everyday.things.values()) >= 300
    known = {name.partition(" ")[2] or name for name in everyday.things}
    common = """
    dog cat bird fish horse cow mouse bear lion tree flower apple banana bread milk water egg cake
    car bus train boat plane bike house school shop door window table chair bed lamp clock cup glass
    plate knife fork spoon book pen ball doll kite drum shirt shoe hat coat hand foot eye ear nose
    mouth tooth head sun moon star rain snow fire stone sand river sea mountain man woman boy girl
    baby doctor teacher king queen hammer saw key box bag phone computer"""
    assert set(common.split()) - known == set()


def test_what_the_everyday_world_says_agrees_with_the_benchmarks_world(world: World, everyday: World) -> None:
    for thing, name in world.derivations:
        assert everyday.truth(thing, name) == world.truth(thing, name)


# Training


def test_no_contested_claim_of_a_held_out_thing_is_in_the_training_text(
    world: World, everyday: World, documents: Sequence[Document]
) -> None:
    """In its own words or other words, about one thing or all."""
    pairs = [pair for split in ("dev", "test") for pair in contested(world, split)]
    clauses = {}
    for thing, name in pairs:
        plain = derived(world, thing, name)
        verbs = [plain.verb, *other_wordings().get(name, ())]
        for verb in verbs:
            claim = replace(plain, verb=verb)
            for each in (claim, pluralized(claim), *(careless(claim, way) for way in ("the", "article"))):
                clauses[each.clause] = (thing, name)
                clauses[each.negated().clause] = (thing, name)
    asked = Counter(
        document.prompt.partition(": ")[2].partition("?")[0].lower() or document.reply.lower().rstrip(".")
        for document in documents
    )
    assert not clauses.keys() & asked.keys()


def test_held_out_everyday_questions_are_never_asked(everyday: World, documents: Sequence[Document]) -> None:
    held_out = {question.clause for question in everyday_questions(everyday, "test", 640)}
    asked = {
        document.prompt.partition(": ")[2].partition("?")[0].lower()
        for document in documents
        if document.prompt.startswith(("Q: ", "Think: "))
    }
    assert not held_out & asked


def test_everyday_documents_about_held_out_things_are_facts(
    everyday: World, documents: Sequence[Document]
) -> None:
    held_out = [
        name
        for name in everyday.things
        if everyday.things[name].everyday and split_in(everyday, name) != "train"
    ]
    said = [item.verb for item in everyday.properties.values()]
    said += [group.verb for group in everyday.groups.values()]
    said += [verb for verbs in other_wordings().values() for verb in verbs]
    first = {verb.phrase(sign).split()[0] for verb in said for sign in (True, False)}
    starts = tuple(f"{name} {word} " for name in held_out for word in first)
    kinds = Counter(
        document.kind
        for document in documents
        if document.kind.startswith("everyday") and document.text.partition(": ")[2].startswith(starts)
    )
    assert set(kinds) == {"everyday fact"}


# Questions


def test_questions_are_balanced_over_kinds_and_answers(everyday: World) -> None:
    asked = everyday_questions(everyday, "test", 640)
    assert len(asked) == 640
    assert {question.kind for question in asked} == set(KINDS)
    assert {question.form for question in asked} >= set(FORMS)
    assert {split_in(everyday, question.thing) for question in asked} == {"test"}
    yes = sum(question.answer for question in asked)
    assert 0.4 < yes / len(asked) < 0.6
    assert asked == everyday_questions(everyday, "test", 640)


def test_plain_questions_are_right_by_the_world(everyday: World) -> None:
    asked = plain_questions()
    assert len(asked) >= 60
    claims: dict[str, bool] = {}
    for thing in everyday.things:
        for name in everyday.properties:
            truth = everyday.truth(thing, name)
            if truth is not None:
                claim = derived(everyday, thing, name)
                claims |= {claim.question: truth, pluralized(claim).question: truth}
        for group in everyday.things[thing].groups:
            claim = membership(everyday, thing, group, True)
            claims |= {claim.question: True, pluralized(claim).question: True}
    known = [question for question in asked if question.text in claims]
    assert len(known) >= 40
    assert [question for question in known if claims[question.text] != question.answer] == []


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_claim_is_about_what_was_asked(everyday: World, form: str) -> None:
    """The statement of a question, and its negation, keep the words of the claim, with every property."""
    for name in everyday.properties:
        things = [thing for thing in things_of(everyday, "test") if everyday.truth(thing, name) is not None]
        for thing in things[:: max(1, len(things) // 2)]:
            text = FORMS[form](derived(everyday, thing, name))
            statement = statements(text)[0]
            assert keeps_words(statement, text), (statement, text)
            assert keeps_words(negations(statement)[0], text), (negations(statement)[0], text)


def test_the_plural_of_a_name() -> None:
    names = ("a mouse", "a knife", "a wooden box", "a pair of scissors", "an earring", "a cherry", "the sun")
    plurals = ["mice", "knives", "wooden boxes", "scissors", "earrings", "cherries", None]
    assert [plural(name) for name in names] == plurals


# Answers of the bundled model


@pytest.fixture(scope="module")
def results(everyday: World) -> Sequence[Result]:
    return answered([*plain_questions(), *everyday_questions(everyday, "test", 48)])


def test_the_bundled_model_answers_plain_questions(results: Sequence[Result]) -> None:
    """No worse than what docs/agora.md says, with some room for other processors."""
    plain = [result for result in results if result.question.kind == "plain"]
    assert sum(result.right for result in plain) >= 0.8 * len(plain)
    assert sum(result.wrong_and_sure for result in plain) <= 0.15 * len(plain)


def test_every_statement_shown_is_about_what_was_asked(results: Sequence[Result]) -> None:
    for result in results:
        assert keeps_words(result.statement, result.question.text)


def test_direct_answers_and_their_table(everyday: World) -> None:
    asked = everyday_questions(everyday, "test", 200)
    found = answered_directly(asked)
    assert len(found) == 200
    assert sum(result.right for result in found) >= 0.8 * len(found)
    rows = table(found).splitlines()
    assert len(rows) == 2 + len({question.kind for question in asked}) + 1


def test_a_result_is_right_wrong_or_unsure() -> None:
    question = EverydayQuestion("Is it?", True, "is a", "question")
    assert Result(question, "It is.", 0.6).right
    assert not Result(question, "It is.", 0.4).wrong_and_sure
    assert Result(question, "It is.", 1 - SURE).wrong_and_sure
    unsure = Result(question, "It is.", 0.1, unsure=True)
    assert not (unsure.right or unsure.wrong or unsure.wrong_and_sure)
    assert kind_of(derived(load_everyday(), "a penguin", "wings")) == "has"
    assert content_words("It is.")
