"""Joint inference: Q is a variable like the others, tied to them by the verifier and by the tree itself.

The soft clauses say what each piece of evidence asks for; their weights are nats. The best labelling is
found by MaxSAT; how sure each label is, by summing over all labellings (:mod:`maieutic.solvers.marginals`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maieutic.config import JointConfig
from maieutic.inference.assumptions import Assumption, assumed, settled
from maieutic.inference.constraints import (
    Constraint,
    Verdict,
    labels_by_id,
    problem_from,
    relations,
    touches_root,
    variables_of,
)
from maieutic.inference.merge import deduplicated, merged_forms
from maieutic.inference.weights import JointWeights
from maieutic.relate import opposite
from maieutic.solvers import Solver
from maieutic.tree import ROOT, Proposition, Tree, taking_part

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["constraints_of", "joint", "terms"]


def joint(
    tree: Tree,
    graph: BeliefGraph,
    solver: Solver,
    config: JointConfig,
    held: tuple[str, ...] = (),
    assumptions: Sequence[Assumption] = (),
) -> Verdict:
    """The best labelling of all propositions, Q among them, and the probability of every label.

    Args:
        held: names of forms that must hold.
        assumptions: those that the graph was made with.

    Raises:
        InputError: as for :func:`maieutic.inference.assumptions.settled`.
    """
    from maieutic.solvers.marginals import marginals  # noqa: PLC0415 - numpy, which `import maieutic` avoids

    taken = taking_part(tree, pruned=config.pruned > 0)
    ids = [ROOT, *(node.id for node in taken), *(assumption.id for assumption in assumptions)]
    held += settled(tree, assumptions, pruned=config.pruned > 0)
    merged = merged_forms(graph, config.weights.threshold, held) if config.merge else ()
    variables = variables_of(ids, merged)
    constraints = (*constraints_of(tree, graph, config), *assumed(graph, assumptions, config.weights))
    if merged:
        constraints = deduplicated(constraints, variables)
    problem = problem_from(constraints, variables, held)
    if_true = solver.solve(problem.assuming(variables[ROOT]))
    if_false = solver.solve(problem.assuming(-variables[ROOT]))
    answer = if_true.cost <= if_false.cost  # a tie is answered true, as in the reference
    best, other = (if_true, if_false) if answer else (if_false, if_true)
    p = marginals(problem)
    p_labels = None if p is None else {name: _p(p[abs(v) - 1], v) for name, v in variables.items()}
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
        assumptions=tuple(assumptions),
        held=held,
        merged=merged,
    )


def _p(p_variable: float, literal: int) -> float:
    return float(p_variable if literal > 0 else 1.0 - p_variable)


def constraints_of(tree: Tree, graph: BeliefGraph, config: JointConfig) -> tuple[Constraint, ...]:
    """The soft clauses, each with its weight; those that weigh nothing are left out, as are assumptions."""
    found = []
    for term, constraint in terms(tree, graph, config):
        weight = getattr(config.weights, term) * constraint.weight
        if weight < 0:  # a bias for "false"
            found.append(replace(constraint, source=opposite(constraint.source), weight=-weight))
        elif weight > 0:
            found.append(replace(constraint, weight=weight))
    return tuple(found)


def terms(tree: Tree, graph: BeliefGraph, config: JointConfig) -> Iterator[tuple[str, Constraint]]:
    """Every piece of evidence as (name of its weight, clause with its strength before that weight).

    Of the weights only ``clip`` and ``threshold`` matter here: a labelling's cost is linear in the others.
    """
    pruned = {node.id for node in tree.pruned}
    for term, constraint in _terms(tree, graph, config):
        ends = {constraint.source.removeprefix("¬"), (constraint.target or "").removeprefix("¬")} - {ROOT}
        share = config.pruned if ends & pruned else 1.0
        yield term, replace(constraint, weight=share * constraint.weight)


def _terms(tree: Tree, graph: BeliefGraph, config: JointConfig) -> Iterator[tuple[str, Constraint]]:
    nodes = taking_part(tree, pruned=config.pruned > 0)
    yield "bias", Constraint("bias", ROOT, None, 1.0)
    yield from _beliefs(tree, nodes, config.weights)
    explanations = sum(1.0 if node.id in tree.by_id else config.pruned for node in nodes)
    yield from _relations(graph, {ROOT, *(node.id for node in nodes)}, explanations, config.weights)
    for node in nodes:
        target = f"{'' if node.side else '¬'}{node.parent}"
        yield ("true_child" if node.side else "false_child"), Constraint("tree", node.id, target, 1.0)


def _beliefs(
    tree: Tree, nodes: Sequence[Proposition], weights: JointWeights
) -> Iterator[tuple[str, Constraint]]:
    odds = _root_odds(tree, weights)
    if odds != 0.0:
        yield "root", _belief(tree.root, odds)
    for node in nodes:
        if node.p_true is None or node.p_true_negation is None:
            continue
        odds = weights.log_odds(node.p_true, node.p_true_negation)
        if odds != 0.0:
            yield ("integral" if node.integral else "wavering"), _belief(node, odds)


def _root_odds(tree: Tree, weights: JointWeights) -> float:
    """What the model's belief in Q comes to, in nats.

    A model that wavers finds Q and ¬Q about equally likely, and the ratio of the two is noise; where there
    are explanations, P(true | Q) alone counts then. That it would not say "true" or "false" of Q at all
    speaks against Q, as much as anything can.
    """
    p, p_negation = tree.root.p_true, tree.root.p_true_negation
    if p is None:
        return -weights.clip if tree.kind == "grown" else 0.0
    if p_negation is not None and (tree.root.integral or tree.kind != "grown"):
        return weights.log_odds(p, p_negation)
    return weights.log_odds(p, 1.0 - p)


def _belief(node: Proposition, odds: float) -> Constraint:
    return Constraint("belief", node.id if odds > 0 else f"¬{node.id}", None, abs(odds))


def _relations(
    graph: BeliefGraph, ids: set[str], explanations: float, weights: JointWeights
) -> Iterator[tuple[str, Constraint]]:
    """The verifier's relations between the propositions of these ids; ``explanations``: how many share."""
    for constraint in relations(graph, weights.strength):
        source, target = constraint.source, constraint.target or ""
        if not {source.removeprefix("¬"), target.removeprefix("¬")} <= ids:
            continue
        if touches_root(constraint):
            yield "at_root", replace(constraint, weight=constraint.weight / max(1.0, explanations))
        else:
            term = "negation" if "¬" in source + target else constraint.kind
            yield term, replace(constraint, weight=constraint.weight / max(1.0, explanations - 1))
