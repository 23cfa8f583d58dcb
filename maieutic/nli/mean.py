"""Several verifiers as one: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.calls import score_pairs
from maieutic.nli.lm import PairScores, ScoringVerifier
from maieutic.usage import Usage

__all__ = ["MeanVerifier"]


@dataclass(frozen=True, slots=True)
class MeanVerifier(ScoringVerifier):
    """Asks every verifier about every pair, and takes the mean of what they say.

    Attributes:
        parts: at least one.
    """

    parts: tuple[Verifier, ...]

    @property
    def name(self) -> str:
        """The names of the verifiers, joined by "+"."""
        return "+".join(part.name for part in self.parts)

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs; see :meth:`maieutic.nli.base.Verifier.predict`."""
        return self.score(pairs).probabilities

    def score(self, pairs: Sequence[Pair]) -> PairScores:
        """Score ordered pairs; a pair's usage is what all verifiers took for it.

        Raises:
            ContextLengthError: a pair does not fit the window of one of them.
        """
        scores = [score_pairs(part, pairs) for part in self.parts]
        mean = np.stack([part.probabilities for part in scores]).mean(axis=0, dtype=np.float64)
        usages = zip(*(part.usages for part in scores), strict=True)
        return PairScores(np.asarray(mean, dtype=np.float32), tuple(sum(each, Usage()) for each in usages))
