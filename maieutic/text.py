"""Checks on text: the questions of users and the replies of models, which are untrusted.

A reply is used as one sentence, with whitespace collapsed and the first letter in upper case. A reply
that is not usable, for example because it does not end in a full stop, is rejected with one of the
reasons below. Every discarded text of a tree has one of these reasons.
"""

from __future__ import annotations

from collections.abc import Collection

from maieutic.errors import InputError

__all__ = [
    "CHANGED",
    "DUPLICATE",
    "ECHO",
    "ELSEWHERE",
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
    "shortened",
    "text_key",
    "well_formed",
]

EMPTY = "empty"
UNFINISHED = "unfinished"  # does not end in a full stop
TOO_LONG = "too long"
DUPLICATE = "duplicate"  # same text as an earlier explanation of the same side
ELSEWHERE = "said of something else"  # a chain of thought: what Q says, of another subject
ECHO = "echo"  # repeats the statement to explain or a line of the prompt
CHANGED = "other words"  # said of a generated negation
SAME = "equals the statement"  # said of a negation
NO_NEGATION = "no negation"  # an explanation whose negation was rejected
NO_VERDICT = "no verdict"  # a belief: the reply has no verdict, or P(true) + P(false) is too small

MAX_QUESTION_CHARS = 2_000
MAX_REPLY_CHARS = 1_000  # far above the limit of 64 tokens, which a server may ignore


def shortened(text: str, width: int = 60) -> str:
    """The text in quotation marks, on one line, cut after ``width`` characters.

    >>> shortened("A penguin can fly.", 12)
    "'A penguin c…'"
    """
    quoted = repr(text)
    return quoted if len(quoted) <= width + 2 else f"{quoted[:width]}…{quoted[0]}"


def as_question(text: str) -> str:
    """A user's question or statement, with whitespace collapsed.

    Raises:
        InputError: the text is no str, empty, longer than ``MAX_QUESTION_CHARS`` or not valid Unicode.
    """
    if not isinstance(text, str):
        raise InputError(
            f"a statement must be a text, not {type(text).__name__}; give one sentence", subject="text"
        )
    if len(text) > MAX_QUESTION_CHARS:
        start = " ".join(text[:40].split())
        raise InputError(
            f"the statement that begins {start!r} has {len(text):,} characters; "
            f"give one sentence of at most {MAX_QUESTION_CHARS:,}",
            subject="text",
        )
    question = " ".join(text.split())
    if well_formed(question) != question:
        raise InputError(
            f"the statement {well_formed(question)[:40]!r} is not valid Unicode; give it in UTF-8",
            subject="text",
        )
    if not question:
        raise InputError(
            "the statement is empty; give one sentence, such as 'A penguin can fly.'", subject="text"
        )
    return question


def well_formed(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot encode, replaced by question marks."""
    return text.encode(errors="replace").decode()


def as_sentence(text: str) -> str:
    """The text as valid Unicode, with whitespace collapsed and the first letter in upper case.

    >>> as_sentence("  penguins are\\n birds. ")
    'Penguins are birds.'
    """
    text = " ".join(well_formed(text).split())
    return text[:1].upper() + text[1:]


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ at most in case, spacing and closing punctuation."""
    return text_key(one) == text_key(other)


def refusal(sentence: str, *, echoes: Collection[str] = (), prompt_parts: Collection[str] = ()) -> str | None:
    """The reason to reject a reply in the form of :func:`as_sentence`, or None if it is usable.

    Args:
        echoes: texts that the reply must not equal, in the sense of :func:`same_text`.
        prompt_parts: parts of the prompt; the reply must not contain any of their lines.

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
    """A key that is equal for texts that :func:`same_text` calls equal."""
    return " ".join(text.split()).casefold().strip(" .?!")
