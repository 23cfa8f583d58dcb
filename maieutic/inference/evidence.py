"""The pieces of evidence of a tree, each as a clause with its strength before the weight of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint, relation_constraints
from maieutic.inference.graph import BeliefGraph, Literal, Q
from maieutic.inference.weights import JointWeights
from maieutic.text import text_key
from maieutic.tree import ROOT, Proposition, Tree, taking_part

__all__ = ["assumed", "belief", "terms_of"]


def terms_of(
    tree: Tree, graph: BeliefGraph, weights: JointWeights, share: float
) -> Iterator[tuple[str, Constraint]]:
    """Every piece of evidence as (name of its weight, clause with its strength).

    Args:
        weights: give ``clip``, ``threshold`` and the priors; the cost is linear in the others.
        share: of :attr:`maieutic.inference.Joint.pruned`.
    """
    nodes = taking_part(tree, pruned=share > 0)
    yield "bias", Constraint("bias", Q, None, 1.0)
    yield from _beliefs(tree, nodes, weights)
    explanations = sum(1.0 if node.id in tree.by_id else share for node in nodes)
    yield from _relations(graph, {ROOT, *(node.id for node in nodes)}, explanations, weights)
    undecided = _given_for_both(nodes)
    for node in nodes:
        assert node.parent is not None
        if (node.parent, text_key(node.statement)) in undecided:
            continue
        parent = Literal(node.parent, node.side is True)
        term = "true_child" if node.side else "false_child"
        yield term, Constraint("tree", Literal(node.id), parent, 1.0)


def _given_for_both(nodes: Sequence[Proposition]) -> set[tuple[str | None, str]]:
    """Parents with the sentences that were given as reasons for them and against them, which say neither."""
    sides: dict[tuple[str | None, str], set[bool | None]] = {}
    for node in nodes:
        sides.setdefault((node.parent, text_key(node.statement)), set()).add(node.side)
    return {place for place, given in sides.items() if len(given) > 1}


def _beliefs(
    tree: Tree, nodes: Sequence[Proposition], weights: JointWeights
) -> Iterator[tuple[str, Constraint]]:
    said = {
        "root": tree.root.p_true,
        "root_negation": tree.root.p_true_negation,
        "chain": tree.chain.p_true if tree.chain else None,
    }
    for term, p in said.items():
        odds = weights.judged(term, p)
        if odds == 0.0:
            continue
        if term == "chain":
            yield term, Constraint("chain", Literal(ROOT, odds > 0), None, abs(odds))
        else:
            yield term, belief(tree.root, -odds if term == "root_negation" else odds)
    for node in nodes:
        if node.p_true is None or node.p_true_negation is None:
            continue
        odds = weights.log_odds(node.p_true, node.p_true_negation)
        if odds != 0.0:
            yield ("integral" if node.integral else "wavering"), belief(node, odds)


def belief(node: Proposition, odds: float) -> Constraint:
    """What log-odds ≠ 0 of a proposition ask for, in nats."""
    return Constraint("belief", Literal(node.id, odds > 0), None, abs(odds))


def _relations(
    graph: BeliefGraph, ids: set[str], explanations: float, weights: JointWeights
) -> Iterator[tuple[str, Constraint]]:
    """The verifier's relations between the propositions of these ids.

    Args:
        explanations: how many share the weight of the relations.
    """
    for constraint in relation_constraints(graph, weights.strength):
        if not constraint.ids <= ids:
            continue
        if constraint.touches_root:
            term, share = "at_root", explanations
        else:
            ends = (constraint.source, constraint.target)
            term = "negation" if any(end and not end.positive for end in ends) else constraint.kind
            share = explanations - 1
        yield term, replace(constraint, weight=constraint.weight / max(1.0, share))


def assumed(
    graph: BeliefGraph, assumptions: Sequence[Assumption], weights: JointWeights
) -> Iterator[Constraint]:
    """Relations with assumptions, in full: a user's facts are neither overconfident nor repetitive.

    Of several with the same clause only the likeliest counts. A clause that an assumption satisfies says
    nothing and is left out.
    """
    facts = {assumption.literal for assumption in assumptions}
    ids = {assumption.id for assumption in assumptions}
    best: dict[frozenset[Literal], Constraint] = {}
    for constraint in relation_constraints(graph, weights.strength):
        clause = frozenset(constraint.clause)
        if not constraint.ids & ids or clause & facts:
            continue
        if clause not in best or best[clause].weight < constraint.weight:
            best[clause] = constraint
    yield from best.values()
