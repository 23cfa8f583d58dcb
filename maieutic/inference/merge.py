"""Merging: propositions that entail each other both ways are one and the same.

A model often gives the same reason twice in other words. Counted twice, its belief and its relations weigh
double. Merged, the propositions share one variable, and of several constraints that then ask the same only
the heaviest counts. The root stays itself: joined with what a verifier takes for the same as Q, it would be
decided by that alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from maieutic.inference.constraints import Constraint, clause_of
from maieutic.relate import Relation, opposite
from maieutic.tree import ROOT

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["deduplicated", "merged_forms"]


def merged_forms(
    graph: BeliefGraph, threshold: float, held: Sequence[str] = ()
) -> tuple[tuple[str, ...], ...]:
    """Groups of explanations that entail each other both ways, each with probability ≥ ``threshold``.

    The likeliest pairs are joined first. Two are not joined if that made a proposition equal its own
    negation, or joined two that must hold by themselves (``held``). A group has two forms or more, in the
    order of the graph, and a proposition is in one group at most.
    """
    place = {name.removeprefix("¬"): number for number, name in enumerate(graph)}
    pairs = [
        (min(_entailment(graph, one, other), _entailment(graph, other, one)), one, other)
        for one, other in graph.edges
        if place[one.removeprefix("¬")] < place[other.removeprefix("¬")]
        and graph.has_edge(other, one)
        and ROOT not in (one.removeprefix("¬"), other.removeprefix("¬"))
    ]
    fixed = {name.removeprefix("¬") for name in held}
    # A group and its mirror image, the opposites of its forms, grow together.
    group = {form: frozenset({form}) for name in graph for form in (name, opposite(name))}
    for p, one, other in sorted(pairs, key=lambda pair: -pair[0]):
        joined = group[one] | group[other]
        settled = [form for form in joined if form.removeprefix("¬") in fixed]
        if p < max(threshold, 0.5) or opposite(other) in group[one] or len(settled) > 1:
            continue
        mirror = frozenset(map(opposite, joined))
        group.update(dict.fromkeys(joined, joined) | dict.fromkeys(mirror, mirror))
    # Of a group and its mirror image, the one that holds its first proposition's own form.
    first = {min(found, key=lambda form: place[form.removeprefix("¬")]) for found in group.values()}
    return tuple(
        tuple(sorted(group[name], key=lambda form: place[form.removeprefix("¬")]))
        for name in graph
        if name in first and len(group[name]) > 1
    )


def deduplicated(constraints: Sequence[Constraint], variables: Mapping[str, int]) -> tuple[Constraint, ...]:
    """The constraints without those that always hold; of several with one kind and clause the heaviest."""
    best: dict[tuple[str, frozenset[int]], int] = {}
    for index, constraint in enumerate(constraints):
        clause = frozenset(clause_of(constraint, variables))
        if any(-literal in clause for literal in clause):
            continue
        key = (constraint.kind, clause)
        if key not in best or constraints[best[key]].weight < constraint.weight:
            best[key] = index
    return tuple(constraints[index] for index in sorted(best.values()))


def _entailment(graph: BeliefGraph, source: str, target: str) -> float:
    relation: Relation = graph.edges[source, target]["relation"]
    return relation.entailment if relation.kind == "entailment" else 0.0
