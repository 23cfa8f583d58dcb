from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.sentences import negations
from maieutic.sentences.subject import says_it_of_another, subject_words

NOUNS = st.sampled_from(("dog", "whale", "lamp", "violin", "teacher"))
VERBS = st.sampled_from(("can swim", "has a tail", "needs water", "is found in a garden", "does not sleep"))
WAYS = st.sampled_from(("A {}", "Every {}", "Some old {}", "No {}"))


@given(NOUNS, NOUNS, WAYS, WAYS, VERBS)
def test_the_same_or_its_negation_is_said_of_another_unless_the_subject_is_the_same(
    mine: str, other: str, way: str, other_way: str, verb: str
) -> None:
    statement, text = f"{way.format(mine)} {verb}.", f"{other_way.format(other)} {verb}."
    different = mine != other and not ("old" in way and "old" in other_way)
    assert says_it_of_another(text, statement) == different
    for negation in negations(text)[:1]:
        assert says_it_of_another(negation, statement) == different


@given(NOUNS, NOUNS, VERBS, VERBS)
def test_what_says_something_else_is_a_reason_whatever_it_is_about(
    mine: str, other: str, verb: str, said: str
) -> None:
    if verb != said:
        assert not says_it_of_another(f"A {other} {said}.", f"A {mine} {verb}.")


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("Dogs are animals, and animals need water.", "A dog needs water."),
        ("Its wings fly.", "A penguin flies."),
        ("The bird flies.", "Penguins fly."),
        (
            "Passover is celebrated by many over Easter.",
            "At this time people celebrate Passover over Easter.",
        ),
        ("Yes.", "A dog barks."),
        ("Barks.", "A dog barks."),
        ("A cat barks.", "Barks."),
    ],
)
def test_a_subject_may_be_named_stood_for_or_missing(text: str, statement: str) -> None:
    assert not says_it_of_another(text, statement)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("Classrooms are not made of cotton.", "Ropes are made of cotton."),
        ("Skateboards are vehicles, and vehicles do not need fuel.", "Motorbikes need fuel."),
    ],
)
def test_a_longer_text_may_say_it_of_another(text: str, statement: str) -> None:
    assert says_it_of_another(text, statement)


@given(NOUNS, VERBS)
def test_the_subject_is_what_stands_before_the_verb(noun: str, verb: str) -> None:
    assert subject_words(f"An old {noun} {verb}.") == {"old", noun}
    assert subject_words(f"It is true that every {noun} {verb}.") == {noun}


def test_a_text_without_a_verb_has_no_subject() -> None:
    assert subject_words("Penguins.") == frozenset()
