from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maieutic.errors import InputError
from maieutic.sentences import check_yes_no, is_yes_no, keeps_words, statements
from maieutic.sentences.questions import MAX_STATEMENTS
from tests.sentences.sentence_grammar import Sentence, sentences

FIRST = {
    # the auxiliary goes behind the subject
    "Is a whale a fish?": "A whale is a fish.",
    "is a whale a fish": "A whale is a fish.",
    "Is the capital of France Paris?": "The capital of France is Paris.",
    "Can the old dog in the garden bark?": "The old dog in the garden can bark.",
    "Has the sun set?": "The sun has set.",
    "Are you allowed to smoke here?": "You are allowed to smoke here.",
    "Is there water on Mars?": "There is water on Mars.",
    "Will there be rain?": "There will be rain.",
    "Was the man who fell hurt?": "The man who fell was hurt.",
    "Is what you eat important?": "What you eat is important.",
    "Is having a dog nice?": "Having a dog is nice.",
    "Are all cats animals?": "All cats are animals.",
    # "do" goes, and the verb takes its form
    "Does a penguin fly?": "A penguin flies.",
    "Did Caesar see Rome?": "Caesar saw Rome.",
    "Do butterflies fly with three wings?": "Butterflies fly with three wings.",
    "Does the man who runs eat bread?": "The man who runs eats bread.",
    "Do I have to eat?": "I have to eat.",
    "Does a dog always bark?": "A dog always barks.",
    "Does nobody like snow?": "Nobody likes snow.",
    # negative questions
    "Isn't ice cold?": "Ice is not cold.",
    "Can't penguins fly?": "Penguins cannot fly.",
    "Don't dogs bark?": "Dogs do not bark.",
    "Did she not go?": "She did not go.",
    # frames and tags
    "Is it true that ice is cold?": "Ice is cold.",
    "True or false: ice is cold.": "Ice is cold.",
    "Two plus two is four. True or false?": "Two plus two is four.",
    "Ice is cold, isn't it?": "Ice is cold.",
    "Ice isn't warm, is it?": "Ice is not warm.",
    "Penguins fly, right?": "Penguins fly.",
    # statements
    "A whale is a fish?": "A whale is a fish.",
    "penguins fly": "Penguins fly.",
    "Will Smith is an actor.": "Will Smith is an actor.",
    "May is a month.": "May is a month.",
    "Do not run.": "Do not run.",
    "Do not drop a glass because it will break.": "Do not drop a glass because it will break.",
    # openings and sentences before
    "In winter, do bears sleep?": "In winter, bears sleep.",
    "If it rains, is the street wet?": "If it rains, the street is wet.",
    "If you sleep can you see?": "If you sleep you can see.",
    "Tom has a dog. Is it old?": "Tom has a dog. It is old.",
    # words of questions
    "Have you ever seen snow?": "You have seen snow.",
    "Can you see any stars?": "You can see some stars.",
}


@pytest.mark.parametrize(("question", "statement"), FIRST.items())
def test_the_first_statement(question: str, statement: str) -> None:
    assert is_yes_no(question)
    assert statements(question)[0] == statement


def test_the_auxiliary_is_put_at_other_places_too() -> None:
    assert "The French word for castle is chateau." in statements("Is the French word for castle chateau?")
    assert "The film The Village was made in Rome." in statements("Was the film The Village made in Rome?")


@given(sentences())
def test_the_statement_of_a_question_is_found(sentence: Sentence) -> None:
    found = statements(sentence.question)
    assert sentence.statement in found
    assert len(set(found)) == len(found) <= MAX_STATEMENTS
    for statement in found:
        assert statement.endswith(".")
        assert statement[0].isupper()
        assert keeps_words(statement, sentence.question)


@given(sentences())
def test_a_statement_is_its_own(sentence: Sentence) -> None:
    assert statements(sentence.statement)[0] == sentence.statement
    assert statements(sentence.statement[:-1] + "?")[0] == sentence.statement


@given(sentences())
def test_questions_and_statements_are_accepted(sentence: Sentence) -> None:
    check_yes_no(sentence.question)
    check_yes_no(sentence.statement)


@given(st.text())
@example("")
@example("?")
@example("Is")
@example("Does it")
@example("Is it true that?")
@example("don't")
@example("right?")
def test_no_text_is_without_a_statement(text: str) -> None:
    found = statements(text)
    assert found
    assert all(statement.endswith(".") for statement in found)
    is_yes_no(text)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "what's the capital of Spain",
        "Why is the sky blue?",
        "Where is Rome",
        "Who wrote this book?",
        "When do bears sleep?",
        "How many legs does a dog have?",
        "How long is a year?",
        "how to cook rice?",
        "How come birds fly?",
        "What color is the sky?",
        "What makes ice cold?",
        "What do you think causes rain?",
        "Which bird can fly?",
        "Whose dog barks?",
        "In which country is Paris?",
        "At what age do people retire?",
        "The capital of France is what?",
        "Why?",
        "What about birds?",
        "Tea or coffee?",
        "cats or dogs?",
        "Name three birds",
        "Name three birds that can fly.",
        "List all planets",
        "Tell me about birds.",
        "Explain why the sky is blue.",
        "Describe a whale.",
    ],
)
def test_other_questions_are_refused_with_a_hint(question: str) -> None:
    assert not is_yes_no(question)
    with pytest.raises(InputError) as error:
        check_yes_no(question)
    assert error.value.subject == "text"
    assert question in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "When it rains, is the street wet?",
        "When it rains the street is wet.",
        "What goes up must come down.",
        "What you eat matters.",
        "What is done cannot be undone.",
        "Where I live, it rains.",
        "Whoever runs gets tired.",
        "Is tea or coffee better?",
        "Is ice hot or cold?",
        "Name is a word.",
        "Show business is hard.",
        "Do you know what time is?",
        "How you sleep is important.",
        "Penguins",
    ],
)
def test_what_only_looks_like_another_question_is_accepted(text: str) -> None:
    check_yes_no(text)


def test_a_long_question_is_refused_in_a_short_line() -> None:
    with pytest.raises(InputError) as error:
        check_yes_no("What is " + "very " * 400 + "cold?")
    assert len(str(error.value)) < 200
