"""The priors of a model's judgements, in log-odds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

__all__ = ["Priors", "log_odds"]


def log_odds(p: float, limit: float = math.inf) -> float:
    """ln(p / (1 − p)) in nats, within ± ``limit``; p in [0, 1]."""
    if p in (0.0, 1.0):
        return math.copysign(limit, p - 0.5)
    return max(-limit, min(limit, math.log(p / (1.0 - p))))


@dataclass(frozen=True, slots=True)
class Priors:
    """Log-odds of "true", in nats, that a model gives to any statement, whatever it says.

    Attributes:
        statement: read for a statement as it is; ``negation`` for its negation; ``chain`` after a chain of
            thought about it.
    """

    statement: float
    negation: float
    chain: float

    @classmethod
    def of(cls, *judgements: Iterable[float | None], limit: float) -> Priors:
        """The means of the log-odds of P(true), each within ± ``limit``; unknown ones are left out.

        Args:
            judgements: of statements, of negations, and after chains of thought. 0 is the prior of none.
        """
        known = ([log_odds(p, limit) for p in one if p is not None] for one in judgements)
        return cls(*(fmean(odds) if odds else 0.0 for odds in known))
