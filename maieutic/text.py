"""Screening of text: what a user asks, and what a model answers, which is never trusted.

A reply is used as one sentence: whitespace collapsed, first letter raised. One that cannot be used, such
as a sentence that does not end in a full stop, is refused with a reason, one of the constants below.
"""

from __future__ import annotations

from collections.abc import Collection

from maieutic.errors import InputError

__all__ = [
    "DUPLICATE",
    "ECHO",
    "EMPTY",
    "MAX_QUESTION_CHARS",
    "NO_NEGATION",
    "NO_VERDICT",
    "SAME",
    "TOO_LONG",
    "UNFINISHED",
    "as_question",
    "as_sentence",
    "refusal",
    "same_text",
    "text_key",
    "well_formed",
]

EMPTY = "empty"
UNFINISHED = "unfinished"  # does not end in a full stop
TOO_LONG = "too long"
DUPLICATE = "duplicate"  # of an explanation that the same side already has
ECHO = "echo"  # repeats what it was asked about, or the prompt
SAME = "equals the statement"  # a negation that negates nothing
NO_NEGATION = "no negation"  # an explanation whose negation could not be used
NO_VERDICT = "no verdict"  # the model never said true or false

MAX_QUESTION_CHARS = 2_000
MAX_REPLY_CHARS = 1_000  # far above what the token limit of 64 allows; servers may not honour it


def as_question(text: str) -> str:
    """A user's question or statement, whitespace collapsed.

    Raises:
        InputError: it is empty, longer than ``MAX_QUESTION_CHARS``, or not valid Unicode.
    """
    if len(text) > MAX_QUESTION_CHARS:
        start = " ".join(text[:40].split())
        raise InputError(
            f"the statement that begins {start!r} has {len(text):,} characters; "
            f"give one sentence of at most {MAX_QUESTION_CHARS:,}"
        )
    question = " ".join(text.split())
    if well_formed(question) != question:
        raise InputError(
            f"the statement {well_formed(question)[:40]!r} is not valid Unicode; give it in UTF-8"
        )
    if not question:
        raise InputError("the statement is empty; give one sentence, such as 'A penguin can fly.'")
    return question


def well_formed(text: str) -> str:
    """The text with lone surrogates, which no file can hold, replaced by question marks."""
    return text.encode(errors="replace").decode()


def as_sentence(text: str) -> str:
    """The text, well formed, with whitespace collapsed and its first letter raised.

    >>> as_sentence("  penguins are\\n birds. ")
    'Penguins are birds.'
    """
    text = " ".join(well_formed(text).split())
    return text[:1].upper() + text[1:]


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ at most in case, spacing and closing punctuation."""
    return text_key(one) == text_key(other)


def refusal(sentence: str, *, echoes: Collection[str] = (), prompt_parts: Collection[str] = ()) -> str | None:
    """Why a reply (as :func:`as_sentence` gives it) cannot be used, or None if it can.

    Args:
        echoes: texts that the reply must not merely repeat.
        prompt_parts: pieces of the prompt; none of their lines may occur in it.

    >>> refusal("Because."), refusal("Because it"), refusal("It is ice.", echoes=["it is ice"])
    (None, 'unfinished', 'echo')
    """
    if not any(map(str.isalnum, sentence)):
        return EMPTY
    if len(sentence) > MAX_REPLY_CHARS:
        return TOO_LONG
    if not sentence.endswith("."):
        return UNFINISHED
    if any(same_text(sentence, echo) for echo in echoes):
        return ECHO
    lines = (" ".join(line.split()) for part in prompt_parts for line in part.splitlines())
    if any(line and line in sentence for line in lines):
        return ECHO
    return None


def text_key(text: str) -> str:
    """What texts have in common that differ at most in case, spacing and closing punctuation."""
    return " ".join(text.split()).casefold().strip(" .?!")
