"""From the cost of a question to the time of a run, its first bottleneck, and how much must grow together.

A GPU reads prompts and draws tokens at two rates. Of prompt tokens only a share is computed: servers keep the
examples that prompts share. The rates are arguments, since they depend on model, card and server.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from maieutic.benchmarks.scaling.costs import Constants, Cost, Shares, cost_per_question
from maieutic.errors import InputError

__all__ = ["Capacity", "RunTime", "questions_together", "run_time"]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the machines can do; all numbers > 0.

    Attributes:
        gpus: their number; ``cores`` processor cores for each.
        prefill: prompt tokens that a GPU computes a second; ``decode`` tokens that it draws a second.
        computed: share of the prompt tokens that is not known from before, in (0, 1].
        pairs: that the verifiers beside one GPU score a second.
        driver: records that the driver writes a second.

    Raises:
        InputError: a number is out of its range.
    """

    gpus: int
    cores: int
    prefill: float
    decode: float
    computed: float
    pairs: float
    driver: float

    def __post_init__(self) -> None:
        for name in ("gpus", "cores", "prefill", "decode", "computed", "pairs", "driver"):
            value = getattr(self, name)
            if not 0 < value < math.inf or (name == "computed" and value > 1):
                rule = "in (0, 1]" if name == "computed" else "> 0"
                raise InputError(f"{name} must be {rule}, not {value}", subject=name)


@dataclass(frozen=True, slots=True)
class RunTime:
    """The time of a run.

    Attributes:
        hours: with every part at work at the same time.
        bottleneck: the part that takes longest: "language model", "verifier", "solver" or "driver".
    """

    hours: float
    bottleneck: str


def run_time(cost: Cost, questions: int, capacity: Capacity) -> RunTime:
    """The time of a run whose parts overlap, and its bottleneck."""
    gpus = capacity.gpus
    reading = cost.prompt_tokens * capacity.computed / capacity.prefill
    seconds = {
        "language model": (reading + cost.generated_tokens / capacity.decode) / gpus,
        "verifier": cost.pairs / (capacity.pairs * gpus),
        "solver": cost.solver_seconds / (capacity.cores * gpus),
        "driver": 1.0 / capacity.driver,
    }
    slowest = max(seconds, key=lambda name: seconds[name])
    return RunTime(questions * seconds[slowest] / 3600, slowest)


def questions_together(constants: Constants, shares: Shares, slots: int) -> int:
    """How many questions must grow together so that a server's slots are full, on average over the steps.

    The steps of a question follow one another; the calls of one step are made together. The first step
    concerns all questions, each later one only those that go on. So ``n`` questions keep n · calls / steps
    requests under way, where calls are those of a question and steps those of the batch, which ends with its
    longest.
    """
    steps = 1 + shares.steps if shares.unsure else 1
    return math.ceil(slots * steps / cost_per_question(constants, shares).calls)
