"""The verifier protocol: P(contradiction), P(neutral), P(entailment) of ordered pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CONTRADICTION",
    "ENTAILMENT",
    "NEUTRAL",
    "Pair",
    "Probabilities",
    "Verifier",
]

Pair = tuple[str, str]  # premise, hypothesis
Probabilities = NDArray[np.float32]

CONTRADICTION, NEUTRAL, ENTAILMENT = 0, 1, 2  # the columns of every verifier's scores


class Verifier(Protocol):
    """A natural-language-inference model."""

    @property
    def name(self) -> str:
        """The verifier's name in results and records."""
        ...

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered (premise, hypothesis) pairs.

        Returns:
            P(contradiction), P(neutral), P(entailment), float32 (pairs, 3), in this order regardless of the
            model's label order; each row sums to 1.

        Raises:
            ContextLengthError: a pair does not fit the context window.
        """
        ...
