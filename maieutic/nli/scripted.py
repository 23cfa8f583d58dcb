"""A scripted verifier for tests and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Probabilities

__all__ = ["ScriptedVerifier"]


@dataclass(slots=True)
class ScriptedVerifier:
    """A fake that answers with a function and records the requested pairs.

    Args:
        judge: (premise, hypothesis) → "entailment", "contradiction" or "neutral".
        confidence: probability of that label, in [0, 1]; the other two labels share the rest equally.
        fingerprint: identifies the verifier in a cache; "" if its scores must not be cached.
    """

    judge: Callable[[str, str], str]
    confidence: float = 0.9
    name: str = "scripted"
    pairs: list[Pair] = field(default_factory=list)
    fingerprint: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        self.pairs.extend(pairs)
        columns = {"contradiction": CONTRADICTION, "neutral": NEUTRAL, "entailment": ENTAILMENT}
        table = np.full((len(pairs), 3), (1.0 - self.confidence) / 2, dtype=np.float32)
        for row, (premise, hypothesis) in enumerate(pairs):
            table[row, columns[self.judge(premise, hypothesis)]] = self.confidence
        return table
