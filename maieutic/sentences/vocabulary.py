"""The word lists of the rules, read from ``words.toml`` when they are first used."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["is_adjective", "is_adverb", "is_auxiliary", "is_plural", "lists", "words"]


@cache
def lists() -> Mapping[str, Mapping[str, str]]:
    """Section → name of a list → its words with spaces between."""
    text = files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def words(section: str, *names: str) -> frozenset[str]:
    """The words of one or more lists of a section.

    >>> sorted(words("grammar", "articles"))
    ['a', 'an', 'the']
    """
    return frozenset(word for name in names for word in lists()[section][name].split())


def is_adverb(word: str) -> bool:
    """Whether a lower-case word is usually an adverb.

    >>> is_adverb("often"), is_adverb("slowly"), is_adverb("butterfly")
    (True, True, False)
    """
    if word in words("grammar", "adverbs") or word == "only":
        return True
    return word.endswith("ly") and len(word) > 4 and word not in words("grammar", "not_adverbs")


def is_adjective(word: str) -> bool:
    """Whether a lower-case word is probably an adjective; a guess from a short list and from endings.

    >>> is_adjective("cold"), is_adjective("dangerous"), is_adjective("whale")
    (True, True, False)
    """
    if word in words("adjectives", "common"):
        return True
    return len(word) > 5 and word.endswith(tuple(words("adjectives", "suffixes")))


def is_auxiliary(word: str) -> bool:
    """Whether a lower-case word is a finite form of *be*, *have* or *do*, or a modal.

    >>> is_auxiliary("does"), is_auxiliary("been")
    (True, False)
    """
    return word in words("verbs", "be", "have", "do", "modals")


def is_plural(word: str) -> bool:
    """Whether a lower-case noun is probably a plural.

    >>> is_plural("dogs"), is_plural("mice"), is_plural("glass"), is_plural("Mars".lower())
    (True, True, False, False)
    """
    if word in words("nouns", "unchanged_plurals") or word in _irregular_plurals():
        return True
    return (
        len(word) > 3
        and word.endswith("s")
        and not word.endswith(("ss", "us", "is"))
        and word not in words("nouns", "singular_in_s")
    )


@cache
def _irregular_plurals() -> frozenset[str]:
    return frozenset(pair.partition(":")[2] for pair in words("nouns", "plurals"))
