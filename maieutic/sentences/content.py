"""The content words of a text, to check that a rewriting keeps them."""

from __future__ import annotations

from collections import Counter
from functools import cache

from maieutic.sentences.tags import without_frame, without_tag
from maieutic.sentences.tokens import tokens
from maieutic.sentences.verbs import readings
from maieutic.sentences.vocabulary import lists, words

__all__ = ["content_words", "keeps_words", "lemmas", "words_with_content"]

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
        mine_lemmas = lemmas(word)
        match = next((other for other in theirs if other == word), None)
        match = match or next((other for other in theirs if mine_lemmas & lemmas(other)), None)
        if match is None:
            return False
        theirs.remove(match)
    return True


def words_with_content(text: str) -> list[str]:
    """The content words of a text as they stand, in lower case, without possessives and common adverbs.

    >>> words_with_content("Can my dog really swim?")
    ['can', 'dog', 'swim']
    """
    empty = words("grammar", "determiners", "possessives", "adverbs")
    return [word for word in _words(text) if word not in empty]


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
def lemmas(word: str) -> frozenset[str]:
    """The base forms that a word may have."""
    forms = {word, *(reading.base for reading in readings(word))}
    if word in _singulars():
        forms.add(_singulars()[word])
    elif word not in words("nouns", "singular_in_s") and len(word) > 3 and not word.endswith(("ss", "us")):
        if word.endswith("ies"):
            forms.add(word[:-3] + "y")
        elif word.endswith(("ches", "shes", "sses", "xes", "zes")):
            forms.add(word[:-2])
        elif word.endswith("s"):
            forms.add(word[:-1])
    return frozenset(forms)


def _lemma(word: str) -> str:
    """The likeliest base form: of an irregular plural, of a verb, or the shortest."""
    return min(
        lemmas(word),
        key=lambda lemma: (lemma not in _singulars().values(), lemma == word, len(lemma), lemma),
    )


@cache
def _singulars() -> dict[str, str]:
    """Irregular plural → singular."""
    pairs = (pair.partition(":") for pair in lists()["nouns"]["plurals"].split())
    return {plural: singular for singular, _, plural in pairs}
