"""Candidate statements of a yes/no question, by rule.

A statement keeps the words of its question. Where the subject ends is not known, so the auxiliary is put at
every place where it may have stood. A language model can choose among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from maieutic.sentences.auxiliaries import with_word, without_do
from maieutic.sentences.inversion import Inverted, inverted
from maieutic.sentences.places import likely_places
from maieutic.sentences.quantifiers import SOME_OF_ANY
from maieutic.sentences.tags import last_sentence, without_tag
from maieutic.sentences.tokens import Token, spell, tokens

__all__ = ["MAX_STATEMENTS", "statements"]

MAX_STATEMENTS = 6


def statements(question: str) -> tuple[str, ...]:
    """Statements that a yes/no question asks about, at most ``MAX_STATEMENTS``, the likeliest by rule first.

    Each ends in a full stop and keeps the words of the question but for *do* and tags such as *isn't it*.
    There is always at least one: a statement, with or without a question mark, is its own. Of several
    sentences the last is the question; the others are kept in front of it.

    >>> statements("Does a penguin fly?"), statements("Isn't ice cold?")
    (('A penguin flies.',), ('Ice is not cold.',))
    >>> statements("If it rains, is the street wet?")
    ('If it rains, the street is wet.',)
    """
    context, text = last_sentence(without_tag(question))
    found = dict.fromkeys(spell(candidate) for candidate in _candidates(tokens(text)))
    kept = tuple(context + statement for statement in found if statement)
    return kept[:MAX_STATEMENTS] or (" ".join(question.split()) + ".",)


def _candidates(sequence: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Statements, the likeliest first; some may repeat."""
    question = inverted(sequence)
    if question is None:
        yield sequence
        return
    auxiliary, rest, start = question.auxiliary[0].lower, question.rest, len(question.opening)
    done = auxiliary in {"do", "does", "did"} and len(question.auxiliary) == 1
    for place in likely_places(rest, auxiliary):
        moved = _moved(question, place)
        if done and place < len(rest) and rest[place].lower != "not":
            moved = without_do(moved, start + place)
        if all(token.lower != "not" for token in moved[start:]):
            yield from _affirmed(moved, start)
        yield moved
    if sequence[0].text == "Will" and sequence[1].text[0].isupper():  # perhaps a name, as in *Will Smith*
        yield sequence


def _moved(question: Inverted, place: int) -> tuple[Token, ...]:
    """The statement with the auxiliary at a place of the rest."""
    first, *others = question.auxiliary
    small = replace(first, text=first.lower, before="")
    rest = question.rest
    return (*question.opening, *rest[:place], small, *others, *rest[place:])


def _affirmed(sequence: Sequence[Token], start: int) -> Iterator[Sequence[Token]]:
    """The statement without *ever*, or with *some* for *any*, which belong into a question."""
    for i in range(start, len(sequence)):
        lower = sequence[i].lower
        if lower == "ever":
            yield with_word(sequence, i)
            return
        if lower in SOME_OF_ANY and i > start:
            yield with_word(sequence, i, SOME_OF_ANY[lower])
            return
