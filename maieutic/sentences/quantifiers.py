"""Turning quantifiers around: *all* → *not all*, *some* → *no*, *no* → *some*, *never* → *sometimes*."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from maieutic.sentences.auxiliaries import negated, with_word
from maieutic.sentences.finite import Finite
from maieutic.sentences.tokens import Token, word
from maieutic.sentences.vocabulary import is_adjective, is_adverb, is_plural, words

__all__ = [
    "SOME_OF_ANY",
    "article",
    "negative_places",
    "opposite_subjects",
    "without_negative",
    "without_there",
]

SOME_OF_ANY = {
    "any": "some",
    "anything": "something",
    "anyone": "someone",
    "anybody": "somebody",
    "anywhere": "somewhere",
}
"""What *any* and its like become in a sentence that is no longer negated."""

_NONE_OF_SOME = {
    "some": "no",
    "someone": "no one",
    "somebody": "nobody",
    "something": "nothing",
    "several": "no",
    "any": "no",
    "anyone": "no one",
    "anybody": "nobody",
    "anything": "nothing",
    "few": "many",
}
_SOME_OF_NONE = {
    "nobody": ("somebody", "everybody"),
    "nothing": ("something", "everything"),
    "none": ("some", "all"),
    "nowhere": ("somewhere", "everywhere"),
    "rarely": ("often",),
    "seldom": ("often",),
    "hardly": ("often",),
    "scarcely": ("often",),
    "neither": ("either", "both"),
}


def opposite_subjects(sequence: Sequence[Token], start: int, main: Finite) -> Iterator[Sequence[Token]]:
    """The sentence with the quantifier that begins its main clause at ``start`` turned around."""
    first = sequence[start].lower
    second = sequence[start + 1].lower if start + 1 < len(sequence) else ""
    if start >= main.index:
        return
    universal = words("grammar", "universal")
    if first in universal or (first in {"almost", "nearly"} and second in universal):
        if first == "most":
            yield negated(sequence, main)
        yield _not_before(sequence, start, "every" if first == "each" and second != "of" else first)
        if first == "all" and not second.startswith("of"):
            yield negated(with_word(sequence, start, "some"), main)
    elif first == "a" and second == "few":
        yield with_word(with_word(sequence, start + 1), start, "no")
    elif first in _NONE_OF_SOME:
        if first in {"any", "anyone", "anybody", "anything"}:
            yield with_word(sequence, start, "not", first.replace("any", "every"))
        new = "none" if second == "of" and first != "few" else _NONE_OF_SOME[first]
        yield with_word(sequence, start, *new.split())


def without_there(sequence: Sequence[Token], main: Finite) -> Iterator[Sequence[Token]]:
    """*There is no …* for *there is a …*."""
    i = main.index
    if (
        i == 0
        or sequence[i - 1].lower != "there"
        or main.base not in words("verbs", "be")
        or i + 1 >= len(sequence)
    ):
        return
    following = sequence[i + 1].lower
    if following in {"a", "an", "some", "any"}:
        yield with_word(sequence, i + 1, "no")
    elif not (
        _is_determined(following) or is_adverb(following) or following in words("grammar", "prepositions")
    ):
        yield (*sequence[: i + 1], word("no"), *sequence[i + 1 :])


def negative_places(
    sequence: Sequence[Token], start: int, main: Finite, taken: Collection[int | None]
) -> tuple[list[int], list[int]]:
    """The places of the negative words of the main clause, and of other clauses, without ``taken`` ones."""
    stops = words("grammar", "subordinators")
    after = range(main.index + 1, len(sequence))
    end = next(
        (i for i in after if sequence[i].lower in stops or sequence[i - 1].after.endswith(",")), len(sequence)
    )
    before = main.index
    while before > 0 and is_adverb(sequence[before - 1].lower):
        before -= 1
    own: list[int] = []
    others: list[int] = []
    for i, token in enumerate(sequence):
        if i not in taken and token.lower in {"never", "no", "not", *_SOME_OF_NONE}:
            (own if i == start or before <= i < end else others).append(i)
    return own, others


def without_negative(sequence: Sequence[Token], i: int) -> Iterator[Sequence[Token]]:
    """The sentence without the negative word at ``i``, in up to three ways."""
    lower = sequence[i].lower
    following = sequence[i + 1].lower if i + 1 < len(sequence) else ""
    if lower == "not":
        yield from _without_not(sequence, i, following)
    elif lower == "never":
        yield from _without_never(sequence, i)
    elif lower == "no":
        yield from _without_no(sequence, i, following)
    elif lower == "neither":
        nor = next((j for j in range(i + 1, len(sequence)) if sequence[j].lower == "nor"), None)
        if nor is None:
            yield with_word(sequence, i, "either")
        else:
            yield with_word(with_word(sequence, nor, "or"), i, "either")
            yield with_word(with_word(sequence, nor, "and"), i, "both")
    elif lower in _SOME_OF_NONE:
        rest = with_word(sequence, i + 1) if following == "ever" else sequence
        for new in _SOME_OF_NONE[lower]:
            yield with_word(rest, i, new)


def article(following: str) -> str:
    """*a* or *an* before a word.

    >>> article("whale"), article("owl"), article("unit"), article("hour")
    ('a', 'an', 'a', 'an')
    """
    lower = following.lower()
    if lower.startswith(("uni", "use", "usu", "eu", "one", "ute")) and not lower.startswith("unin"):
        return "a"
    return "an" if lower[:1] in set("aeiou") or lower.startswith(("hour", "honest", "honor", "heir")) else "a"


def _not_before(sequence: Sequence[Token], start: int, first: str) -> Sequence[Token]:
    return with_word(sequence, start, "not", first)


def _is_determined(lower: str) -> bool:
    return lower in words("grammar", "determiners", "articles", "possessives", "numbers") or lower.isdigit()


def _without_not(sequence: Sequence[Token], i: int, following: str) -> Iterator[Sequence[Token]]:
    if i and sequence[i].lower == "not" and following == "only":
        return
    yield with_word(sequence, i)


def _without_never(sequence: Sequence[Token], i: int) -> Iterator[Sequence[Token]]:
    if i and sequence[i - 1].lower in {"almost", "nearly"}:
        rest = with_word(sequence, i - 1)
        yield with_word(rest, i - 1, "sometimes")
        yield with_word(rest, i - 1, "often")
        return
    yield with_word(sequence, i)
    yield with_word(sequence, i, "sometimes")


def _without_no(sequence: Sequence[Token], i: int, following: str) -> Iterator[Sequence[Token]]:
    if following in {"longer", "one"}:
        rest = with_word(sequence, i + 1)
        yield with_word(rest, i, "still" if following == "longer" else "someone")
        return
    if following in {"more", "less", "fewer", "better", "worse", "other", "different"}:
        yield with_word(sequence, i)
        return
    noun = _noun(sequence, i + 1)
    bare, some = with_word(sequence, i), with_word(sequence, i, "some")
    if is_plural(noun):
        yield from (some, bare) if i == 0 else (bare, some)
    elif noun in words("nouns", "mass") or noun.endswith(
        ("ness", "ing", "ity", "ism", "tion", "ence", "ance")
    ):
        yield from (some, bare) if i == 0 else (bare, some)
        yield with_word(sequence, i, article(following))
    else:
        single = with_word(sequence, i, article(following))
        yield from (some, single) if i == 0 else (single, some)
        yield bare


def _noun(sequence: Sequence[Token], start: int) -> str:
    """The noun of the group of words that begins at ``start``: the last word before another kind of word."""
    stops = words("grammar", "prepositions", "conjunctions", "subordinators", "determiners")
    verbs = words("verbs", "be", "have", "do", "modals")
    noun = ""
    for token in sequence[start : start + 4]:
        lower = token.lower
        if lower in stops or lower in verbs or (noun and is_adverb(lower)):
            break
        if noun and is_plural(noun) and not is_adjective(noun):
            break
        noun = lower
        if token.after:
            break
    return noun
