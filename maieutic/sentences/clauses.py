"""The finite verbs of a sentence, those of main clauses first.

There is no grammar of English here, only evidence: what each word may be, and which verb a word such as *who*
or *if* takes for its own clause. A wrong guess costs little, because every likely verb is offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from maieutic.sentences.finite import Finite, Kind, finite_verb
from maieutic.sentences.tokens import Token, skip_adverbs
from maieutic.sentences.verbs import Form, is_participle
from maieutic.sentences.vocabulary import is_adverb, words

__all__ = ["finite_verbs", "main_start"]

CLEAR = 2.0  # a verb with this score leaves only such ones as possibilities
PLAUSIBLE = -0.5  # below this a word is a verb only if there is no other
CERTAIN = 3.5  # a verb with this score is no noun, whatever follows
REPORTING = 1.5  # a verb of saying with this score may have a clause without *that* behind it
REDUCED = 1.0  # evidence that *a bird called* is not the past tense
BARE = 3.0  # evidence that a base form behind *help* or *make* is an infinitive
MOST_POSSIBILITIES = 2


def finite_verbs(sequence: Sequence[Token]) -> tuple[Finite, ...]:
    """The finite verbs: those of main clauses first, then those of other clauses, then mere possibilities.

    >>> from maieutic.sentences.tokens import tokens
    >>> [verb.base for verb in finite_verbs(tokens("People who are tall can play if they train."))]
    ['can', 'are', 'train']
    """
    found = [verb for i in range(len(sequence)) if (verb := finite_verb(sequence, i)) is not None]
    strong, weak = _without_rivals(sequence, [verb for verb in found if verb.score >= 0])
    weak = sorted([*weak, *(verb for verb in found if verb.score < 0)], key=lambda verb: -verb.score)
    bound = _bound(sequence, strong)
    if len(bound) == len(strong):  # none is left for the main clause
        first = min(bound, default=len(sequence))
        promoted = next((verb for verb in weak if verb.index < first), None)
        if promoted is not None:
            weak.remove(promoted)
            strong = [promoted, *strong]
            bound = _bound(sequence, strong)
    bound = bound if len(bound) < len(strong) else set()
    main = [verb for verb in strong if verb.index not in bound]
    others = [verb for verb in strong if verb.index in bound]
    least = CLEAR if main and main[0].score >= CLEAR else PLAUSIBLE
    return (*main, *others, *(verb for verb in weak[:MOST_POSSIBILITIES] if verb.score > least))


def main_start(sequence: Sequence[Token], verb: Finite) -> int:
    """Where the clause of a verb begins: behind the comma or the adverb that ends an opening, else at 0."""
    opening = sequence[0].lower
    if opening in words("grammar", "quantifiers"):
        return 0
    if is_adverb(opening) or opening in words("grammar", "prepositions", "subordinators", "openers"):
        commas = (i for i in range(verb.index - 1, 0, -1) if sequence[i - 1].after.endswith(","))
        return next(commas, 1 if is_adverb(opening) else 0)
    return 0


def _without_rivals(sequence: Sequence[Token], verbs: Sequence[Finite]) -> tuple[list[Finite], list[Finite]]:
    """The verbs that stand, and those that give way to a likelier one in the same clause."""
    kept: list[Finite] = []
    dropped: list[Finite] = []
    for verb in verbs:
        while kept and _are_rivals(sequence, kept[-1], verb):
            if kept[-1].score + _non_finite(sequence, kept[-1], verb) >= verb.score:
                dropped.append(verb)
                break
            dropped.append(kept.pop())
        else:
            kept.append(verb)
    return kept, dropped


def _non_finite(sequence: Sequence[Token], earlier: Finite, verb: Finite) -> float:
    """The evidence that a verb behind another is a participle or an infinitive: *helps patients recover*."""
    if verb.form is Form.PAST and is_participle(sequence[verb.index].lower):
        return REDUCED
    return BARE if verb.form is Form.BASE and earlier.base in words("verbs", "bare_infinitive") else 0.0


def _are_rivals(sequence: Sequence[Token], one: Finite, other: Finite) -> bool:
    """Whether only one of two verbs can be finite: nothing between them begins a clause."""
    reported = one.base in words("verbs", "saying") and one.score > REPORTING
    certain = one.kind is Kind.VERB and one.form is not Form.PAST and one.score > CERTAIN
    parted = _is_parted(sequence, one.index, other.index)
    return not (parted or reported or certain or _is_in_clause(sequence, one.index))


def _is_parted(sequence: Sequence[Token], i: int, j: int) -> bool:
    """Whether a new clause or conjunct may begin between two places."""
    links = words(
        "grammar", "conjunctions", "subordinators", "prepositional_subordinators", "subject_pronouns"
    )
    between = sequence[i:j]
    ended = any(token.after.endswith((",", ";", ":", "—", "–", ")", '"')) for token in between)
    return ended or any(token.lower in links for token in between[1:])


def _is_in_clause(sequence: Sequence[Token], i: int) -> bool:
    """Whether a verb at this place belongs to a relative or adverbial clause that began before it."""
    for token in reversed(sequence[:i]):
        if token.lower in words("grammar", "subordinators", "prepositional_subordinators"):
            return True
        if token.after.endswith(","):
            return False
    return _is_in_contact_clause(sequence, i)


def _is_in_contact_clause(sequence: Sequence[Token], i: int) -> bool:
    """Whether the verb is that of a clause such as *you eat* in *the food you eat*."""
    j = skip_adverbs(sequence, i - 1, -1)
    if j < 1 or sequence[j].lower not in words("grammar", "subject_pronouns"):
        return False
    before = sequence[j - 1]
    bare = words("grammar", "conjunctions", "subordinators", "prepositional_subordinators", "prepositions")
    return not before.after and before.lower not in bare and not is_adverb(before.lower)


def _bound(sequence: Sequence[Token], verbs: Sequence[Finite]) -> set[int]:
    """The places of the verbs that subordinators take, from the last subordinator to the first.

    A word that may also be a preposition, such as *before*, takes one only if that leaves another.
    """
    places = [verb.index for verb in verbs]
    bound: set[int] = set()
    if len(places) > 1 and _is_in_contact_clause(sequence, places[0]):
        bound.add(places[0])
    for name, least in (("subordinators", 1), ("prepositional_subordinators", 2)):
        for k in range(len(sequence) - 1, -1, -1):
            demonstrative = k == 0 and sequence[k].lower == "that"
            free = [i for i in places if i not in bound]
            taken = next((i for i in free if i > k), None)
            opens = sequence[k].lower in words("grammar", name) and not demonstrative
            if opens and taken is not None and len(free) >= least:
                bound.add(taken)
    return bound | _joined_to(sequence, places, bound)


def _joined_to(sequence: Sequence[Token], places: Sequence[int], bound: set[int]) -> set[int]:
    """The places of free verbs that *and* joins to a bound one, as long as another verb is free."""
    joined: set[int] = set()
    for earlier, i in pairwise(places):
        conjunction = sequence[i - 1].lower in words("grammar", "conjunctions")
        if conjunction and earlier in bound | joined and len(places) - len(bound | joined) > 1:
            joined.add(i)
    return joined
