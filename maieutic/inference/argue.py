"""Argue: quantitative bipolar argumentation with DF-QuAD semantics. No solver, no verifier.

The tree is read as a debate. What the True prompt gave for a proposition supports it, what the False prompt
gave attacks it. Every proposition has a base score, the model's belief in it, and a strength computed from
the leaves up (Rago, Toni, Aurisicchio and Baroni, "Discontinuity-Free Decision Support with Quantitative
Argumentation Debates", KR 2016; with language models: Freedman et al., "Argumentative Large Language
Models", arXiv 2405.02079):

    F(v₁ … vₙ) = 1 − ∏ (1 − vᵢ)                      aggregated attack a, or support s; 0 without any
    C(b, a, s) = b − b·|s − a|        if a ≥ s
                 b + (1 − b)·|s − a|  otherwise

The answer is true where the strength of Q is at least ½. A claim believed with 0.5, supported with 0.8:

>>> round(combine(0.5, attack=0.0, support=0.8), 3), round(aggregate([0.5, 0.5]), 3)
(0.9, 0.75)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maieutic.inference.base import PairPlan, Verdict
from maieutic.inference.graph import BeliefGraph, forms_of, root_forms
from maieutic.tree import ROOT, Proposition, Tree

__all__ = ["Argue", "aggregate", "combine", "strengths_of"]

UNKNOWN_BELIEF = 0.5  # an unknown belief favours neither side


@dataclass(frozen=True)
class Argue:
    """Argumentation over the tree. It has no settings, gives no P(true) and needs no verifier."""

    @property
    def name(self) -> str:
        """ "argue"."""
        return "argue"

    @property
    def uses_verifier(self) -> bool:
        """No pairs are scored."""
        return False

    def plan(self, tree: Tree) -> PairPlan:
        """The forms alone."""
        return PairPlan(BeliefGraph((*root_forms(tree), *forms_of(tree))))

    def infer(self, tree: Tree, graph: BeliefGraph) -> Verdict:
        """See :class:`maieutic.inference.base.Inference`."""
        strengths = strengths_of(tree)
        strength = strengths[ROOT]
        labels = {node_id: value >= 0.5 for node_id, value in strengths.items()}
        margin = abs(strength - 0.5)
        return Verdict(self.name, labels[ROOT], margin, "strength", labels, strengths=strengths)


def aggregate(strengths: Iterable[float]) -> float:
    """F: the joint strength of several attackers, or supporters, in [0, 1]; 0 without any."""
    return 1.0 - math.prod(1.0 - strength for strength in strengths)


def combine(base: float, attack: float, support: float) -> float:
    """C: a base score moved by an aggregated attack and support, all in [0, 1]."""
    distance = abs(support - attack)
    return base - base * distance if attack >= support else base + (1.0 - base) * distance


def strengths_of(tree: Tree) -> Mapping[str, float]:
    """Strength of every proposition, Q first."""
    nodes = sorted(tree.nodes or (tree.root,), key=lambda node: node.depth)
    sides: dict[str, dict[bool, list[float]]] = {node.id: {True: [], False: []} for node in nodes}
    strengths: dict[str, float] = {}
    for node in reversed(nodes):  # children before their parents
        support, attack = (aggregate(sides[node.id][side]) for side in (True, False))
        strengths[node.id] = combine(_base_score(node), attack, support)
        if node.parent is not None and node.side is not None:
            sides[node.parent][node.side].append(strengths[node.id])
    return {node.id: strengths[node.id] for node in nodes}


def _base_score(node: Proposition) -> float:
    return UNKNOWN_BELIEF if node.p_true is None else node.p_true
