"""Clauses of a coordinated sentence that are sentences of their own."""

from __future__ import annotations

import re

from maieutic.sentences.finite import finite_verb
from maieutic.sentences.tokens import tokens
from maieutic.sentences.vocabulary import is_auxiliary

__all__ = ["is_claim", "split_clauses"]

_JOINT = re.compile(r"(?:,\s+(?:and|but|yet|while|whereas)\s+|;\s+(?:and\s+|but\s+)?)")
CLEAR_VERB = 0.0  # nats of odds that a word is a finite verb
LEAST_WORDS = 2  # of a clause that stands alone


def split_clauses(sentence: str) -> tuple[tuple[int, int], ...]:
    """The places (start, end) of the clauses of a sentence that can each be true or false alone.

    A sentence is cut at a comma with *and*, *but* and their like, or at a semicolon, where both sides have a
    subject and a finite verb. Conditions and other subordinate clauses stay whole.

    >>> text = "A cork floats in water, and a brick sinks."
    >>> [text[start:end] for start, end in split_clauses(text)]
    ['A cork floats in water', 'a brick sinks.']
    >>> split_clauses("A dog has legs, ears, and a tail.")
    ((0, 33),)
    """
    if re.match(r"\s*(?:if|when|because|although|unless|since|while)\b", sentence, re.IGNORECASE):
        return ((0, len(sentence)),)
    cuts = [(0, 0)]
    for joint in _JOINT.finditer(sentence):
        before, after = sentence[cuts[-1][1] : joint.start()], sentence[joint.end() :]
        if is_claim(before) and _stands_alone(after):
            cuts.append((joint.start(), joint.end()))
    ends = [*(start for start, _ in cuts[1:]), len(sentence)]
    return tuple((cut[1], end) for cut, end in zip(cuts, ends, strict=True))


def is_claim(text: str) -> bool:
    """Whether a text says something that can be true or false, as far as that can be told from its words.

    >>> is_claim("Penguins swim well."), is_claim("Chapter 3"), is_claim("Can it fly?")
    (True, False, False)
    """
    sequence = tokens(text)
    if text.rstrip().endswith("?") or len(sequence) < 2:
        return False
    found = (finite_verb(sequence, place) for place in range(1, len(sequence)))
    return any(verb is not None and verb.score >= CLEAR_VERB for verb in found)


def _stands_alone(clause: str) -> bool:
    """Whether what follows a conjunction has a subject before its first finite verb."""
    end = _JOINT.search(clause)
    sequence = tokens(clause[: end.start()] if end else clause)
    if len(sequence) < LEAST_WORDS or is_auxiliary(sequence[0].lower):
        return False
    first = finite_verb(sequence, 0)
    rest = [finite_verb(sequence, place) for place in range(1, len(sequence))]
    scores = [verb.score for verb in rest if verb is not None]
    return bool(scores) and max(scores) >= CLEAR_VERB and (first is None or first.score < max(scores))
