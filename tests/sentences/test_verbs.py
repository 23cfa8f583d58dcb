from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.sentences.verbs import Form, bases, is_participle, past, readings, third_person
from maieutic.sentences.verbs import _table as table


@pytest.mark.parametrize(
    ("base", "third", "past_form", "participle"),
    [
        ("bark", "barks", "barked", "barked"),
        ("carry", "carries", "carried", "carried"),
        ("play", "plays", "played", "played"),
        ("stop", "stops", "stopped", "stopped"),
        ("visit", "visits", "visited", "visited"),
        ("prefer", "prefers", "preferred", "preferred"),
        ("love", "loves", "loved", "loved"),
        ("teach", "teaches", "taught", "taught"),
        ("go", "goes", "went", "gone"),
        ("put", "puts", "put", "put"),
        ("swim", "swims", "swam", "swum"),
        ("lie", "lies", "lay", "lain"),
        ("understand", "understands", "understood", "understood"),
    ],
)
def test_forms(base: str, third: str, past_form: str, participle: str) -> None:
    assert third_person(base) == third
    assert past(base) == past_form
    assert is_participle(participle)
    assert all(base in bases(word) for word in (base, third, past_form, participle))


@given(st.sampled_from(sorted(table())))
def test_every_form_of_a_verb_leads_back_to_it(base: str) -> None:
    assert base in bases(third_person(base))
    assert base in bases(past(base))


@pytest.mark.parametrize(
    ("word", "base", "form"),
    [
        ("vlogged", "vlog", Form.PAST),
        ("tokenized", "tokenize", Form.PAST),
        ("regrew", "regrow", Form.PAST),
        ("vlogs", "vlog", Form.THIRD),
    ],
)
def test_an_unknown_verb_is_guessed(word: str, base: str, form: Form) -> None:
    assert (base, form) in {(reading.base, reading.form) for reading in readings(word)}


@pytest.mark.parametrize("word", ["", "the", "glass", "physics", "x", "3"])
def test_other_words_are_no_verbs(word: str) -> None:
    assert not [
        reading for reading in readings(word) if reading.form is not Form.BASE and reading.weight > -2
    ]
