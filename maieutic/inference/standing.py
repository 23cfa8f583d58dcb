"""How a tree stands while it grows: the exact P(Q), and what could change it."""

from __future__ import annotations

from maieutic.elicit.anytime import Standing
from maieutic.inference.graph import BeliefGraph
from maieutic.inference.joint import Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.priors import log_odds
from maieutic.tree import ROOT, Tree

__all__ = ["standing"]

FORMS_OF_ROOT = 2  # Q and ¬Q; an explanation is related to each in both directions


def standing(joint: Joint, tree: Tree, graph: BeliefGraph) -> Standing:
    """P(Q), and for each proposition how much P(Q) depends on it.

    The swing of a proposition v is 2·P(v)·P(¬v)·|P(Q | v) − P(Q | ¬v)|: how far P(Q) moves, on average, once
    v is settled. That of Q is 2·P(Q)·P(¬Q).
    """
    from maieutic.solvers.marginals import marginals  # noqa: PLC0415 - loads numpy

    weights = joint.weights or DEFAULT_WEIGHTS
    posed = joint.posed(tree, graph)
    problem, variables = posed.encoding.problem, posed.encoding.variables
    relations = 2 * FORMS_OF_ROOT * weights.at_root * weights.clip
    child = max(weights.true_child, weights.false_child)
    reach = min(max(weights.integral, weights.wavering) * weights.clip, child + relations)
    chain_reach = weights.chain * weights.clip
    p = marginals(problem)
    if p is None:
        return Standing(None, None, {ROOT: 0.5}, chain_reach, reach)
    p_labels = posed.p_labels(p.tolist())
    p_true = p_labels[ROOT]
    swings = {ROOT: 2.0 * p_true * (1.0 - p_true)}
    fixed = {literal.id for literal in posed.held}
    for node in tree.nodes:
        if node.id == ROOT or node.id in fixed:
            continue
        variable, place = variables[node.id], abs(variables[ROOT]) - 1
        given = [marginals(problem.assuming(literal)) for literal in (variable, -variable)]
        if given[0] is None or given[1] is None:
            continue
        p_node = p_labels[node.id]
        swings[node.id] = 2.0 * p_node * (1.0 - p_node) * abs(float(given[0][place] - given[1][place]))
    return Standing(log_odds(p_true), p_true, swings, chain_reach, reach)
