"""The priors of a model's judgements."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Priors"]


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
