"""A verifier that scores no pair twice: trees that grow step by step ask for most pairs again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.calls import score_pairs
from maieutic.nli.lm import PairScores, ScoringVerifier
from maieutic.usage import Usage

__all__ = ["RememberingVerifier"]


@dataclass(frozen=True, slots=True)
class RememberingVerifier(ScoringVerifier):
    """Keeps the scores of all pairs, with their usage, as long as it lives."""

    inner: Verifier
    known: dict[Pair, tuple[NDArray[np.float32], Usage]] = field(default_factory=dict, repr=False)

    @classmethod
    def around(cls, verifier: Verifier) -> RememberingVerifier:
        """The verifier, with a memory if it has none."""
        return verifier if isinstance(verifier, cls) else cls(verifier)

    @property
    def name(self) -> str:
        """The verifier's name."""
        return self.inner.name

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs; see :meth:`maieutic.nli.base.Verifier.predict`."""
        return self.score(pairs).probabilities

    def score(self, pairs: Sequence[Pair]) -> PairScores:
        """Score ordered pairs, those that are new only."""
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self.known]
        if new:
            scores = score_pairs(self.inner, new)
            self.known.update(zip(new, zip(scores.probabilities, scores.usages, strict=True), strict=True))
        rows = [self.known[pair] for pair in pairs]
        table = np.array([row for row, _ in rows], dtype=np.float32).reshape(len(pairs), 3)
        return PairScores(table, tuple(usage for _, usage in rows))
