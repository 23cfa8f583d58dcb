"""The words that a language model was trained on, if it says so, and those of a text that it has never met.

A language model may have an attribute ``known_words``. The bundled model has: its folder lists the words of
its training text in ``known_words.txt``, and any other folder may. A word counts as met in every form:
"penguins" where "penguin" was met.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from maieutic.lm.base import LanguageModel
from maieutic.sentences.content import lemmas, words_with_content

__all__ = ["KNOWN_WORDS", "known_words_of", "unmet_words", "unmet_words_warning", "words_in"]

KNOWN_WORDS = "known_words.txt"  # in a model's folder: the words of its training text, with spaces between
SIMILAR = 0.7  # least similarity (difflib's ratio, in [0, 1]) of a word that may have been meant


def words_in(folder: Path) -> frozenset[str] | None:
    """The words that a model's folder lists; None without a list."""
    file = folder / KNOWN_WORDS
    return frozenset(file.read_text(encoding="utf-8").split()) if file.is_file() else None


def known_words_of(lm: LanguageModel) -> frozenset[str] | None:
    """The words that a language model was trained on, in lower case; None where it does not say."""
    return getattr(lm, "known_words", None)


def unmet_words(known: frozenset[str], text: str) -> list[str]:
    """The content words of a text that are not known in any form, each once, in order.

    >>> unmet_words(frozenset({"penguin", "fly"}), "Do all pengiuns fly over Berlin?")
    ['pengiuns', 'over', 'berlin']
    """
    met = _forms(known)
    return list(dict.fromkeys(word for word in words_with_content(text) if not lemmas(word) & met))


def unmet_words_warning(lm: LanguageModel, texts: Iterable[str]) -> str | None:
    """Which words of some texts a model has never met, and what may have been meant; None for no word."""
    known = known_words_of(lm)
    if known is None:
        return None
    unmet = dict.fromkeys(word for text in texts for word in unmet_words(known, text))
    if not unmet:
        return None
    named = [_named(word, known) for word in unmet]
    return f"{lm.name} does not know {'; nor '.join(named)}"


def _named(word: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=SIMILAR)
    return f'"{word}"' + (f' (did you mean "{near[0]}"?)' if near else "")


@cache
def _forms(known: frozenset[str]) -> frozenset[str]:
    """All base forms of the known words, and the known words themselves."""
    return frozenset(form for word in known for form in lemmas(word))
