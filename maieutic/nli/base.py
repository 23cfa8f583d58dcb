"""The verifier seam: P(contradiction), P(neutral), P(entailment) of ordered pairs."""

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

CONTRADICTION, NEUTRAL, ENTAILMENT = 0, 1, 2  # the columns of every verifier's answer


class Verifier(Protocol):
    """A natural-language-inference model."""

    @property
    def name(self) -> str:
        """How results and records call this verifier."""
        ...

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered (premise, hypothesis) pairs.

        Returns:
            float32 array of shape (pairs, 3): P(contradiction), P(neutral), P(entailment), in that
            order whatever the model's own label order is; each row sums to 1.

        Raises:
            ContextLengthError: a pair does not fit the model's window.
        """
        ...
