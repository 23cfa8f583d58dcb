"""The verifier seam: P(contradiction), P(neutral), P(entailment) of ordered pairs; a scripted fake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CONTRADICTION",
    "ENTAILMENT",
    "NEUTRAL",
    "Pair",
    "Probabilities",
    "ScriptedVerifier",
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


@dataclass(slots=True)
class ScriptedVerifier:
    """A fake that answers from a function and remembers the pairs it was asked for.

    Args:
        judge: (premise, hypothesis) → "entailment", "contradiction" or "neutral".
        confidence: probability given to that label; the rest is shared by the other two.
        fingerprint: what a cache knows its scores by; "" keeps it out of caches.
    """

    judge: Callable[[str, str], str]
    confidence: float = 0.9
    name: str = "scripted"
    asked: list[Pair] = field(default_factory=list)
    fingerprint: str = ""

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        self.asked.extend(pairs)
        columns = {"contradiction": CONTRADICTION, "neutral": NEUTRAL, "entailment": ENTAILMENT}
        table = np.full((len(pairs), 3), (1.0 - self.confidence) / 2, dtype=np.float32)
        for row, (premise, hypothesis) in enumerate(pairs):
            table[row, columns[self.judge(premise, hypothesis)]] = self.confidence
        return table
