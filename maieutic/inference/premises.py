"""Premises that combine: two sentences that together entail or exclude a third, where neither does alone.

"A dog is a bird" and "Birds are not mammals" exclude "A dog is a mammal" only together, and a verifier sees a
premise and a hypothesis. So two forms are joined into one premise where they can make a syllogism: they share
a term, and each has a term of the third that the other lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from maieutic.inference.constraints import Constraint
from maieutic.inference.graph import BeliefGraph, Form, Relation
from maieutic.inference.weights import JointWeights
from maieutic.sentences.content import content_words
from maieutic.sentences.tokens import lower_first, tokens

__all__ = ["MOST_TRIPLES", "combined_constraints", "joined", "triples"]

MOST_TRIPLES = 32  # for one hypothesis; each is one more pair for the verifier
COMMON = 200  # premises from which a term finds none: it says too little, and long texts have many such pairs
CANDIDATES = 24  # premises that are paired for one hypothesis: those that share most terms with it


def joined(one: str, other: str) -> str:
    """Two sentences as one premise.

    >>> joined("A dog is a bird.", "Birds are not mammals.")
    'A dog is a bird, and birds are not mammals.'
    """
    first = tokens(other)[:1]
    small = lower_first(tokens(other))[:1]
    changes = bool(first) and small != first
    return f"{one.rstrip(' .')}, and {other[:1].lower() + other[1:] if changes else other}"


def triples(
    premises: Sequence[Form], hypotheses: Sequence[Form], most: int = MOST_TRIPLES
) -> list[tuple[Form, Form, Form]]:
    """Pairs of premises with a hypothesis, as two premises of a syllogism share terms with its conclusion.

    The premise about the subject of the hypothesis, its first term, comes first, as people say it.

    Args:
        most: for one hypothesis; those that cover most of its terms come first.

    >>> from maieutic.inference.graph import Literal
    >>> texts = "A dog is a bird.", "Birds are not mammals.", "Ice is cold.", "A dog is a mammal."
    >>> *known, asked = (Form(Literal(f"A{number}"), text) for number, text in enumerate(texts, 1))
    >>> [(str(one.literal), str(other.literal)) for one, other, _ in triples(known, [asked])]
    [('A1', 'A2')]
    """
    if len(premises) < 2:
        return []
    words = {form.literal: list(content_words(form.text)) for form in (*premises, *hypotheses)}
    terms = {literal: frozenset(said) for literal, said in words.items()}
    having: dict[str, list[int]] = {}
    for place, form in enumerate(premises):
        for term in terms[form.literal]:
            having.setdefault(term, []).append(place)
    found: list[tuple[Form, Form, Form]] = []
    for target in hypotheses:
        goal = terms[target.literal]
        rare = (having[term] for term in sorted(goal) if len(having.get(term, ())) in range(1, COMMON))
        shared = Counter(place for places in rare for place in places)
        near = [premises[place] for place, _ in sorted(shared.items(), key=lambda one: (-one[1], one[0]))]
        near = [form for form in near if form.literal.id != target.literal.id][:CANDIDATES]
        ranked: list[tuple[int, int, Form, Form]] = []
        for one, other in combinations(near, 2):
            mine, theirs = terms[one.literal], terms[other.literal]
            own, its, middle = (mine - theirs) & goal, (theirs - mine) & goal, (mine & theirs) - goal
            if own and its and middle and one.literal.id != other.literal.id:
                ranked.append((-len((mine | theirs) & goal), len(ranked), one, other))
        subject = words[target.literal][:1]
        for *_, one, other in sorted(ranked, key=lambda item: item[:2])[:most]:
            swap = not terms[one.literal].issuperset(subject) and terms[other.literal].issuperset(subject)
            found.append((other, one, target) if swap else (one, other, target))
    return found


def combined_constraints(graph: BeliefGraph, weights: JointWeights) -> Iterator[Constraint]:
    """What two forms together say of a third, in full, where neither says it alone."""
    for each in graph.combined:
        weight = weights.strength(each.relation)
        kind = each.relation.kind
        if kind == "neutral" or weight == 0.0:
            continue
        alone = (graph.by_pair.get((source, each.target)) for source in (each.source, each.other))
        if not any(_says(relation, kind, weights) for relation in alone):
            yield Constraint(kind, each.source, each.target, weight, each.other)


def _says(relation: Relation | None, kind: str, weights: JointWeights) -> bool:
    return relation is not None and relation.kind == kind and weights.strength(relation) > 0.0
