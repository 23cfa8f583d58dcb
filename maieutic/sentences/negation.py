"""Candidate negations of a statement, by rule.

Rules, the likeliest first: a negation that is there is taken out, a quantifier is turned around (*all* →
*not all*, *no* → *some*), and *not* is put at each finite verb, that of the main clause first. The last
candidate is always "It is not the case that …". A language model can choose among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from maieutic.sentences.auxiliaries import negated, not_of, restored, with_word
from maieutic.sentences.clauses import finite_verbs, main_start
from maieutic.sentences.finite import Finite, Kind
from maieutic.sentences.quantifiers import (
    SOME_OF_ANY,
    negative_places,
    opposite_subjects,
    without_negative,
    without_there,
)
from maieutic.sentences.tokens import Token, lower_first, spell, tokens, word
from maieutic.sentences.vocabulary import words

__all__ = ["LAST_RESORT", "MAX_NEGATIONS", "negations"]

MAX_NEGATIONS = 8
LAST_RESORT = "It is not the case that"

_FRAME = re.compile(
    r"^it(?:(?: is|['’]s) not| isn['’]?t) (?:the case|true|correct)(?: that)?\s+(?=\w)"
    r"|^it(?: is|['’]s) (?:false|untrue|incorrect)(?: that)?\s+(?=\w)",
    re.IGNORECASE,
)
_ALL_OF_SOME = {"some": "all", "someone": "everyone", "somebody": "everybody", "something": "everything"}
_RARER = {"sometimes": "never", "occasionally": "never", "still": "no longer"}
_ANY_OF_SOME = {some: anything for anything, some in SOME_OF_ANY.items()}


def negations(statement: str) -> tuple[str, ...]:
    """Negations of a statement, at most ``MAX_NEGATIONS``, the likeliest by rule first.

    Each is one sentence that ends in a full stop, differs from the statement and keeps its words but for
    articles, auxiliaries, negations and quantifiers. There is always at least one. The last one begins with
    ``LAST_RESORT``, unless the statement itself does.

    >>> negations("A dog barks.")
    ('A dog does not bark.', 'It is not the case that a dog barks.')
    >>> negations("No bird is a mammal.")[0], negations("Snow doesn't fall in July.")[0]
    ('Some bird is a mammal.', 'Snow falls in July.')
    >>> negations("It is not the case that penguins fly.")
    ('Penguins fly.',)
    """
    text = " ".join(statement.split())
    frame = _FRAME.match(text)
    if frame:
        return (spell(tokens(text[frame.end() :])),)
    sequence = tokens(text)
    last = _last_resort(sequence)
    found = dict.fromkeys(spell(candidate) for candidate in _candidates(sequence))
    kept = [candidate for candidate in found if candidate not in {spell(sequence), last, ""}]
    return (*kept[: MAX_NEGATIONS - 1], last)


def _last_resort(sequence: Sequence[Token]) -> str:
    frame = tokens(LAST_RESORT)
    return spell((*frame, *lower_first(sequence)))


def _candidates(sequence: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Negations, the likeliest first; some may repeat."""
    verbs = finite_verbs(sequence)
    if not verbs:
        return
    main, *others = verbs
    start = main_start(sequence, main)
    attached = _own_not(sequence, main)
    taken = {_own_not(sequence, verb) for verb in verbs}
    own, elsewhere = negative_places(sequence, start, main, taken)
    turned = chain.from_iterable(without_negative(sequence, i) for i in own)
    if attached is not None:
        yield from _positive(sequence, main, attached, start)
        yield from turned
    else:
        yield from turned
        if not own:
            yield from opposite_subjects(sequence, start, main)
            yield from _rarer(sequence, main)
            yield from without_there(sequence, main)
            yield from _negative(sequence, main)
    for verb in others:
        place = _own_not(sequence, verb)
        if place is None:
            yield negated(sequence, verb)
        else:
            yield from _some_for_any(restored(sequence, verb, place), place)
    for i in elsewhere:
        yield from without_negative(sequence, i)


def _own_not(sequence: Sequence[Token], verb: Finite) -> int | None:
    """The place of the *not* that negates a verb."""
    return not_of(sequence, verb.index) if verb.kind is Kind.AUXILIARY else None


def _positive(sequence: Sequence[Token], main: Finite, place: int, start: int) -> Iterator[Sequence[Token]]:
    """The sentence without the *not* of its main verb."""
    positive = restored(sequence, main, place)
    first = sequence[start].lower
    if main.base == "need":
        yield with_word(positive, main.index, "must")
        return
    if first in _ALL_OF_SOME and start < main.index:
        yield with_word(positive, start, _ALL_OF_SOME[first])
    yield from _some_for_any(positive, main.index)


def _some_for_any(sequence: Sequence[Token], start: int) -> Iterator[Sequence[Token]]:
    """The sentence with *some* for the first *any* behind ``start``, then as it is."""
    yield from _replaced(sequence, start, SOME_OF_ANY)
    yield sequence


def _negative(sequence: Sequence[Token], main: Finite) -> Iterator[Sequence[Token]]:
    """The sentence with *not* at its main verb, and *any* for *some* behind it."""
    if main.base == "must" and main.kind is Kind.AUXILIARY:
        yield with_word(sequence, main.index, "need", "not")
    result = negated(sequence, main)
    yield from _replaced(result, main.index + 1, _ANY_OF_SOME)
    yield result


def _replaced(sequence: Sequence[Token], start: int, table: dict[str, str]) -> Iterator[Sequence[Token]]:
    """The sentence with the first word of a table behind ``start``, in the same clause, replaced."""
    for i in range(start, len(sequence)):
        lower = sequence[i].lower
        if lower in table:
            yield with_word(sequence, i, table[lower])
            return
        if sequence[i].after.endswith(",") or lower in words("grammar", "subordinators"):
            return


def _rarer(sequence: Sequence[Token], main: Finite) -> Iterator[Sequence[Token]]:
    """*never* for *sometimes* and *no longer* for *still*, beside the main verb or at the start."""
    for i in range(min(main.index + 3, len(sequence))):
        lower = sequence[i].lower
        if lower not in _RARER or 0 < i < main.index - 2:
            continue
        if i:
            yield with_word(sequence, i, *_RARER[lower].split())
        elif lower != "still":
            without = with_word(sequence, i)
            place = main.index if main.kind is Kind.AUXILIARY else main.index - 1
            yield (*without[:place], word("never"), *without[place:])
