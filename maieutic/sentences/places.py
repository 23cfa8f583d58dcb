"""Where an auxiliary may have stood before it moved to the front of a question.

A place is scored by how well the words before it make a subject and those behind it follow the auxiliary. The
numbers were found by trial on questions; only their order of size matters.
"""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.sentences.tokens import Token, skip_adverbs
from maieutic.sentences.verbs import Form, is_participle, readings
from maieutic.sentences.vocabulary import is_adjective, is_adverb, is_auxiliary, is_plural, words

__all__ = ["likely_places"]

MAX_PLACES = 6
WIDEST_GAP = 4.0  # a place so much worse than the best is not offered
WIDEST_GAP_OF_DO = 2.5  # behind *do* a base form must follow, which says more
LENGTH_PENALTY = 0.15  # a shorter subject is likelier


def likely_places(rest: Sequence[Token], auxiliary: str) -> tuple[int, ...]:
    """The places of ``rest`` where the auxiliary may go, the likeliest first; at least one.

    Args:
        rest: the words behind the auxiliary in the question, at least one.
        auxiliary: in lower case.

    >>> from maieutic.sentences.tokens import tokens
    >>> likely_places(tokens("a whale a fish"), "is")[0]
    2
    """
    if rest[0].lower == "there" or len(rest) == 1:
        return (1,)
    scores = {
        place: _subject(rest, place) + _predicate(rest, place, auxiliary) - LENGTH_PENALTY * place
        for place in range(1, len(rest))
    }
    ranked = sorted(scores, key=lambda place: -scores[place])
    gap = WIDEST_GAP_OF_DO if auxiliary in words("verbs", "do") else WIDEST_GAP
    return tuple(place for place in ranked if scores[place] > scores[ranked[0]] - gap)[:MAX_PLACES]


def _subject(rest: Sequence[Token], place: int) -> float:
    """How well the words before a place make a subject; the first rule that holds counts."""
    last = rest[place - 1]
    lower = last.lower
    following = rest[place].lower
    articles = words("grammar", "articles", "possessives")
    bare = articles | words("grammar", "conjunctions", "subordinators")
    bare |= words("verbs", "be", "take_participle")
    first = place == 1
    rules = (
        (last.after.endswith(","), -1.0),
        (first and lower in words("grammar", "subject_pronouns"), 6.0),
        (first and lower.endswith("ing") and following in articles, -3.0),  # "having a dog"
        (first and lower in {"this", "that", "these", "those"}, 0.0),
        (lower in bare or lower.endswith(("'s", "’s")), -8.0),
        (lower in words("grammar", "prepositions", "determiners") - words("grammar", "indefinite"), -6.0),
        (is_adverb(lower), -2.5),
    )
    found = next((value for holds, value in rules if holds), None)
    if found is not None:
        return found
    modifier = is_adjective(lower) or lower in words("grammar", "numbers")
    return _unfinished(rest, place) - (1.5 if modifier else 0.0)


def _unfinished(rest: Sequence[Token], place: int) -> float:
    """A penalty for a clause in the subject that has no verb yet."""
    opened = 0
    for token in rest[:place]:
        if token.lower in words("grammar", "subordinators"):
            opened += 1
        elif opened and _may_be_finite(token.lower):
            opened -= 1
    return -4.0 * opened


def _may_be_finite(lower: str) -> bool:
    finite = {Form.THIRD, Form.PAST, Form.BASE}
    return is_auxiliary(lower) or any(r.form in finite and r.weight > 0 for r in readings(lower))


def _predicate(rest: Sequence[Token], place: int, auxiliary: str) -> float:
    """How well the words from a place on follow the auxiliary."""
    if rest[place].lower in {"of", "and", "or", "than"}:
        return -4.0
    if auxiliary in words("verbs", "be"):
        return _complement(rest, place)
    i = min(skip_adverbs(rest, place), len(rest) - 1)
    score = _apart(rest, place) + (0.5 if i > place else 0.0)
    if auxiliary in words("verbs", "have"):
        return score + (4.0 if is_participle(rest[i].lower) else -2.0)
    return score + _base(rest, i)


def _base(rest: Sequence[Token], i: int) -> float:
    """How well the word at a place is the base form that a modal or *do* needs."""
    lower = rest[i].lower
    weights = [reading.weight for reading in readings(lower) if reading.form is Form.BASE]
    following = rest[i + 1].lower if i + 1 < len(rest) else ""
    objects = words("grammar", "articles", "possessives", "object_pronouns")
    if i and rest[i - 1].lower == "to":
        return -4.0
    if lower in {"be", "have", "do"}:
        return 6.0
    if not weights:
        return -5.0 if lower in words("grammar", "prepositions", "articles", "subordinators") else -1.0
    score = 2.5 + max(weights) - (1.0 if rest[i].text[0].isupper() else 0.0)
    if following in objects:
        return score + 1.5
    phrase = following in words("grammar", "prepositions", "determiners") - {"of"}
    return score + (0.7 if phrase else 0.0) + (0.5 if not following else 0.0)


def _complement(rest: Sequence[Token], place: int) -> float:
    """How well the words from a place on are what follows a form of *be*; the first rule that holds."""
    lower, before = rest[place].lower, rest[place - 1].lower
    compared = lower.endswith("er") and place + 1 < len(rest) and rest[place + 1].lower == "than"
    modified = is_adjective(before) or is_participle(before)
    later = any(_starts_complement(token.lower) for token in rest[place + 1 :])
    rules = (
        (lower in words("grammar", "articles", "possessives"), 3.0 + _apart(rest, place)),
        (lower in words("adjectives", "behind_be") and not modified, 4.0),
        (is_adverb(lower), 2.5 + _apart(rest, place)),
        (is_adjective(lower) or compared, -0.5 if before in words("grammar", "prepositions") else 2.5),
        (lower.endswith("ing") and len(lower) > 4, 1.5),
        (is_participle(lower), 2.5),
        (lower in words("grammar", "prepositions"), -0.5 if later else 1.0),
        (lower in words("grammar", "determiners", "numbers"), 2.0),
        (is_plural(lower) or rest[place].text[0].isupper(), 0.3),
    )
    return next((value for holds, value in rules if holds), -0.2)


def _starts_complement(lower: str) -> bool:
    return is_adjective(lower) or is_participle(lower) or lower in words("grammar", "articles")


def _apart(rest: Sequence[Token], place: int) -> float:
    """A penalty where the words before and at a place belong together."""
    before, lower = rest[place - 1].lower, rest[place].lower
    if before in words("grammar", "prepositions", "articles", "possessives"):
        return -3.0
    return -1.0 if is_adverb(before) and is_adverb(lower) else 0.0
