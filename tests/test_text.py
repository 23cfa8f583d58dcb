"""Checks on the questions of users and on the replies of models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import InputError
from maieutic.text import (
    ECHO,
    EMPTY,
    MAX_QUESTION_CHARS,
    MAX_REPLY_CHARS,
    TOO_LONG,
    UNFINISHED,
    as_question,
    as_sentence,
    refusal,
    same_text,
    well_formed,
)

ANY_TEXT = st.text(st.characters())  # surrogates and control characters among them
SPACES = st.text(" \t\r\n\x0b\x0c\x1c\x85\xa0\u2028\u3000", max_size=5)
WORDS = st.lists(st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8), min_size=1)


@given(WORDS, SPACES, SPACES, st.data())
def test_a_question_keeps_its_words_and_loses_its_spacing(
    words: list[str], before: str, after: str, data: st.DataObject
) -> None:
    gaps = [data.draw(SPACES.filter(bool)) for _ in words[1:]] + [after]
    text = before + "".join(word + gap for word, gap in zip(words, gaps, strict=True))
    assert as_question(text) == " ".join(words)


def test_a_question_is_otherwise_kept_as_asked() -> None:
    assert as_question(" is {ice} <b>cold</b>? \n") == "is {ice} <b>cold</b>?"


@pytest.mark.parametrize("text", ["", " ", "\n\t\r", "\u2003\u2028"])
def test_an_empty_question_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        as_question(text)
    assert caught.value.subject == "text"


def test_the_longest_question_is_allowed_and_no_longer_one() -> None:
    longest = "x" * MAX_QUESTION_CHARS
    assert as_question(longest) == longest
    with pytest.raises(InputError) as caught:
        as_question(longest + "x")
    assert caught.value.subject == "text"


@pytest.mark.parametrize("piece", ["x", "is it so? ", "\x1b[2J", "❄", "\n"])
def test_a_question_of_100000_characters_is_refused_in_a_short_line(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    with pytest.raises(InputError) as caught:
        as_question(text)
    message = str(caught.value)
    assert len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize("text", ["Is ice\ud800 cold?", "caf\udce9"])
def test_a_question_that_is_no_unicode_is_refused(text: str) -> None:
    with pytest.raises(InputError):  # it could be neither tokenised nor written to a file
        as_question(text)


@given(ANY_TEXT)
def test_as_sentence_is_idempotent(text: str) -> None:
    once = as_sentence(text)
    assert as_sentence(once) == once


@given(ANY_TEXT)
def test_as_sentence_changes_spacing_and_the_first_letter_only(text: str) -> None:
    sentence = as_sentence(text)
    words = well_formed(text).split()
    assert sentence.split(" ")[1:] == words[1:]
    if words:
        first = words[0]
        assert sentence.split(" ")[0] == first[0].upper() + first[1:]
    assert len(sentence.splitlines()) <= 1


@given(ANY_TEXT, SPACES)
def test_a_sentence_ends_with_its_full_stop_whatever_space_follows(text: str, space: str) -> None:
    assert as_sentence(f"{text}.{space}").endswith(".")
    assert as_sentence(f"{text}!{space}").endswith("!")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ""),
        (" \n", ""),
        ("penguins are birds.", "Penguins are birds."),
        (" Penguins\nare\t birds. ", "Penguins are birds."),
        ("étés are warm.", "Étés are warm."),
        ("NASA is an agency.", "NASA is an agency."),
        ("3.5 is odd.", "3.5 is odd."),
        ('"so" is a word.', '"so" is a word.'),
    ],
)
def test_sentences_exactly(text: str, sentence: str) -> None:
    assert as_sentence(text) == sentence


@pytest.mark.parametrize(
    ("sentence", "flaw"),
    [
        ("Ice is cold.", None),
        ("U.S. ice is 3.5 times colder.", None),
        ("", EMPTY),
        (".", EMPTY),
        ("...", EMPTY),
        ("?", EMPTY),
        (" !. ", EMPTY),
        ("Ice is cold", UNFINISHED),
        ("Ice is cold?", UNFINISHED),
        ("Ice is cold!", UNFINISHED),
        ("Ice is cold. And", UNFINISHED),
        ('"Ice is cold."', UNFINISHED),
        ("Ice is hot.", ECHO),
        ("ICE IS HOT.", ECHO),
        ("Ice is hot..", ECHO),
        ("Statement: Ice is hot.", ECHO),
        ("As I said, statement: Statement: Ice is hot. It is.", ECHO),
        ("Because negation: Negation: this.", ECHO),
        ("Ice is hotter.", None),
        ("x" * (MAX_REPLY_CHARS - 1) + ".", None),
        ("x" * MAX_REPLY_CHARS + ".", TOO_LONG),
        ("x" * 1_000_000, TOO_LONG),
    ],
)
def test_each_reply_is_refused_for_its_reason(sentence: str, flaw: str | None) -> None:
    prompt_parts = ["", " ", "Statement: Ice is hot.", "Negation:"]
    assert refusal(sentence, echoes=["Ice is hot?", "never"], prompt_parts=prompt_parts) == flaw


@pytest.mark.parametrize("text", ["\x00.", "\x1b\x07.", "\u200b\u200d.", "-.", '"".', ", ."])
def test_a_reply_without_a_letter_or_digit_says_nothing(text: str) -> None:
    assert refusal(as_sentence(text)) == EMPTY


@pytest.mark.parametrize("text", ["3.", "是.", "É."])
def test_one_letter_or_digit_says_something(text: str) -> None:
    assert refusal(text) is None


def test_a_prompt_of_several_lines_is_recognised_in_a_reply_made_one_line() -> None:
    query = "Statement: Ice is hot.\nWhy is the statement true?"
    reply = as_sentence(f"{query} Because it is.")
    assert refusal(reply, prompt_parts=[query]) == ECHO


@given(ANY_TEXT, st.lists(ANY_TEXT, max_size=3), st.lists(ANY_TEXT, max_size=3))
def test_what_is_accepted_is_one_finished_line_and_no_echo(
    text: str, echoes: list[str], prompt_parts: list[str]
) -> None:
    sentence = as_sentence(text)
    if refusal(sentence, echoes=echoes, prompt_parts=prompt_parts) is None:
        assert sentence.endswith(".")
        assert sentence.strip(". ")
        assert len(sentence) <= MAX_REPLY_CHARS
        assert len(sentence.splitlines()) == 1
        assert sentence not in {as_sentence(echo) for echo in echoes}


@given(ANY_TEXT)
def test_every_text_is_an_echo_of_itself_or_unusable_anyway(text: str) -> None:
    sentence = as_sentence(text)
    assert refusal(sentence, echoes=[text]) is not None
    assert refusal(sentence, prompt_parts=[sentence]) is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ice is cold.", "  ice  is\ncold ", True),
        ("Is ice cold?", "Is ice cold.", True),
        ("Straße", "STRASSE!", True),
        ("", " . ", True),
        ("Ice is cold.", "Ice is not cold.", False),
        ("Ice: cold", "Ice cold", False),
    ],
)
def test_texts_are_the_same_but_for_case_spacing_and_closing_punctuation(
    one: str, other: str, same: bool
) -> None:
    assert same_text(one, other) is same
    assert same_text(other, one) is same
