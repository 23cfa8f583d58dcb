"""Telling questions that can be answered yes or no from others."""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.errors import InputError
from maieutic.sentences.clauses import finite_verbs
from maieutic.sentences.inversion import inverted, is_subject
from maieutic.sentences.tags import CLOSING, last_sentence, without_tag
from maieutic.sentences.tokens import Token, tokens
from maieutic.sentences.verbs import is_participle
from maieutic.sentences.vocabulary import is_adjective, is_auxiliary, words

__all__ = ["check_yes_no", "is_yes_no"]

MOST_WORDS_OF_CHOICE = 6  # of *tea or coffee?* and its like
SHOWN_CHARS = 60
CLEAR_VERB = 1.0


def check_yes_no(question: str) -> None:
    """Do nothing if :func:`is_yes_no` accepts a text.

    Raises:
        InputError: it does not; the message is one sentence with a hint.
    """
    if not is_yes_no(question):
        shown = " ".join(question.split())[:SHOWN_CHARS]
        raise InputError(
            f"{shown!r} has no answer yes or no; ask something that has one, such as 'Can a penguin fly?'",
            subject="text",
        )


def is_yes_no(question: str) -> bool:
    """Whether a text is a statement or a question that can be answered yes or no.

    A text is refused only if it asks for something else: with *what*, *why*, *how* and their like, with an
    order such as *name* or *list*, or with a bare choice such as *tea or coffee?*. A choice with a verb, such
    as *is ice hot or cold*, is accepted, and so is a text without words.

    >>> is_yes_no("When it rains, is the street wet?"), is_yes_no("When does it rain?")
    (True, False)
    >>> is_yes_no("Is what you eat important?"), is_yes_no("Tea or coffee?"), is_yes_no("Name three birds.")
    (True, False, False)
    """
    text = " ".join(question.split())
    sequence = tokens(last_sentence(text)[1])
    if not sequence or without_tag(text) != text.rstrip(CLOSING):
        return True
    asked = text.endswith("?")
    if _asks_openly(sequence, asked):
        return False
    if inverted(sequence) is not None:
        return True
    first, last = sequence[0].lower, sequence[-1].lower
    verbs = [verb for verb in finite_verbs(sequence) if verb.score >= CLEAR_VERB]
    orders = first in words("verbs", "requests") and len(verbs) <= _clauses(sequence)
    short = asked and not verbs and len(sequence) <= MOST_WORDS_OF_CHOICE
    choice = short and any(token.lower == "or" for token in sequence)
    in_place = asked and last in words("grammar", "questions") - {"which"}
    return not (orders or choice or in_place)


def _clauses(sequence: Sequence[Token]) -> int:
    """The number of words that begin a subordinate clause."""
    return sum(token.lower in words("grammar", "subordinators") for token in sequence)


def _asks_openly(sequence: Sequence[Token], asked: bool) -> bool:
    """Whether the sentence asks with *what*, *why* and their like; ``asked`` if it has a question mark."""
    behind = sequence[0].lower in words("grammar", "prepositions") | {"so", "and", "but"}
    start = 1 if behind else 0
    if start >= len(sequence) or sequence[start].lower not in words("grammar", "questions"):
        return False
    if len(sequence) <= start + 2:
        return len(sequence) == 1 or asked or is_auxiliary(sequence[-1].lower) or sequence[-1].joined
    if any(_asks_behind_comma(sequence, i) for i in range(start + 1, len(sequence) - 1)):
        return False
    return _begins_question(sequence[start:], asked)


def _begins_question(sequence: Sequence[Token], asked: bool) -> bool:
    """Whether a sentence of at least three words that begins with *what* or its like is a question."""
    first, second, third = (token.lower for token in sequence[:3])
    verbs = sum(verb.score >= 0 for verb in finite_verbs(sequence))
    if is_auxiliary(second) or sequence[1].joined:
        described = is_participle(third) or is_adjective(third)  # "what is done cannot be undone"
        return not (second in words("verbs", "be") and described and verbs > _clauses(sequence))
    subject = second in words("grammar", "subject_pronouns", "articles", "possessives")
    if first == "how" and second == "come":
        return True
    if first not in {"when", "where"} and not subject and _inverts(sequence, 2):
        return True
    statement = first == "when" or (subject and not asked and first in {"where", "how", "what"})
    return verbs < (1 if second == "to" else 2) and not statement


def _asks_behind_comma(sequence: Sequence[Token], i: int) -> bool:
    """Whether the word at a place is an auxiliary behind a comma and in front of a subject."""
    comma = sequence[i - 1].after.endswith((",", ";", ":"))
    return comma and is_auxiliary(sequence[i].lower) and is_subject(sequence, i + 1)


def _inverts(sequence: Sequence[Token], start: int) -> bool:
    """Whether an auxiliary soon from ``start`` on precedes a subject, as in *how many legs has it*."""
    subjects = words("grammar", "subject_pronouns", "articles", "possessives")
    for i in range(start, min(start + 3, len(sequence) - 1)):
        if is_auxiliary(sequence[i].lower):
            return sequence[i].lower in {"do", "does", "did"} or sequence[i + 1].lower in subjects
    return False
