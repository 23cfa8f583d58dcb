"""English verbs: their forms, and the forms that a word may be.

The table ``verbs.tsv`` has about 4,000 verbs; a verb that it lacks is inflected as a regular one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files

from maieutic.sentences.vocabulary import words

__all__ = ["Form", "Reading", "bases", "is_base", "is_participle", "past", "readings", "third_person"]


class Form(Enum):
    """A form of a verb."""

    BASE = "base"
    THIRD = "third person"  # with -s
    PAST = "past"
    PARTICIPLE = "past participle"
    ING = "with -ing"


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the table; ``flags`` as its first lines explain."""

    base: str
    past: str
    participle: str
    flags: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A form that a word may be.

    Attributes:
        weight: how likely the word is a finite verb of this form without regard to its neighbours, in nats
            of odds; only differences matter.
    """

    base: str
    form: Form
    weight: float


LIKELY, UNLIKELY, RARE, GUESSED = 1.0, -0.8, -0.7, -2.6  # found by trial on claims and questions


def third_person(base: str) -> str:
    """The form with -s.

    >>> [third_person(verb) for verb in ("bark", "fly", "wash", "go", "have", "be")]
    ['barks', 'flies', 'washes', 'goes', 'has', 'is']
    """
    special = {"have": "has", "be": "is", "quiz": "quizzes"}
    if base in special:
        return special[base]
    if re.search(r"([^aeiou]o|s|x|z|ch|sh)$", base):
        return base + "es"
    return base[:-1] + "ies" if re.search(r"[^aeiou]y$", base) else base + "s"


def past(base: str) -> str:
    """The past tense.

    >>> [past(verb) for verb in ("bark", "fly", "stop", "see", "have")]
    ['barked', 'flew', 'stopped', 'saw', 'had']
    """
    special = {"have": "had", "do": "did", "be": "was"}
    if base in special:
        return special[base]
    verb = _table().get(base)
    return verb.past if verb else _regular_past(base)


def readings(word: str) -> Sequence[Reading]:
    """The forms that a lower-case word may be; none if it does not look like a verb.

    >>> [(reading.base, reading.form.value) for reading in readings("left")]
    [('leave', 'past'), ('leave', 'past participle')]
    """
    known = _forms().get(word)
    return known if known is not None else _prefixed(word) or _guesses(word)


def bases(word: str) -> frozenset[str]:
    """The base forms of the verbs of the table that the lower-case word is a form of.

    >>> sorted(bases("lay"))
    ['lay', 'lie']
    """
    return frozenset(reading.base for reading in _forms().get(word, ()))


def is_base(word: str) -> bool:
    """Whether a lower-case word may be a base form."""
    return word in {"be", "have", "do"} or any(r.form is Form.BASE for r in readings(word))


def is_participle(word: str) -> bool:
    """Whether a lower-case word may be a past participle."""
    return word in {"been", "done", "had"} or any(r.form is Form.PARTICIPLE for r in readings(word))


def _regular_past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ied"
    doubled = len(base) > 2 and re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprtvz]", base)
    return base + base[-1] + "ed" if doubled else base + "ed"


def _ing(base: str, past_form: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    short = re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprtvz]", base)
    doubled = past_form == base + base[-1] + "ed" or (short and len(base) > 2)
    return base + base[-1] + "ing" if doubled else base + "ing"


@cache
def _table() -> Mapping[str, Verb]:
    """Base → verb."""
    text = files(__package__).joinpath("verbs.tsv").read_text(encoding="utf-8")
    table = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            base, past_form, participle, flags, *_ = [*line.split("\t"), "", "", ""]
            past_form = past_form or _regular_past(base)
            table[base] = Verb(base, past_form, participle or past_form, flags)
    return table


@cache
def _forms() -> Mapping[str, tuple[Reading, ...]]:
    """Word → what it may be."""
    forms: defaultdict[str, list[Reading]] = defaultdict(list)
    for verb in _table().values():
        rare = RARE if "r" in verb.flags else 0.0

        def add(word: str, form: Form, flag: str, verb: Verb = verb, rare: float = rare) -> None:
            weight = (UNLIKELY if flag in verb.flags else LIKELY) + rare
            forms[word].append(Reading(verb.base, form, weight))

        add(verb.base, Form.BASE, "b")
        add(third_person(verb.base), Form.THIRD, "s")
        add(verb.past, Form.PAST, "p")
        add(verb.participle, Form.PARTICIPLE, "p")
        add(_ing(verb.base, verb.past), Form.ING, "-")
        if re.search(r"[aeiou]l$", verb.base) and verb.past == verb.base + "ed":  # British *travelled*
            add(f"{verb.base}led", Form.PAST, "p")
            add(f"{verb.base}led", Form.PARTICIPLE, "p")
            add(f"{verb.base}ling", Form.ING, "-")
    return {word: tuple(found) for word, found in forms.items()}


def _prefixed(word: str) -> tuple[Reading, ...]:
    """The forms of a word such as *regrow*, by those of *grow*."""
    for prefix in ("re", "over", "un", "mis", "out", "under", "pre", "dis"):
        rest = word.removeprefix(prefix)
        if rest != word and len(rest) > 2 and rest in _forms():
            return tuple(
                Reading(prefix + reading.base, reading.form, min(reading.weight, UNLIKELY))
                for reading in _forms()[rest]
            )
    return ()


def _guesses(word: str) -> tuple[Reading, ...]:
    """What a word outside the table may be by its ending."""
    if not word.isalpha() or len(word) < 5 or word in words("nouns", "singular_in_s"):
        return ()
    if word.endswith("ed") and not word.endswith("eed"):
        base = _base_of_past(word)
        return (Reading(base, Form.PAST, GUESSED + 1), Reading(base, Form.PARTICIPLE, GUESSED + 1))
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        base = word[:-3] + "y" if word.endswith("ies") else word[:-1]
        base = word[:-2] if word.endswith(("shes", "ches", "xes", "sses")) else base
        return (Reading(base, Form.THIRD, GUESSED),)
    return ()


def _base_of_past(word: str) -> str:
    """The base of a regular past: without *d* where an *e* is likely, without *ed* and a double consonant.

    >>> [_base_of_past(word) for word in ("vlogged", "decorated", "realized", "fizzed", "trolled")]
    ['vlog', 'decorate', 'realize', 'fizz', 'troll']
    """
    stem = word[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    soft = (
        "at",
        "iz",
        "is",
        "yz",
        "ys",
        "ut",
        "uc",
        "ur",
        "ir",
        "iv",
        "ev",
        "av",
        "ag",
        "ic",
        "ac",
        "ib",
        "ul",
        "v",
        "c",
        "u",
    )
    return stem + "e" if stem.endswith(soft) else stem
