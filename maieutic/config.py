"""How trees grow: settings, checked when they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast, get_args

from maieutic.errors import InputError
from maieutic.tree import INTEGRITY_THRESHOLD

__all__ = ["Belief", "ElicitConfig", "check_belief"]

Belief = Literal["explained", "direct"]


@dataclass(frozen=True, slots=True)
class ElicitConfig:
    """How trees grow. The defaults are the reference implementation's.

    Attributes:
        depth: waves of explanations, ≥ 0; 0 asks for the root's belief only.
        widths: explanations per side at depth 1, 2, …; the last one holds for all deeper waves.
        temperatures: of their sampling, likewise. Negations and beliefs are always greedy.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of every text.
        integrity_threshold: a proposition is integral if |P(true|E) − P(true|¬E)| exceeds it.
        belief: "explained" lets the model explain first and reads P(true) at its conclusion;
            "direct" reads it in one forward pass without an explanation.
        tries: rounds of sampling, at most, until a side has its explanations.
        seed: of all sampling.
        read_beliefs: False asks for none: nothing is integral then, so that the tree grows to its depth
            and all of it is pruned. For experiments that weigh explanations by other means.

    Raises:
        InputError: a value is out of its range; the message names it.
    """

    depth: int = 2
    widths: tuple[int, ...] = (3, 1)
    temperatures: tuple[float, ...] = (1.0, 0.5)
    top_p: float = 1.0
    max_new_tokens: int = 64
    integrity_threshold: float = INTEGRITY_THRESHOLD
    belief: Belief = "explained"
    tries: int = 3
    seed: int = 0
    read_beliefs: bool = True

    def __post_init__(self) -> None:
        rules = {
            "depth": (self.depth >= 0, "≥ 0"),
            "widths": (self.widths and min(self.widths) >= 1, "one or more numbers ≥ 1"),
            "temperatures": (
                self.temperatures and all(0 <= t < math.inf for t in self.temperatures),
                "one or more numbers ≥ 0",
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
        """Explanations per side at a depth ≥ 1."""
        return self.widths[min(depth, len(self.widths)) - 1]

    def temperature(self, depth: int) -> float:
        """Sampling temperature of explanations at a depth ≥ 1."""
        return self.temperatures[min(depth, len(self.temperatures)) - 1]


def check_belief(name: str) -> Belief:
    """The way to read beliefs of that name.

    Raises:
        InputError: there is none.
    """
    for belief in get_args(Belief):
        if belief == name:
            return cast("Belief", belief)
    raise InputError(f'belief must be "explained" or "direct", not {name!r}', subject="belief")
