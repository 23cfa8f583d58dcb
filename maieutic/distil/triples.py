"""Triples: their form in files, what tails are accepted, and which are duplicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maieutic.errors import FileFormatError, InputError
from maieutic.extras import extra_library
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import dump_json, parse_json
from maieutic.sentences.content import content_words
from maieutic.text import DUPLICATE, ECHO, EMPTY, TOO_LONG, UNFINISHED, as_question, text_key

__all__ = [
    "EXTRA",
    "MARKUP",
    "MOST_HEAD_CHARS",
    "MOST_TAIL_CHARS",
    "MOST_TAIL_WORDS",
    "PROMPT",
    "SEVERAL",
    "Triple",
    "check_distinct",
    "distinct",
    "meaning_key",
    "read_triples",
    "tail_refusal",
]

EXTRA = "distil"  # of this package that installs rapidfuzz and filelock
MARKUP = "markup"
PROMPT = "part of a prompt"
SEVERAL = "several sentences"
MOST_HEAD_CHARS = 100
MOST_TAIL_WORDS = 12
MOST_TAIL_CHARS = 100
NEAR = 90.0  # least similarity of tails that are near duplicates, of 100: "steel bolt" and "steel bolts"

_MARKUP = re.compile(r"[<>{}\[\]|\\`#*_~^=@]|https?:|&\w+;")
_QUANTITIES = re.compile(
    r"\b(?:no|not|never|without|cannot|none|nothing|always|often|usually|sometimes|rarely|seldom|hardly"
    r"|some|any|all|every|each|both|most|many|few|several|only)\b|n't\b",
    re.IGNORECASE,
)
_PROMPT = re.compile(r"[:?…]|^\s*(?:true|false)\W*$|\bis (?:true|false)\W*$", re.IGNORECASE)
_END = re.compile(r"[.!;]")
BEGINNING = 3  # letters that a word shares with that of a near duplicate: no prefix makes it the opposite


@dataclass(frozen=True, slots=True)
class Triple:
    """A triple and its statement.

    Attributes:
        id: the head's number in the seeds and the triple's place, "12.3", or any other text that is unique.
        source: name of the model that wrote the tail.
        temperature, top_p, seed, sample: how it was sampled; ``sample`` is the index among the samples.
        label: whether it is true, where that is known.

    Raises:
        InputError: the statement cannot be used, or the tail is one that :func:`tail_refusal` refuses.
    """

    id: str
    head: str
    relation: str
    tail: str
    statement: str
    source: str = ""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    sample: int = 0
    label: bool | None = None

    def __post_init__(self) -> None:
        as_question(self.statement)
        for name in ("id", "relation"):
            if not (value := getattr(self, name)).isprintable() or not value or value.split() != [value]:
                raise InputError(f"the {name} {value[:40]!r} is no single word; correct it", subject=name)
        if not self.head.strip() or len(self.head) > MOST_HEAD_CHARS:
            shown = self.head[:40]
            raise InputError(f"the head {shown!r} is not a short text; correct it", subject="head")
        if reason := tail_refusal(f"{self.tail}.", self.head):
            shown = self.tail[:40]
            raise InputError(f"the tail {shown!r} cannot be used ({reason})", subject="tail")

    def to_json(self) -> str:
        """The triple as one line of JSON."""
        return dump_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Triple:
        """The inverse of :meth:`to_json`.

        Raises:
            InputError: the text is no triple; the message names the field.
        """
        return parse_json(cls, text)


def tail_refusal(text: str, head: str) -> str | None:
    """Why a tail with its full stop cannot be used; None if it can.

    >>> [tail_refusal(text, "a dog") for text in ("a tail.", "a dog.", "bark", "<b>fur</b>.", "A: True.")]
    [None, 'echo', 'unfinished', 'markup', 'part of a prompt']
    """
    if len(text) > MOST_TAIL_CHARS or len(text.split()) > MOST_TAIL_WORDS:
        return TOO_LONG  # before anything reads all of it
    reasons = {
        EMPTY: not any(map(str.isalnum, text)),
        MARKUP: not text.isprintable() or _MARKUP.search(text) is not None,
        PROMPT: _PROMPT.search(text) is not None,
        UNFINISHED: not text.endswith("."),
        SEVERAL: _END.search(text[:-1]) is not None,
        ECHO: text_key(text) == text_key(head),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def distinct(tails: Iterable[str], earlier: Collection[str] = ()) -> Iterator[tuple[str, str | None]]:
    """Each tail of a head and a relation, with why it is dropped: :data:`DUPLICATE`, or None.

    Tails are duplicates if they are the same text, have the same content words, or are nearly the same text
    (:data:`NEAR`, by rapidfuzz's ratio; each word begins as the other's and numbers are equal). Negations and
    quantifiers must be the same.

    Raises:
        InputError: rapidfuzz is not installed.

    >>> [reason for _, reason in distinct(["a tail", "a red tail", "tails"])]
    [None, None, 'duplicate']
    """
    fuzz = extra_library("rapidfuzz.fuzz", EXTRA)
    kept = [(text_key(one), _words(one)) for one in earlier]
    for tail in tails:
        key, own = text_key(tail), _words(tail)
        near = any(
            own[1] == other[1]
            and ((own[0] and own == other) or (_alike(key, one) and fuzz.ratio(key, one) >= NEAR))
            for one, other in kept
        )
        if not near:
            kept.append((key, own))
        yield tail, DUPLICATE if near else None


def meaning_key(tail: str) -> tuple[object, ...]:
    """What tails that say the same have alike: content words in their order, negations and quantifiers.

    >>> meaning_key("a red tail") == meaning_key("red tails"), meaning_key("no tail") == meaning_key("a tail")
    (True, False)
    """
    words, quantities = _words(tail)
    return (*(words.items() or (text_key(tail),)), quantities)


def _words(tail: str) -> tuple[Counter[str], tuple[str, ...]]:
    """The content words, and the negations and quantifiers, which are none of them."""
    return content_words(tail), tuple(word.lower() for word in _QUANTITIES.findall(tail))


def _alike(one: str, other: str) -> bool:
    """Whether the words of two texts pair up by their beginnings, numbers as a whole."""
    pairs = list(zip(one.split(), other.split(), strict=False))
    return len(one.split()) == len(other.split()) and all(
        a == b if any(map(str.isdigit, a + b)) else a[:BEGINNING] == b[:BEGINNING] for a, b in pairs
    )


def read_triples(path: Path) -> list[Triple]:
    """The triples of a file of JSON lines.

    Raises:
        FileFormatError: it cannot be read, has none, a line is no triple, or two have the same id or the same
            statement.
    """
    triples = [triple for _, triple in read_records(path, Triple.from_json)]
    if not triples:
        raise FileFormatError(path, None, "has no triples; give a file of maieutic distill generate")
    check_distinct(path, triples)
    return triples


def check_distinct(path: Path, triples: Sequence[Triple]) -> None:
    """Refuse a file in which two triples have the same id or the same statement.

    Raises:
        FileFormatError: it is one.
    """
    ids, statements = [one.id for one in triples], [text_key(one.statement) for one in triples]
    for what, keys in (("id", ids), ("statement", statements)):
        seen: set[str] = set()
        for key in keys:
            if key in seen:
                raise FileFormatError(path, None, f"two triples have the {what} {key!r}; remove one")
            seen.add(key)
