"""The settings of elicitation, validated on construction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from maieutic.errors import InputError
from maieutic.tree import INTEGRITY_THRESHOLD

__all__ = ["PROBABILITIES", "REFERENCE", "Belief", "ElicitConfig", "GrowthStyle", "Rewriting", "check_belief"]

PROBABILITIES = "probabilities"  # the usual source of beliefs: P(option) as the model computes it
Belief = Literal["explained", "direct"]
GrowthStyle = Literal["anytime", "reference"]
Rewriting = Literal["rules", "model"]


@dataclass(frozen=True, slots=True)
class ElicitConfig:
    """The settings of elicitation.

    Attributes:
        growth: "anytime" grows only where P(Q) is unsure, one step at a time (with joint inference only);
            "reference" is the paper's breadth-first way.
        confidence: anytime growth stops where P of the answer reaches this, in [0, 1].
        budget: anytime growth begins no step that could take a question beyond this many generated tokens,
            ≥ 0. The round that ``explain`` asks for is begun all the same.
        explain: whether anytime growth explains Q once, on each side, even where it would stop without: the
            answer is sure, nothing could turn it, or the budget is spent. These explanations take part like
            others, so the answer may be less sure afterwards, and growth goes on.
        rewriting: "rules" takes negations, and statements of questions, from rules, and the model chooses;
            "model" lets the model write them.
        chain: whether anytime growth may ask for a chain of thought about Q.
        prune: whether only the paths to integral leaves are kept, as in the reference implementation.
        depth: maximum depth of the tree, ≥ 0; 0 reads the root's beliefs only.
        widths: explanations per side at depth 1, 2, …, each ≥ 1; the last one applies to all greater depths.
        temperatures: of sampling explanations at each depth, as for ``widths``; each finite, ≥ 0. Negations
            and beliefs are always greedy.
        top_p: of sampling explanations, in (0, 1].
        max_new_tokens: maximum number of tokens of every text, ≥ 1.
        integrity_threshold: a proposition is integral if |P(true | E) − P(true | ¬E)| exceeds it; in [0, 1].
        belief: "explained" lets the model explain first and reads P(true) at its conclusion;
            "direct" reads it in one forward pass without an explanation.
        tries: maximum number of sampling rounds for the explanations of a side, ≥ 1.
        seed: of all sampling, ≥ 0.
        priors: whether a model that is opened by name has its priors estimated first, unless joint inference
            has weights of its own (:mod:`maieutic.elicit.probing`): some 50 prompts, once per model; the
            replies stay in the response cache.
        read_beliefs: whether to read beliefs. Without beliefs no proposition is integral, so the tree grows
            to its maximum depth and is pruned as a whole. For experiments that weigh explanations by other
            means.

    Raises:
        InputError: a value is out of its range; ``subject`` is the name of the setting.
    """

    depth: int = 2
    widths: tuple[int, ...] = (3, 1)
    temperatures: tuple[float, ...] = (1.0, 0.5)
    top_p: float = 1.0
    max_new_tokens: int = 64
    integrity_threshold: float = INTEGRITY_THRESHOLD
    belief: Belief = "direct"
    tries: int = 2
    seed: int = 0
    read_beliefs: bool = field(default=True, metadata={"setting": False})  # no setting of benchmarks
    growth: GrowthStyle = "anytime"
    confidence: float = 0.9
    budget: int = 80
    rewriting: Rewriting = "rules"
    chain: bool = True
    prune: bool = False
    priors: bool = True
    explain: bool = field(default=False, metadata={"setting": False})

    def __post_init__(self) -> None:
        rules = {
            "growth": (self.growth in get_args(GrowthStyle), '"anytime" or "reference"'),
            "rewriting": (self.rewriting in get_args(Rewriting), '"rules" or "model"'),
            "confidence": (0 <= self.confidence <= 1, "in [0, 1]"),
            "budget": (self.budget >= 0, "≥ 0"),
            "depth": (self.depth >= 0, "≥ 0"),
            "widths": (self.widths and min(self.widths) >= 1, "one or more numbers ≥ 1"),
            "temperatures": (
                self.temperatures and all(0 <= t < math.inf for t in self.temperatures),
                "one or more finite numbers ≥ 0",
            ),
            "top_p": (0 < self.top_p <= 1, "in (0, 1]"),
            "max_new_tokens": (self.max_new_tokens >= 1, "≥ 1"),
            "integrity_threshold": (0 <= self.integrity_threshold <= 1, "in [0, 1]"),
            "tries": (self.tries >= 1, "≥ 1"),
            "seed": (self.seed >= 0, "≥ 0"),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise InputError(f"{name} must be {rule}, not {getattr(self, name)!r}", subject=name)

        check_belief(self.belief)

    def width(self, depth: int) -> int:
        """The number of explanations per side at a depth ≥ 1."""
        return self.widths[min(depth, len(self.widths)) - 1]

    def temperature(self, depth: int) -> float:
        """The sampling temperature of explanations at a depth ≥ 1."""
        return self.temperatures[min(depth, len(self.temperatures)) - 1]


def check_belief(name: str) -> Belief:
    """Check the name of a way to read beliefs.

    Raises:
        InputError: the name is neither "explained" nor "direct".
    """
    for belief in get_args(Belief):
        if belief == name:
            return cast("Belief", belief)
    raise InputError(f'belief must be "explained" or "direct", not {name!r}', subject="belief")


REFERENCE = ElicitConfig(
    growth="reference", rewriting="model", belief="explained", tries=3, chain=False, prune=True, priors=False
)
"""The settings of the reference implementation (Jung et al. 2022)."""
