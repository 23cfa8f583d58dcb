"""A sentence as a sequence of words that know their punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from maieutic.sentences.verbs import bases
from maieutic.sentences.vocabulary import is_adjective, is_adverb, is_plural, words

__all__ = ["Token", "lower_first", "skip_adverbs", "spell", "tokens", "upper_first", "word"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word.

    Attributes:
        text: the word itself.
        before: punctuation in front of it, such as an opening quotation mark.
        after: punctuation behind it, such as a comma.
        joined: whether it is written to the word before it without a space, as the *'re* of *they're*.
    """

    text: str
    before: str = ""
    after: str = ""
    joined: bool = False

    @property
    def lower(self) -> str:
        """The word in lower case."""
        return self.text.lower()


def word(text: str) -> Token:
    """A word without punctuation."""
    return Token(text)


_EDGES = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
_NEGATED = re.compile(
    r"^(is|are|was|were|do|does|did|has|have|had|would|could|should|might|must|need|ought|dare)n['’]?t$", re.I
)
_IRREGULAR = {
    "can't": "can",
    "cannot": "can",
    "cant": "can",
    "won't": "will",
    "shan't": "shall",
    "ain't": "is",
}
_ABSTRACT = (
    "ness",
    "tion",
    "sion",
    "ity",
    "ment",
    "ism",
    "ology",
    "ance",
    "ence",
    "ship",
    "hood",
    "ing",
    "ter",
)
_SHORT = re.compile(r"^(i|you|we|they|he|she|it|that|there|who|what|here)(['’](?:re|m|ve|ll|d|s))$", re.I)


def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text. Contractions are taken apart; a negative one becomes its auxiliary and *not*.

    >>> [token.text for token in tokens("They're old, but can't they sing?")]
    ['They', "'re", 'old', 'but', 'can', 'not', 'they', 'sing']
    """
    return tuple(token for piece in text.split() for token in _split(piece))


def _split(piece: str) -> Iterable[Token]:
    match = _EDGES.match(piece)
    assert match is not None
    before, core, after = match.groups()
    if not core:  # punctuation alone, such as a dash
        yield Token(piece)
        return
    negated = _NEGATED.match(core)
    auxiliary = negated.group(1) if negated else _IRREGULAR.get(core.lower().replace("’", "'"))
    short = _SHORT.match(core)
    if auxiliary:
        yield Token(upper_first(auxiliary) if core[0].isupper() else auxiliary, before)
        yield Token("not", after=after)
    elif short:
        yield Token(short.group(1), before)
        yield Token(short.group(2), after=after, joined=True)
    else:
        yield Token(core, before, after)


def skip_adverbs(sequence: Sequence[Token], start: int, step: int = 1) -> int:
    """The first place from ``start`` on whose word is no adverb; it may lie outside of the sentence.

    A word with a capital letter inside the sentence, such as the *Shelly* of *Mary Shelly*, is no adverb.
    """
    i = start
    while 0 <= i < len(sequence) and is_adverb(sequence[i].lower):
        if i > 0 and sequence[i].text[0].isupper() and not sequence[i].text.isupper():
            break
        i += step
    return i


def spell(sequence: Sequence[Token]) -> str:
    """The sentence: words with spaces between, the first letter in upper case, a full stop at the end.

    >>> spell([word("it"), word("can"), word("not"), word("fly")])
    'It cannot fly.'
    """
    text = ""
    for token in sequence:
        joined = token.joined or (token.lower == "not" and re.search(r"\bcan$", text, re.I))
        text += ("" if joined or not text else " ") + token.before + token.text + token.after
    text = text.rstrip(" ,;:?!.-–—…").rstrip()
    return upper_first(text) + "." if text else ""


def upper_first(text: str) -> str:
    """The text with its first letter in upper case.

    >>> upper_first("'ice' is a word"), upper_first("50 cents")
    ("'Ice' is a word", '50 cents')
    """
    match = re.match(r"^(\W*)(\w)", text)
    return match.group(1) + match.group(2).upper() + text[match.end() :] if match else text


def lower_first(sequence: Sequence[Token]) -> tuple[Token, ...]:
    """The words with the first one in lower case unless it is probably a name.

    >>> [lower_first(tokens(text))[0].text for text in ("Penguins fly", "I am", "DNA is", "New York is")]
    ['penguins', 'I', 'DNA', 'New']
    """
    if not sequence or _is_name(sequence):
        return tuple(sequence)
    first = sequence[0]
    return (replace(first, text=first.text[:1].lower() + first.text[1:]), *sequence[1:])


def _is_name(sequence: Sequence[Token]) -> bool:
    """Whether a sentence begins with a name, an acronym or *I*."""
    first = sequence[0]
    text, lower = first.text, first.lower
    if lower in _function_words():
        return lower == "i"
    if first.before or not text[:1].isupper() or text[1:] != text[1:].lower():
        return True
    stem = re.sub(r"['’]s?$", "", lower)
    if stem in words("nouns", "names"):
        return True
    if len(sequence) > 1 and sequence[1].text[:1].isupper() and sequence[1].lower != "i":
        return True
    return not _is_common(stem)


def _is_common(lower: str) -> bool:
    """Whether a word is known to be no name, or has the form of a plural or an abstract noun."""
    known = lower in words("nouns", "mass") or is_adjective(lower) or is_adverb(lower) or bool(bases(lower))
    return known or is_plural(lower) or lower.endswith(_ABSTRACT) or not lower.isalpha()


@cache
def _function_words() -> frozenset[str]:
    lists = (
        "determiners",
        "articles",
        "subject_pronouns",
        "indefinite",
        "prepositions",
        "conjunctions",
        "subordinators",
        "prepositional_subordinators",
        "adverbs",
        "numbers",
        "openers",
    )
    return words("grammar", *lists) | words("verbs", "be", "have", "do", "modals")
