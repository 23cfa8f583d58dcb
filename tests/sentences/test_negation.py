from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maieutic.sentences import keeps_words, negations
from maieutic.sentences.negation import LAST_RESORT, MAX_NEGATIONS
from tests.sentences.sentence_grammar import Sentence, sentences

FIRST = {
    # an auxiliary takes "not"
    "Ice is cold.": "Ice is not cold.",
    "Penguins can fly.": "Penguins cannot fly.",
    "They're tall.": "They're not tall.",
    "The sun has set.": "The sun has not set.",
    "A car will stop.": "A car will not stop.",
    "Cats are often asleep.": "Cats are not often asleep.",
    # a verb takes "do", which takes its form
    "A dog barks.": "A dog does not bark.",
    "Dogs bark.": "Dogs do not bark.",
    "She went home.": "She did not go home.",
    "The baby cries at night.": "The baby does not cry at night.",
    "A dog has a tail.": "A dog does not have a tail.",
    "You have to eat.": "You do not have to eat.",
    "People used to smoke.": "People did not use to smoke.",
    "He put the book on the table.": "He did not put the book on the table.",
    "Dogs always bark.": "Dogs do not always bark.",
    "He does the dishes.": "He does not do the dishes.",
    "Birds regrow their feathers.": "Birds do not regrow their feathers.",
    "Mary Shelly wrote books.": "Mary Shelly did not write books.",
    "Cats use tap water.": "Cats do not use tap water.",
    "Salt helps people sleep.": "Salt does not help people sleep.",
    "Paul travelled to Rome.": "Paul did not travel to Rome.",
    "You must wear a hat.": "You need not wear a hat.",
    "He likes some apples.": "He does not like any apples.",
    # which word is the verb
    "The work shows a river.": "The work does not show a river.",
    "Fish farms need clean water.": "Fish farms do not need clean water.",
    "May is a month.": "May is not a month.",
    "Children like to play.": "Children do not like to play.",
    # the main clause
    "People who are tall can play.": "People who are tall cannot play.",
    "The food you eat is important.": "The food you eat is not important.",
    "If it rains, the street is wet.": "If it rains, the street is not wet.",
    "After dinner people sleep.": "After dinner people do not sleep.",
    "Rome is older than people think.": "Rome is not older than people think.",
    "Tom says that ice is cold.": "Tom does not say that ice is cold.",
    "The box made of wood burns.": "The box made of wood does not burn.",
    # quantifiers
    "All birds fly.": "Not all birds fly.",
    "Every bird has wings.": "Not every bird has wings.",
    "Everyone sleeps.": "Not everyone sleeps.",
    "Some birds fly.": "No birds fly.",
    "Someone is here.": "No one is here.",
    "Most people sleep.": "Most people do not sleep.",
    "Only birds fly.": "Not only birds fly.",
    "Dogs sometimes bark.": "Dogs never bark.",
    "Sometimes dogs bark.": "Dogs never bark.",
    "Sometimes a dog is loud.": "A dog is never loud.",
    "Tom still works.": "Tom no longer works.",
    "There is water on Mars.": "There is no water on Mars.",
    "There are seven seas.": "There are not seven seas.",
    # a negation is taken out
    "Penguins cannot fly.": "Penguins can fly.",
    "I won't go.": "I will go.",
    "Snow doesn't fall in July.": "Snow falls in July.",
    "We didn't see it.": "We saw it.",
    "Ice never burns.": "Ice burns.",
    "No bird is a mammal.": "Some bird is a mammal.",
    "No birds are mammals.": "Some birds are mammals.",
    "Nobody likes rain.": "Somebody likes rain.",
    "Nothing is free.": "Something is free.",
    "None of the birds fly.": "Some of the birds fly.",
    "Not all birds fly.": "All birds fly.",
    "Some birds do not fly.": "All birds fly.",
    "Neither cats nor dogs fly.": "Either cats or dogs fly.",
    "He has no hair.": "He has hair.",
    "The box does not hold any apples.": "The box holds some apples.",
    "A cat almost never swims.": "A cat sometimes swims.",
    "Tom no longer works.": "Tom still works.",
    "You need not wear a hat.": "You must wear a hat.",
    "It is not the case that penguins fly.": "Penguins fly.",
    "It's false that ice burns.": "Ice burns.",
}


@pytest.mark.parametrize(("statement", "negation"), FIRST.items())
def test_the_first_negation(statement: str, negation: str) -> None:
    assert negations(statement)[0] == negation


@pytest.mark.parametrize(
    ("statement", "negation"),
    [
        ("Ice never burns.", "Ice sometimes burns."),
        ("No bird is a mammal.", "A bird is a mammal."),
        ("All birds fly.", "Some birds do not fly."),
        ("Some birds fly.", "Some birds do not fly."),
        ("People who are tall can play.", "People who are not tall can play."),
        ("Ice melts and water freezes.", "Ice melts and water does not freeze."),
        ("You must wear a hat.", "You must not wear a hat."),
        ("Neither cats nor dogs fly.", "Both cats and dogs fly."),
        ("He has no role.", "He has a role."),
        ("He has no idea.", "He has an idea."),
        ("Tom says that ice is cold.", "Tom says that ice is not cold."),
    ],
)
def test_another_negation_is_offered(statement: str, negation: str) -> None:
    assert negation in negations(statement)


@pytest.mark.parametrize(
    ("statement", "last"),
    [
        ("Penguins fly.", "It is not the case that penguins fly."),
        ("The sun is hot.", "It is not the case that the sun is hot."),
        ("New York is big.", "It is not the case that New York is big."),
        ("Caesar saw Rome.", "It is not the case that Caesar saw Rome."),
        ("I sleep.", "It is not the case that I sleep."),
        ("DNA is a molecule.", "It is not the case that DNA is a molecule."),
        ("Swimming is fun.", "It is not the case that swimming is fun."),
        ("Blue whale.", "It is not the case that blue whale."),
    ],
)
def test_the_last_resort_keeps_names(statement: str, last: str) -> None:
    assert negations(statement)[-1] == last


def test_a_statement_without_a_verb_has_only_the_last_resort() -> None:
    assert negations("A blue whale.") == ("It is not the case that a blue whale.",)


@given(sentences())
def test_every_negation_is_another_sentence_with_the_same_words(sentence: Sentence) -> None:
    found = negations(sentence.statement)
    assert 1 < len(found) <= MAX_NEGATIONS
    assert len(set(found)) == len(found)
    assert found[-1].startswith(LAST_RESORT)
    for negation in found:
        assert negation != sentence.statement
        assert negation.endswith(".")
        assert negation[0].isupper()
        assert keeps_words(negation, sentence.statement)


@given(sentences())
def test_double_negation_returns(sentence: Sentence) -> None:
    first, *_, last = negations(sentence.statement)
    assert sentence.statement in negations(first)
    assert negations(last)[0] == sentence.statement


@pytest.mark.parametrize("statement", FIRST)
def test_a_negation_of_some_negation_is_the_statement(statement: str) -> None:
    plain = statement.replace("won't", "will not").replace("n't", " not")
    back = {again for negation in negations(statement) for again in negations(negation)}
    assert plain in back or negations(statement) == (FIRST[statement],)


@given(st.text())
@example("")
@example("...")
@example("not")
@example("It is not the case that")
@example("It is not the case that ?")
@example("never no nobody neither nor")
@example("does")
@example("They're")
def test_no_text_is_without_a_negation(text: str) -> None:
    found = negations(text)
    assert found
    for negation in found:
        assert negation.endswith(".")
        assert any(map(str.isalnum, negation))


WORDS = (
    "is",
    "not",
    "can",
    "the",
    "dog",
    "barks",
    "who",
    "if",
    "never",
    "all",
    "no",
    "some",
    "did",
    "see",
    "and",
)


@given(st.lists(st.sampled_from(WORDS)))
def test_any_order_of_words_has_distinct_negations(words: list[str]) -> None:
    found = negations(" ".join(words))
    assert len(set(found)) == len(found) <= MAX_NEGATIONS
