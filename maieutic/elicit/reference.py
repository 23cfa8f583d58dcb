"""Breadth-first growth, as in the reference implementation: one wave per depth.

A wave draws explanations of both sides for every leaf that is not integral. In the end only the paths to
integral leaves are kept, if that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.config import ElicitConfig
from maieutic.elicit.state import Growing
from maieutic.elicit.steps import Steps

__all__ = ["grow_breadth_first"]


def grow_breadth_first(questions: Sequence[str], steps: Steps, config: ElicitConfig) -> list[Growing]:
    """Roots first; then, at each depth, explanations of both sides for every leaf that is not integral."""
    trees = steps.grow_roots(questions)
    for depth in range(1, config.depth + 1):
        leaves = [
            (tree, node)
            for tree in trees
            for node in tree.nodes
            if node.depth == depth - 1 and not node.integral
        ]
        if leaves:
            steps.grow_children(leaves, config.width(depth))
    return trees
