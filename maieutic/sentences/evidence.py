"""How likely a word is a finite verb, by its neighbours: a sum of evidence in nats of odds.

The numbers were found by trial on claims and questions; only their order of size matters.
"""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.sentences.tokens import Token, skip_adverbs
from maieutic.sentences.verbs import Form, Reading, is_base, is_participle, readings
from maieutic.sentences.vocabulary import is_adjective, is_adverb, is_auxiliary, is_plural, words

__all__ = ["verb_score"]


def verb_score(sequence: Sequence[Token], i: int, reading: Reading) -> float:
    """The evidence that the word at a place is a finite verb of the given form."""
    token = sequence[i]
    score = reading.weight
    if i == 0:
        score -= 3.0
    elif token.text[0].isupper():
        score -= 4.0
    if token.before:
        score -= 2.0
    return score + _before(sequence, i, reading.form) + _after(sequence, i, reading)


def _before(sequence: Sequence[Token], i: int, form: Form) -> float:
    """The evidence of what stands before a verb, adverbs aside; the first rule that holds counts."""
    j = skip_adverbs(sequence, i - 1, -1)
    if j < 0:
        return 0.0
    score = 0.0
    if j < i - 1:  # an adverb between
        score = -2.0 if sequence[i - 1].lower in words("grammar", "intensifiers") else 1.5
    lower = sequence[j].lower
    past = form is Form.PAST
    possessive = lower.endswith(("'s", "’s", "s'"))
    rules = (
        (sequence[j].after.endswith(","), 0.5 if past else 0.0),
        (lower in words("grammar", "subject_pronouns") or lower in _PERSONS, _pronoun(lower, form)),
        (lower in {"that", "which", "what"}, 2.0),
        (possessive or lower in words("grammar", "articles", "possessives", "determiners"), -4.5),
        (lower in words("grammar", "prepositions"), -2.5 if past else -3.5),
        (lower in words("grammar", "conjunctions", "subordinators"), -0.7),
        (is_adjective(lower) or lower in words("grammar", "numbers"), -1.8),
        (lower in words("grammar", "object_pronouns"), -2.5),
    )
    found = next((value for holds, value in rules if holds), None)
    return score + (_noun(sequence, j, form) if found is None else found)


_PERSONS = frozenset(("who", "everyone", "someone", "nobody"))


def _pronoun(lower: str, form: Form) -> float:
    agrees = (form is Form.THIRD) == (lower not in {"i", "you", "we", "they", "who"})
    return 3.0 if agrees or form is Form.PAST or lower in {"who", "it", "you"} else 1.0


def _noun(sequence: Sequence[Token], j: int, form: Form) -> float:
    """The evidence of a noun at ``j``, which may itself be a verb."""
    lower = sequence[j].lower
    score = _agreement(sequence, j, form)
    if j == 0:
        return score
    if is_plural(sequence[j - 1].lower) and is_base(lower):  # "cats use tap water"
        return score - 2.5
    finite = any(r.form in {Form.PAST, Form.THIRD} and r.weight > 0 for r in readings(lower))
    return score - 1.5 if finite or is_participle(lower) else score


def _agreement(sequence: Sequence[Token], j: int, form: Form) -> float:
    """What the subject, whose last word is at ``j``, says about the form of a verb behind it."""
    if form is Form.PAST:
        return 0.7
    start = next((k for k in range(j, 0, -1) if _ends_clause(sequence[k - 1])), 0)
    if start and sequence[start - 1].lower in {"who", "that", "which"} and j > start:
        return 0.5  # the subject is that of the clause around
    prepositions = words("grammar", "prepositions")
    head = next((k - 1 for k in range(start + 1, j) if sequence[k].lower in prepositions), j)
    plural = any(is_plural(token.lower) for token in sequence[start : head + 1])
    last = is_plural(sequence[j].lower)
    if form is Form.BASE:
        joined = any(token.lower in {"and", "or"} for token in sequence[start:j])
        return 1.3 if plural else (-0.8 if joined else (-1.3 if last else -2.3))
    if plural and last and not sequence[j].text[0].isupper():
        return -1.5
    return 0.0 if plural else 1.3


def _ends_clause(token: Token) -> bool:
    return bool(token.after) or token.lower in words("grammar", "subordinators")


def _after(sequence: Sequence[Token], i: int, reading: Reading) -> float:
    """The evidence of what stands behind a verb; the first rule that holds counts."""
    if i + 1 >= len(sequence):
        return 0.0 if reading.form is Form.BASE else -0.3
    lower = sequence[i + 1].lower
    past = reading.form is Form.PAST
    third = any(r.form is Form.THIRD and r.weight > 0 for r in readings(lower))
    of = 2.0 if reading.base in words("verbs", "taking_of") else -1.5
    that = 1.5 if reading.base in words("verbs", "saying") else -0.7
    described = is_adverb(lower) or is_adjective(lower) or lower in words("grammar", "numbers")
    rules = (
        (reading.base == "use" and lower == "to", 3.0),
        (sequence[i].after.endswith(","), -0.7),
        (lower in words("grammar", "articles", "possessives", "object_pronouns"), 1.8),
        (lower == "of", of),
        (is_auxiliary(lower), -3.5),
        ((third and not past) or (lower == "by" and past), -2.0),
        (lower == "that", that),
        (lower in words("grammar", "prepositions", "determiners"), 1.0),
        (described, 0.8),
        (lower in words("grammar", "conjunctions"), _joined(sequence, i, reading.form)),
    )
    return next((value for holds, value in rules if holds), 0.2)


def _joined(sequence: Sequence[Token], i: int, form: Form) -> float:
    """The evidence of a conjunction behind a verb: a second verb of the same form may follow."""
    same = i + 2 < len(sequence) and any(r.form is form for r in readings(sequence[i + 2].lower))
    return 0.7 if same else -0.3
