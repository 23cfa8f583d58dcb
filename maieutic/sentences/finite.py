"""Whether a single word of a sentence is a finite verb, and which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from maieutic.sentences.evidence import verb_score
from maieutic.sentences.tokens import Token, skip_adverbs
from maieutic.sentences.verbs import Form, is_base, is_participle, readings
from maieutic.sentences.vocabulary import is_adverb, is_auxiliary, is_plural, words

__all__ = ["Finite", "Kind", "finite_verb"]


class Kind(Enum):
    """How a finite verb is negated."""

    AUXILIARY = "auxiliary"  # with *not* behind it
    VERB = "verb"  # with *do*


@dataclass(frozen=True, slots=True)
class Finite:
    """A finite verb.

    Attributes:
        index: its place in the sentence.
        base: its base form; for an auxiliary the word itself.
        form: its form; BASE for auxiliaries.
        score: how sure it is to be a finite verb, in nats of odds.
    """

    index: int
    kind: Kind
    base: str
    form: Form
    score: float


SURE = 6.0  # an auxiliary with nothing against it
LEAST = -3.5  # below this a word is no verb


def finite_verb(sequence: Sequence[Token], i: int) -> Finite | None:
    """The likeliest finite verb that the word at a place may be; None if it is hardly one."""
    lower = sequence[i].lower
    if _is_governed(sequence, i):
        return None
    if is_auxiliary(lower) or sequence[i].joined:
        return _auxiliary(sequence, i)
    if lower == "need" and sequence[i + 1 : i + 2] and sequence[i + 1].lower == "not":
        return Finite(i, Kind.AUXILIARY, lower, Form.BASE, SURE)
    if is_adverb(lower) or (lower in words("grammar", "prepositions") and not _is_verb_like(sequence, i)):
        return None
    finite = [
        Finite(i, Kind.VERB, reading.base, reading.form, verb_score(sequence, i, reading))
        for reading in readings(lower)
        if reading.form in {Form.BASE, Form.THIRD, Form.PAST}
    ]
    best = max(finite, key=lambda verb: verb.score, default=None)
    return best if best is not None and best.score > LEAST else None


def _is_verb_like(sequence: Sequence[Token], i: int) -> bool:
    """Whether *like* may be the verb: behind a pronoun or a plural, in front of *to* or an object."""
    if sequence[i].lower != "like" or not 0 < i < len(sequence) - 1:
        return False
    before, following = sequence[i - 1].lower, sequence[i + 1].lower
    if before in words("grammar", "subject_pronouns") or is_adverb(before):
        return True
    objects = words("grammar", "articles", "possessives", "object_pronouns")
    return is_plural(before) and (following in objects or following.endswith(("to", "ing")))


_MAIN_FORMS = {
    "has": ("have", Form.THIRD),
    "have": ("have", Form.BASE),
    "had": ("have", Form.PAST),
    "does": ("do", Form.THIRD),
    "do": ("do", Form.BASE),
    "did": ("do", Form.PAST),
}


def _auxiliary(sequence: Sequence[Token], i: int) -> Finite | None:
    """The word at a place as an auxiliary, or as the main verb *have* or *do*."""
    lower = sequence[i].lower.replace("’", "'")
    after = skip_adverbs(sequence, i + 1)
    following = sequence[after].lower if after < len(sequence) else ""
    if lower in {"can", "will", "may", "might", "must"} and _is_noun(sequence, i, following):
        return None
    if lower in _MAIN_FORMS:
        base, form = _MAIN_FORMS[lower]
        negated = i + 1 < len(sequence) and sequence[i + 1].lower == "not"
        helps = is_participle(following) if base == "have" else is_base(following)
        if not negated and not helps:
            return Finite(i, Kind.VERB, base, form, SURE - 1)
    return Finite(i, Kind.AUXILIARY, lower, Form.BASE, SURE)


def _is_noun(sequence: Sequence[Token], i: int, following: str) -> bool:
    """Whether a modal is a noun or a name: *a can*, *in May*, *May is*."""
    if i == 0:
        return following in words("verbs", "be", "have", "modals")
    before = sequence[i - 1].lower
    name = sequence[i].lower != "can" and sequence[i].text[0].isupper()
    return name or before in words("grammar", "determiners", "articles") or before in {"of", "in", "since"}


def _is_governed(sequence: Sequence[Token], i: int) -> bool:
    """Whether the word depends on *to*, a modal or *do*, or is the participle of *be*, *have* or *get*."""
    j = skip_adverbs(sequence, i - 1, -1)
    if j < 0:
        return False
    lower, head = sequence[i].lower, sequence[j].lower.replace("’", "'")
    behind_not = sequence[i - 1].lower == "not" and lower not in words("verbs", "be", "modals", "do")
    if behind_not or head in words("verbs", "take_base", "modals", "do"):
        return behind_not or is_base(lower) or lower in words("verbs", "modals")
    if head in words("verbs", "be", "have", "take_participle"):
        return is_participle(lower) or not is_auxiliary(lower)
    if head in {"get", "gets", "got", "getting"} and is_participle(lower):
        return True
    if head in words("grammar", "conjunctions") and j > 0 and lower not in words("verbs", "be", "modals"):
        earlier = sequence[j - 1].lower
        same = is_base(lower) and is_base(earlier)
        both = is_participle(lower) and is_participle(earlier)
        return (same or both) and _is_governed(sequence, j - 1)
    return False
