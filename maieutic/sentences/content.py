"""The content words of a text, to check that a rewriting keeps them."""

from __future__ import annotations

from collections import Counter
from functools import cache

from maieutic.sentences.tags import without_frame, without_tag
from maieutic.sentences.tokens import tokens
from maieutic.sentences.verbs import readings
from maieutic.sentences.vocabulary import lists, words

__all__ = ["content_words", "keeps_words"]

_SHORT_FORMS = {"'re": "be", "'s": "be", "'m": "be", "'ve": "have", "'ll": "will", "'d": "would"}


def content_words(text: str) -> Counter[str]:
    """The words of a text that carry its content, in lower case and in their base form, with their numbers.

    Left out are articles, *and*, *or*, *that*, forms of *be*, *have*, *do*, *must* and *need*, negations,
    quantifiers such as *some*, *all* and *often*, and frames such as *it is true that*. Other modals,
    pronouns and prepositions count.

    >>> sorted(content_words("No leaves fell from the old trees.").elements())
    ['fall', 'from', 'leaf', 'old', 'tree']
    """
    return Counter(map(_lemma, _words(text)))


def keeps_words(candidate: str, source: str) -> bool:
    """Whether two texts have the same content words, in any order and any form.

    >>> keeps_words("A whale is a fish.", "Is a whale a fish?"), keeps_words("He went.", "Did he go?")
    (True, True)
    >>> keeps_words("A whale shark is a fish.", "Is a whale a fish?")
    False
    """
    mine, theirs = _words(candidate), _words(source)
    if len(mine) != len(theirs):
        return False
    for word in mine:
        lemmas = _lemmas(word)
        match = next((other for other in theirs if other == word), None)
        match = match or next((other for other in theirs if lemmas & _lemmas(other)), None)
        if match is None:
            return False
        theirs.remove(match)
    return True


def _words(text: str) -> list[str]:
    """The content words in lower case, as they stand."""
    found = []
    for token in tokens(without_frame(without_tag(text))):
        lower = token.lower.replace("’", "'")
        lower = _SHORT_FORMS.get(lower, lower) if token.joined else lower
        if lower not in words("grammar", "without_content") and any(map(str.isalnum, lower)):
            found.append(lower)
    return found


@cache
def _lemmas(word: str) -> frozenset[str]:
    """The base forms that a word may have."""
    lemmas = {word, *(reading.base for reading in readings(word))}
    if word in _singulars():
        lemmas.add(_singulars()[word])
    elif word not in words("nouns", "singular_in_s") and len(word) > 3 and not word.endswith(("ss", "us")):
        if word.endswith("ies"):
            lemmas.add(word[:-3] + "y")
        elif word.endswith(("ches", "shes", "sses", "xes", "zes")):
            lemmas.add(word[:-2])
        elif word.endswith("s"):
            lemmas.add(word[:-1])
    return frozenset(lemmas)


def _lemma(word: str) -> str:
    """The likeliest base form: of an irregular plural, of a verb, or the shortest."""
    return min(
        _lemmas(word),
        key=lambda lemma: (lemma not in _singulars().values(), lemma == word, len(lemma), lemma),
    )


@cache
def _singulars() -> dict[str, str]:
    """Irregular plural → singular."""
    pairs = (pair.partition(":") for pair in lists()["nouns"]["plurals"].split())
    return {plural: singular for singular, _, plural in pairs}
