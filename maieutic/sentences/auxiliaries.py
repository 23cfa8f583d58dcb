"""Putting *not* into a clause and taking it out: auxiliaries, *do* and the forms of verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maieutic.sentences.finite import Finite, Kind
from maieutic.sentences.tokens import Token, skip_adverbs, upper_first, word
from maieutic.sentences.verbs import Form, past, readings, third_person
from maieutic.sentences.vocabulary import is_adverb, is_plural, words

__all__ = ["inflected", "negated", "not_of", "restored", "with_word", "without_do"]

_DO = {Form.BASE: "do", Form.THIRD: "does", Form.PAST: "did"}
_FINITE = {"do": Form.BASE, "does": Form.THIRD, "did": Form.PAST}


def negated(sequence: Sequence[Token], verb: Finite) -> tuple[Token, ...]:
    """The sentence with *not* at its finite verb.

    >>> from maieutic.sentences.clauses import finite_verbs
    >>> from maieutic.sentences.tokens import spell, tokens
    >>> text = tokens("Caesar often went home.")
    >>> spell(negated(text, finite_verbs(text)[0]))
    'Caesar did not often go home.'
    """
    i = verb.index
    token = sequence[i]
    if verb.kind is Kind.AUXILIARY:
        place = i + 1
        if token.after:  # a comma behind the auxiliary stays behind the pair
            bare = replace(token, after="")
            return (*sequence[:i], bare, Token("not", after=token.after), *sequence[place:])
        return (*sequence[:place], word("not"), *sequence[place:])
    start = i
    while start > 1 and skip_adverbs(sequence, start - 1, -1) < start - 1 and not sequence[start - 1].after:
        if sequence[start - 1].lower in words("grammar", "behind_verbs"):
            break
        start -= 1
    auxiliary = _DO[verb.form]
    if verb.form is Form.BASE and verb.base in words("verbs", "unchanged_in_past") and _is_past(sequence, i):
        auxiliary = "did"
    base = replace(token, text=verb.base)
    rest = (*sequence[start:i], base, *sequence[i + 1 :])
    return (*sequence[:start], word(auxiliary), word("not"), *rest)


def _is_past(sequence: Sequence[Token], i: int) -> bool:
    """Whether a verb whose past equals its base is in the past, by the number of its subject."""
    subject = sequence[i - 1].lower if i else ""
    return subject in {"he", "she", "it"} or not (
        is_plural(subject) or subject in words("grammar", "subject_pronouns", "object_pronouns", "indefinite")
    )


def not_of(sequence: Sequence[Token], i: int) -> int | None:
    """The place of the *not* of the auxiliary at ``i``: behind it, with adverbs at most between."""
    for j in range(i + 1, len(sequence)):
        if sequence[j].lower == "not":
            return j
        if not is_adverb(sequence[j].lower):
            return None
    return None


def restored(sequence: Sequence[Token], verb: Finite, place: int) -> tuple[Token, ...]:
    """The sentence without the *not* at ``place``, which belongs to the verb.

    >>> from maieutic.sentences.clauses import finite_verbs
    >>> from maieutic.sentences.tokens import spell, tokens
    >>> text = tokens("Snow doesn't fall in July.")
    >>> spell(restored(text, finite_verbs(text)[0], 3 - 1))
    'Snow falls in July.'
    """
    rest = list(sequence)
    removed = rest.pop(place)
    if removed.after:
        rest[place - 1] = replace(rest[place - 1], after=rest[place - 1].after + removed.after)
    return without_do(rest, verb.index) if verb.base in _FINITE else tuple(rest)


def without_do(sequence: Sequence[Token], i: int) -> tuple[Token, ...]:
    """The sentence without the *do* at ``i``, whose form the next verb takes; unchanged if there is none."""
    form = _FINITE[sequence[i].lower]
    j = i + 1
    while j < len(sequence) and is_adverb(sequence[j].lower):
        j += 1
    if j >= len(sequence) or sequence[i].after:
        return tuple(sequence)
    if not _may_be_base(sequence[j].lower):
        return tuple(sequence)
    verb = replace(sequence[j], text=inflected(sequence[j].text, form))
    between = list(sequence[i + 1 : j])
    if i == 0:  # an order: *Do not eat*
        first = between[0] if between else verb
        first = replace(first, text=upper_first(first.text))
        between, verb = ([first, *between[1:]], verb) if between else ([], first)
    return (*sequence[:i], *between, verb, *sequence[j + 1 :])


def _may_be_base(lower: str) -> bool:
    """Whether a word may be the base form behind *do*; an unknown word may."""
    forms = {reading.form for reading in readings(lower)}
    if lower in {"be", "have", "do"} or Form.BASE in forms:
        return True
    closed = words(
        "grammar", "determiners", "prepositions", "conjunctions", "subordinators", "subject_pronouns"
    )
    return (
        lower.isalpha() and not forms and lower not in closed | words("verbs", "be", "have", "do", "modals")
    )


def inflected(base: str, form: Form) -> str:
    """A base form in another form; a first letter in upper case stays.

    >>> inflected("fly", Form.PAST), inflected("have", Form.THIRD), inflected("Run", Form.BASE)
    ('flew', 'has', 'Run')
    """
    forms = {Form.THIRD: third_person, Form.PAST: past}
    if form not in forms:
        return base
    made = forms[form](base.lower())
    return upper_first(made) if base[:1].isupper() else made


def with_word(sequence: Sequence[Token], i: int, *texts: str) -> tuple[Token, ...]:
    """The sentence with other words in place of the one at ``i``; none removes it. Punctuation stays."""
    token = sequence[i]
    if not texts:
        rest = list(sequence)
        rest.pop(i)
        if token.after and i > 0:
            rest[i - 1] = replace(rest[i - 1], after=rest[i - 1].after + token.after)
        return tuple(rest)
    texts = (upper_first(texts[0]), *texts[1:]) if token.text[0].isupper() and i == 0 else texts
    new = [word(text) for text in texts]
    new[0] = replace(new[0], before=token.before, joined=token.joined)
    new[-1] = replace(new[-1], after=token.after)
    return (*sequence[:i], *new, *sequence[i + 1 :])
