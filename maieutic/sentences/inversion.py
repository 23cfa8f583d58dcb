"""Questions with their auxiliary in front of the subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.sentences.tokens import Token
from maieutic.sentences.verbs import is_base, is_participle
from maieutic.sentences.vocabulary import is_adverb, is_auxiliary, words

__all__ = ["Inverted", "inverted", "is_subject"]


@dataclass(frozen=True, slots=True)
class Inverted:
    """A question with its auxiliary in front of its subject.

    Attributes:
        opening: what stands before the auxiliary, such as *if it rains,*.
        auxiliary: the auxiliary, and the *not* that stands directly behind it.
        rest: the subject and all behind it; not empty.
    """

    opening: tuple[Token, ...]
    auxiliary: tuple[Token, ...]
    rest: tuple[Token, ...]


def inverted(sequence: Sequence[Token]) -> Inverted | None:
    """The parts of a question, or None if no auxiliary stands in front of a subject."""
    i = _auxiliary_place(sequence)
    if i is None:
        return None
    end = i + 1
    if end + 1 < len(sequence) and sequence[end].lower == "not":
        end += 1
    if end >= len(sequence):
        return None
    return Inverted(tuple(sequence[:i]), tuple(sequence[i:end]), tuple(sequence[end:]))


def is_subject(sequence: Sequence[Token], i: int) -> bool:
    """Whether a subject may begin at a place: no verb, preposition or adverb stands there."""
    if i >= len(sequence):
        return False
    lower = sequence[i].lower
    if lower == "not":
        return is_subject(sequence, i + 1)
    nominal = words("grammar", "subject_pronouns", "determiners", "articles", "indefinite", "numbers")
    if lower in nominal or lower == "there":
        return True
    bare = words("grammar", "prepositions", "conjunctions")
    return lower not in bare and not is_auxiliary(lower) and not is_adverb(lower) and not lower.endswith("ed")


def _auxiliary_place(sequence: Sequence[Token]) -> int | None:
    """The place of the auxiliary that stands in front of its subject."""
    if not sequence:
        return None
    opening = sequence[0].lower
    if is_auxiliary(opening) and not sequence[0].before:
        return 0 if _opens_question(sequence) else None
    openers = ("prepositions", "subordinators", "prepositional_subordinators", "openers")
    adverbial = is_adverb(opening) or opening in words("grammar", *openers)
    places = (i for i in range(1, len(sequence) - 1) if is_auxiliary(sequence[i].lower))
    return next((i for i in places if _inverts_at(sequence, i, adverbial)), None)


def _inverts_at(sequence: Sequence[Token], i: int, adverbial: bool) -> bool:
    """Whether the auxiliary at a place behind the first stands in front of its subject.

    Args:
        adverbial: whether the sentence opens with an adverb, a preposition or a word such as *if*.
    """
    before, following = sequence[i - 1], sequence[i + 1].lower
    pronoun = following in words("grammar", "subject_pronouns") or following == "there"
    if "," in before.after or before.after.endswith((":", ";", "-", "–", "—")):
        return pronoun or (adverbial and is_subject(sequence, i + 1))
    if i == 1 and before.lower in words("grammar", "openers") - words("grammar", "not_openers"):
        return is_subject(sequence, 2)
    subjects = words("grammar", "subject_pronouns", "indefinite", "subordinators", "conjunctions")
    no_subject_before = before.lower not in subjects and before.lower != "there"
    return adverbial and no_subject_before and pronoun and sequence[i].lower != "do"


def _opens_question(sequence: Sequence[Token]) -> bool:
    """Whether an auxiliary at the start asks, which it does not in *Will Smith is old* or *Have fun*."""
    first, *rest = (token.lower for token in sequence)
    if not rest:
        return False
    if first in {"will", "may", "can"}:
        if rest[0] in words("verbs", "be", "have"):
            return False
        clauses = words("grammar", "subordinators", "prepositional_subordinators")
        end = next((i for i, lower in enumerate(rest) if lower in clauses), len(rest))
        finite = words("verbs", "be") | {"has"}
        sure = "be" in rest or rest[0] in words("grammar", "articles", "subject_pronouns")
        return sure or not finite.intersection(rest[:end])
    if first == "have":
        return rest[0] in words("grammar", "subject_pronouns") or any(map(is_participle, rest[1:]))
    if first == "do":
        order = rest[0] == "not" and any(map(is_base, rest[1:2]))  # "do not run"
        return not order and any(map(is_base, rest[1:]))
    return True
