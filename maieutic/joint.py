"""Joint inference: Q is a variable like the others, tied to them by the verifier and by the tree itself.

The soft clauses say what each piece of evidence asks for; their weights are nats. The best labelling is
found by MaxSAT; how sure each label is, by summing over all labellings (:mod:`maieutic.solvers.marginals`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from maieutic.constraints import (
    Constraint,
    Verdict,
    labels_by_id,
    problem_from,
    touches_root,
    variables_of,
)
from maieutic.relate import Relation, forms_of
from maieutic.solvers import Solver
from maieutic.tree import ROOT, Proposition, Tree
from maieutic.weights import JointWeights

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["constraints_of", "joint", "terms"]


def joint(
    tree: Tree, graph: BeliefGraph, solver: Solver, weights: JointWeights, held: tuple[str, ...]
) -> Verdict:
    """The best labelling of all propositions, Q among them, and the probability of every label.

    Args:
        held: names of forms that must hold.
    """
    from maieutic.solvers.marginals import marginals  # noqa: PLC0415 - numpy, which `import maieutic` avoids

    variables = variables_of(tree)
    constraints = constraints_of(tree, graph, weights)
    problem = problem_from(constraints, variables, held)
    if_true = solver.solve(problem.assuming(variables[ROOT]))
    if_false = solver.solve(problem.assuming(-variables[ROOT]))
    answer = if_true.cost <= if_false.cost  # a tie is answered true, as in the reference
    best, other = (if_true, if_false) if answer else (if_false, if_true)
    p = marginals(problem)
    p_labels = None if p is None else {name: float(p[v - 1]) for name, v in variables.items()}
    return Verdict(
        answer=answer,
        margin=other.cost - best.cost,
        margin_unit="nats",
        labels=labels_by_id(best, variables),
        constraints=constraints,
        violated=problem.violated(best.labels),
        cost=best.cost,
        lower_bound=min(best.lower_bound, other.lower_bound),
        optimal=best.optimal and other.optimal,
        p_true=None if p_labels is None else p_labels[ROOT],
        p_labels=p_labels,
    )


def constraints_of(tree: Tree, graph: BeliefGraph, weights: JointWeights) -> tuple[Constraint, ...]:
    """The soft clauses, each with its weight; those that weigh nothing are left out."""
    found = []
    for term, constraint in terms(tree, graph, weights):
        weight = getattr(weights, term) * constraint.weight
        if weight < 0:  # a bias for "false"
            found.append(replace(constraint, source=_opposite(constraint.source), weight=-weight))
        elif weight > 0:
            found.append(replace(constraint, weight=weight))
    return tuple(found)


def terms(tree: Tree, graph: BeliefGraph, weights: JointWeights) -> Iterator[tuple[str, Constraint]]:
    """Every piece of evidence as (name of its weight, clause with its strength before that weight).

    Of ``weights`` only ``clip`` and ``threshold`` matter here: a labelling's cost is linear in the others.
    """
    yield "bias", Constraint("bias", ROOT, None, 1.0)
    yield from _beliefs(tree, weights)
    yield from _relations(tree, graph, weights)
    for node in tree.nodes:
        if node.parent is not None:
            target = node.parent if node.side else f"¬{node.parent}"
            yield ("true_child" if node.side else "false_child"), Constraint("tree", node.id, target, 1.0)


def _beliefs(tree: Tree, weights: JointWeights) -> Iterator[tuple[str, Constraint]]:
    odds = _root_odds(tree, weights)
    if odds != 0.0:
        yield "root", _belief(tree.root, odds)
    for node in tree.nodes:
        if node.parent is None or node.p_true is None or node.p_true_negation is None:
            continue
        odds = weights.log_odds(node.p_true, node.p_true_negation)
        if odds != 0.0:
            yield ("integral" if node.integral else "wavering"), _belief(node, odds)


def _root_odds(tree: Tree, weights: JointWeights) -> float:
    """What the model's belief in Q comes to, in nats.

    A wavering model finds Q and ¬Q about equally likely, and the ratio of the two is noise. That it would
    not say "true" or "false" of Q at all speaks against Q, as much as anything can.
    """
    p, p_negation = tree.root.p_true, tree.root.p_true_negation
    if p is None:
        return -weights.clip if tree.kind == "grown" else 0.0
    if p_negation is not None and (tree.root.integral or tree.kind != "grown"):
        return weights.log_odds(p, p_negation)
    return weights.log_odds(p, 1.0 - p)


def _belief(node: Proposition, odds: float) -> Constraint:
    return Constraint("belief", node.id if odds > 0 else f"¬{node.id}", None, abs(odds))


def _relations(tree: Tree, graph: BeliefGraph, weights: JointWeights) -> Iterator[tuple[str, Constraint]]:
    explanations = len(forms_of(tree))
    for source, target, data in graph.edges(data=True):
        relation: Relation = data["relation"]
        if relation.kind == "neutral":
            continue
        p = max(relation.entailment, relation.contradiction)
        strength = weights.log_odds(p, 1.0 - p)
        if p < weights.threshold or strength <= 0.0:
            continue
        constraint = Constraint(relation.kind, source, target, strength)
        if touches_root(constraint):
            yield "at_root", replace(constraint, weight=strength / explanations)
        else:
            term = "negation" if "¬" in source + target else relation.kind
            yield term, replace(constraint, weight=strength / (explanations - 1))


def _opposite(name: str) -> str:
    return name[1:] if name.startswith("¬") else f"¬{name}"
