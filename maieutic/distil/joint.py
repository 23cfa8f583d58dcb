"""All statements about a head as one problem: relations across trees, opposites and exclusive values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from maieutic.distil.relations import Relations
from maieutic.distil.triples import Triple, meaning_key
from maieutic.inference.graph import Literal
from maieutic.problem.base import AtMostOne, Claim, ClaimConstraint, ExactlyOne, Problem
from maieutic.problem.settled import Settled
from maieutic.text import text_key
from maieutic.tree import Tree

__all__ = ["About", "constraints_of", "disagreeing", "neighbours", "problem_of"]

CONFLICT = 0.5  # least P(contradiction) of two statements that are shown as a conflict


@dataclass(frozen=True, slots=True)
class About:
    """The triples about one head, with the tree of each statement."""

    triples: tuple[Triple, ...]
    trees: tuple[Tree, ...]


def neighbours(triples: Iterable[Triple], heads: Iterable[str], most: int) -> list[str]:
    """The heads, other than the triples' own, that their tails name; ``most`` at most, in order.

    >>> triple = Triple("1.1", "a spoon", "Is", "a tool", "A spoon is a tool.")
    >>> neighbours([triple], ["a spoon", "the tool", "steel"], 3)
    ['the tool']
    """
    named = {_bare(head): head for head in heads}
    found = dict.fromkeys(
        named[_bare(one.tail)]
        for one in triples
        if _bare(one.tail) in named and _bare(one.tail) != _bare(one.head)
    )
    return list(found)[:most]


def _bare(text: str) -> str:
    first, _, rest = text_key(text).partition(" ")
    return rest if first in ("a", "an", "the") and rest else text_key(text)


def problem_of(own: About, beside: Sequence[About], relations: Relations) -> Problem:
    """The problem of the statements about a head; its claims C1, C2, … are its own, then its neighbours'."""
    triples = [triple for each in (own, *beside) for triple in each.triples]
    trees = [tree for each in (own, *beside) for tree in each.trees]
    claims = tuple(Claim(f"C{number}", tree) for number, tree in enumerate(trees, 1))
    named = {f"C{number}": triple for number, triple in enumerate(triples, 1)}
    return Problem(claims, tuple(constraints_of(named, relations)))


def constraints_of(triples: Mapping[str, Triple], relations: Relations) -> Iterator[ClaimConstraint]:
    """What is certain of triples by their relations alone.

    Of a statement and the one of the opposite relation with the same tail exactly one is true; of the tails
    of an exclusive relation at most one.

    Args:
        triples: by the ids of their claims.
    """
    by_id = relations.by_id
    opposites = {one.id: one.opposite for one in relations.relations if one.opposite}
    places: dict[tuple[str, str, tuple[object, ...]], list[str]] = {}
    for claim, triple in triples.items():
        places.setdefault((triple.head, triple.relation, meaning_key(triple.tail)), []).append(claim)
    for (head, relation, said), claims in places.items():
        for one in claims:
            for other in places.get((head, opposites.get(relation, ""), said), ())[:1]:
                yield ExactlyOne((one, other))
    values: dict[tuple[str, str], list[str]] = {}
    for claim, triple in triples.items():
        if by_id[triple.relation].exclusive:
            values.setdefault((triple.head, triple.relation), []).append(claim)
    yield from (AtMostOne(tuple(claims)) for claims in values.values() if len(claims) > 1)


def disagreeing(settled: Settled, *, by_verifier: bool) -> dict[str, set[str]]:
    """Claim → the claims that it cannot be true together with, by a hard constraint.

    Args:
        by_verifier: whether those count, too, of which the verifier finds it likely.
    """
    ids = {claim.id for claim in settled.problem.claims}
    found: dict[str, set[str]] = {claim: set() for claim in ids}
    pairs = [
        (relation.source.id, relation.target.id)
        for relation in (settled.graph.relations if by_verifier else ())
        if relation.contradiction >= CONFLICT
        and {relation.source, relation.target} <= set(map(Literal, ids))
        and relation.source != relation.target
    ]
    for group in settled.problem.constraints:
        if isinstance(group, ExactlyOne | AtMostOne):
            pairs += combinations(group.ids, 2)
    for one, other in pairs:
        found[one].add(other)
        found[other].add(one)
    return found
