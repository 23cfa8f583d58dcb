"""Merging: propositions that entail each other both ways share one variable.

A model often gives the same reason twice in other words. Counted twice, its belief and its relations weigh
double. Once merged, of several constraints with the same clause only the heaviest counts. The root is never
merged: joined with what a verifier takes for the same as Q, it would be decided by that alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from maieutic.inference.constraints import Constraint, clause_of
from maieutic.inference.graph import BeliefGraph, Literal
from maieutic.tree import ROOT

__all__ = ["deduplicated", "merged_literals"]


def merged_literals(
    graph: BeliefGraph,
    threshold: float | None,
    held: Sequence[Literal] = (),
    same: Iterable[tuple[Literal, Literal]] = (),
    roots: Collection[str] = (ROOT,),
) -> tuple[tuple[Literal, ...], ...]:
    """Groups of explanations that are one, because their sentences are or because they entail each other.

    Args:
        threshold: joins those that entail each other both ways, each with at least this probability; None
            joins none of them.
        held: literals that are fixed.
        same: pairs of literals with the same sentence, which come first.
        roots: ids of the claims, which no threshold merges.

    The likeliest pairs are joined first. Two are not joined if that would make a proposition equal to its
    own negation, or join two that are both fixed (``held``). A group has two literals or more, in the order
    of the graph; a proposition is in at most one group.
    """
    literals = [form.literal for form in graph.forms]
    place = {literal.id: index for index, literal in enumerate(literals)}
    fixed = {literal.id for literal in held}
    # A group and its mirror image, the negations of its literals, grow together.
    group = {form: frozenset({form}) for literal in literals for form in (literal, ~literal)}
    mutual = () if threshold is None else sorted(_mutual(graph, place, roots), key=lambda pair: -pair[0])
    limit = max(threshold or 0.0, 0.5)
    for p, one, other in (*((1.0, one, other) for one, other in same), *mutual):
        union = group[one] | group[other]
        both_fixed = sum(literal.id in fixed for literal in union) > 1
        if p < limit or ~other in group[one] or both_fixed:
            continue
        mirror = frozenset(~literal for literal in union)
        group.update(dict.fromkeys(union, union) | dict.fromkeys(mirror, mirror))
    # Of a group and its mirror image, keep the one that holds its first proposition's own form.
    first = {min(members, key=lambda literal: place[literal.id]) for members in group.values()}
    return tuple(
        tuple(sorted(group[literal], key=lambda member: place[member.id]))
        for literal in literals
        if literal in first and len(group[literal]) > 1
    )


def deduplicated(constraints: Sequence[Constraint], variables: Mapping[str, int]) -> tuple[Constraint, ...]:
    """The constraints without tautologies; of several with the same kind and clause the heaviest."""
    heaviest: dict[tuple[str, frozenset[int]], int] = {}
    for index, constraint in enumerate(constraints):
        clause = frozenset(clause_of(constraint, variables))
        if any(-literal in clause for literal in clause):
            continue
        key = (constraint.kind, clause)
        if key not in heaviest or constraints[heaviest[key]].weight < constraint.weight:
            heaviest[key] = index
    return tuple(constraints[index] for index in sorted(heaviest.values()))


def _mutual(
    graph: BeliefGraph, place: Mapping[str, int], roots: Collection[str]
) -> list[tuple[float, Literal, Literal]]:
    """Pairs related both ways, without the roots: (the smaller probability of entailment, one, other)."""
    return [
        (min(_entailment(graph, one, other), _entailment(graph, other, one)), one, other)
        for one, other in graph.by_pair
        if place[one.id] < place[other.id]
        and (other, one) in graph.by_pair
        and not {one.id, other.id} & {*roots}
    ]


def _entailment(graph: BeliefGraph, source: Literal, target: Literal) -> float:
    relation = graph.by_pair[source, target]
    return relation.entailment if relation.kind == "entailment" else 0.0
