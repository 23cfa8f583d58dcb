"""Anytime growth: after each step the exact P(Q) is known, and only questions that are unsure grow on.

Depth 0, the direct answer, comes first. Then, as long as P(Q) is unsure and something could change the
answer, a question takes one step more: a chain of thought about Q, or one explanation of each side for the
proposition that matters most. Questions advance together, one step of each at a time. With ``explain`` no
question stops before Q has been explained, so that people see reasons where the model is sure too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from maieutic.config import ElicitConfig
from maieutic.elicit.state import Growing
from maieutic.elicit.steps import Steps
from maieutic.tree import Proposition, Tree

__all__ = ["Assess", "Standing", "grow_anytime"]

ROOT_STEP, CHAIN = "root", "chain"
TOKENS_OF_A_TEXT = 24  # expected of an explanation; a step that would not fit the budget is not begun


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a tree so far.

    Attributes:
        log_odds: ln P(Q) − ln P(¬Q) in nats; None where it cannot be computed exactly.
        p_true: P(Q is true) in [0, 1], likewise.
        swings: by proposition, how far P(Q) would move on average if the proposition were settled, in [0, 1].
        chain_reach: the most by which a chain could change the log-odds of Q, nats ≥ 0. ``reach``: of
            one explanation.
    """

    log_odds: float | None
    p_true: float | None
    swings: Mapping[str, float]
    chain_reach: float
    reach: float


Assess = Callable[[Sequence[Tree]], Sequence[Standing]]
"""Relates and solves trees as they are."""


def grow_anytime(
    questions: Sequence[str], steps: Steps, config: ElicitConfig, assess: Assess
) -> list[Growing]:
    """Grow each tree until P(Q) is sure, nothing can change the answer, or the budget is spent.

    With ``explain`` none stops before Q has been explained, beyond the budget if need be.
    """
    trees = steps.grow_roots(questions)
    taken = dict.fromkeys(range(len(trees)), ROOT_STEP)
    while taken:
        standings = assess([trees[place].tree() for place in taken])
        for (place, what), standing in zip(taken.items(), standings, strict=True):
            trees[place].note(what, standing.p_true)
        choices = {
            place: _next(trees[place], standing, config)
            for place, standing in zip(taken, standings, strict=True)
        }
        chains = [trees[place] for place, choice in choices.items() if choice == CHAIN]
        leaves = [(trees[p], choice) for p, choice in choices.items() if isinstance(choice, Proposition)]
        if chains:
            steps.think(chains)
        if leaves:
            steps.grow_children(leaves, 1)
        taken = {
            place: choice.id if isinstance(choice, Proposition) else choice
            for place, choice in choices.items()
            if choice is not None
        }
    return trees


def _next(tree: Growing, standing: Standing, config: ElicitConfig) -> Proposition | str | None:
    """What to do next for a tree: ``CHAIN``, the proposition to explain, or None to stop.

    With ``explain`` none stops before Q has been explained.
    """
    wanted = _wanted(tree, standing, config)
    root = tree.nodes[0]
    if wanted is None and config.explain and config.depth > 0 and _rounds(tree, root) == 0:
        return root
    return wanted


def _wanted(tree: Growing, standing: Standing, config: ElicitConfig) -> Proposition | str | None:
    """What P(Q) asks for.

    Only whether a tree stops depends on ``confidence``, never what comes next: a run with a lower confidence
    takes the first steps of one with a higher.
    """
    if config.depth == 0 or tree.steps[-1].confidence >= config.confidence:
        return None
    left = config.budget - tree.usage.generated_tokens
    chain = config.chain and tree.chain is None and standing.chain_reach > 0.0
    steps_left = max(0, left) // (2 * TOKENS_OF_A_TEXT)
    reach = 2 * steps_left * standing.reach + standing.chain_reach * chain
    if standing.log_odds is not None and abs(standing.log_odds) > reach:
        return None  # the answer would stay the same
    if chain and left >= TOKENS_OF_A_TEXT:
        return CHAIN
    leaves = [node for node in tree.nodes if _rounds_left(tree, node, config) > 0]
    if not leaves or steps_left == 0 or standing.reach == 0.0:
        return None
    return max(leaves, key=lambda node: _value(tree, node, standing))


def _value(tree: Growing, node: Proposition, standing: Standing) -> float:
    """How much explaining a proposition may move P(Q): its swing, shared with the explanations it has."""
    return standing.swings.get(node.id, 0.0) / (1 + _rounds(tree, node))


def _rounds(tree: Growing, node: Proposition) -> int:
    """How often a proposition has been explained, failed attempts included."""
    return sum(step.what == node.id for step in tree.steps)


def _rounds_left(tree: Growing, node: Proposition, config: ElicitConfig) -> int:
    if node.depth >= config.depth:
        return 0
    return config.width(node.depth + 1) - _rounds(tree, node)
