"""The claims of a text, each with its place: sentences, and the clauses of coordinated ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from maieutic.errors import InputError
from maieutic.sentences.coordination import is_claim, split_clauses
from maieutic.text import MAX_QUESTION_CHARS, well_formed

__all__ = ["Passage", "Passages", "claims_in"]

_ENDS = re.compile(r"""[.!?:;]["'”’)\]]*\s*$""")
_BULLET = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s+")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """A claim in a text.

    Attributes:
        text: the claim as a sentence, with whitespace collapsed.
        start, end: its place in the text, in characters.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passages:
    """The claims of a text, and how many of its sentences are none: questions, headings, fragments."""

    claims: tuple[Passage, ...]
    skipped: int


def claims_in(text: str, language: str = "en") -> Passages:
    """The claims of a text.

    A paragraph whose lines all stand alone is read line by line, so that claims may stand one a line; others
    are split into sentences. Of a coordinated sentence each clause is a claim.

    Raises:
        InputError: the text has no claim, or a sentence is too long. ``subject`` is "text".

    >>> [claim.text for claim in claims_in("Ice is cold, and fire is hot. Is it?").claims]
    ['Ice is cold.', 'Fire is hot.']
    """
    text = well_formed(text)
    claims: list[Passage] = []
    skipped = 0
    for start, end in _sentences(text, language):
        clauses = [(start + a, start + b) for a, b in split_clauses(text[start:end])]
        for a, b in clauses:
            sentence = _sentence(text[a:b])
            if not is_claim(sentence):
                skipped += 1
                continue
            if len(sentence) > MAX_QUESTION_CHARS:
                shown = sentence[:40]
                raise InputError(
                    f"the sentence that begins {shown!r} has {len(sentence):,} characters; split it",
                    subject="text",
                )
            claims.append(Passage(sentence, a, b))
    if not claims:
        raise InputError("the text has no statement to check; give one or more sentences", subject="text")
    return Passages(tuple(claims), skipped)


def _sentences(text: str, language: str) -> Iterator[tuple[int, int]]:
    """The places of the sentences, without blanks around them and marks of lists before them."""
    import sentencex  # noqa: PLC0415 - where it is used only

    for start, end in _units(text):
        for found in sentencex.get_sentence_boundaries(language, text[start:end]):
            a, b = start + found["start_index"], start + found["end_index"]
            if bullet := _BULLET.match(text, a, b):
                a = bullet.end()
            while a < b and text[a].isspace():
                a += 1
            while b > a and text[b - 1].isspace():
                b -= 1
            if b > a:
                yield a, b


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, or their lines where each ends like a sentence or begins like an item of a list."""
    start = 0
    for gap in [*(match.span() for match in _PARAGRAPH.finditer(text)), (len(text), len(text))]:
        paragraph = text[start : gap[0]]
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if all(map(_is_whole, lines, [*lines[1:], ""])):
            place = start
            for line in paragraph.split("\n"):
                yield place, place + len(line)
                place += len(line) + 1
        else:
            yield start, gap[0]
        start = gap[1]


def _is_whole(line: str, following: str) -> bool:
    """Whether a line stands alone: it ends like a sentence, is an item of a list, or is a claim."""
    if _ENDS.search(line) or _BULLET.match(line):
        return True
    goes_on = following.lstrip()[:1].islower()
    return line.lstrip()[:1].isupper() and not goes_on and is_claim(line)


def _sentence(text: str) -> str:
    """A clause as a sentence: a capital at the beginning, a full stop at the end."""
    text = " ".join(text.split()).rstrip(",;:")
    text = text if text.endswith((".", "!", "?", "”", '"')) else text + "."
    return text[:1].upper() + text[1:]
