from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.sentences import content_words, keeps_words


@pytest.mark.parametrize(
    ("candidate", "source"),
    [
        ("A penguin flies.", "Does a penguin fly?"),
        ("Caesar went home.", "Did Caesar go home?"),
        ("Leaves fall.", "A leaf falls."),
        ("Mice are small.", "Is a mouse small?"),
        ("Penguins cannot fly.", "Penguins can fly."),
        ("No birds are mammals.", "Some bird is a mammal."),
        ("It is not the case that ice burns.", "Ice burns."),
        ("Ice is cold.", "Ice is cold, isn't it?"),
        ("You need not wear a hat.", "You must wear a hat."),
        ("They are old.", "They're old."),
        ("Cats travelled.", "The cat travels."),
        ("Neither cats nor dogs fly.", "Cats and dogs fly."),
    ],
)
def test_the_words_are_kept(candidate: str, source: str) -> None:
    assert keeps_words(candidate, source)
    assert keeps_words(source, candidate)


@pytest.mark.parametrize(
    ("candidate", "source"),
    [
        ("A whale shark is a fish.", "Is a whale a fish?"),  # a word more
        ("A whale is an animal.", "A whale is a fish."),  # another word
        ("Birds fly.", "Birds fly with wings."),  # a word less
        ("Butterflies fly with two wings.", "Butterflies fly with three wings."),
        ("Ice is under the table.", "Ice is on the table."),
        ("A penguin can fly.", "Does a penguin fly?"),
        ("She left.", "He left."),
        ("A dog dog barks.", "A dog barks."),
        ("A mass is heavy.", "A mas is heavy."),
    ],
)
def test_other_words_are_not(candidate: str, source: str) -> None:
    assert not keeps_words(candidate, source)
    assert not keeps_words(source, candidate)


@given(st.text())
def test_every_text_keeps_its_own_words(text: str) -> None:
    assert keeps_words(text, text)


def test_words_are_counted_in_their_base_form() -> None:
    assert content_words("The mice ran and the mouse runs.") == {"mouse": 2, "run": 2}
    assert content_words("Is it true that 3 leaves went home?") == {"3": 1, "leaf": 1, "go": 1, "home": 1}
    assert content_words("") == {}
