"""Who made what is in a memory: fingerprints, and a verifier that is not asked for what the memory knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.calls import score_pairs
from maieutic.nli.lm import PairScores, ScoringVerifier
from maieutic.text import text_key
from maieutic.usage import Usage

__all__ = ["KnownPairs", "identity", "pair_key"]

PairKey = tuple[str, str]


def identity(model: object) -> tuple[str, str]:
    """The fingerprint and the name of a model; one without a fingerprint is known by its name."""
    name = str(getattr(model, "name", type(model).__name__))
    wrapped: object = model
    for _ in range(6):  # caches, readers of beliefs
        fingerprint = getattr(wrapped, "fingerprint", "")
        if isinstance(fingerprint, str) and fingerprint:
            return fingerprint, name
        wrapped = getattr(wrapped, "inner", None) or getattr(wrapped, "lm", None)
        if wrapped is None:
            break
    return f"name:{name}", name


def pair_key(pair: Pair) -> PairKey:
    """What makes two pairs the same for a memory: texts that differ in case and closing marks are one."""
    return text_key(pair[0]), text_key(pair[1])


@dataclass(frozen=True, slots=True)
class KnownPairs(ScoringVerifier):
    """A verifier that takes the scores of pairs which the memory has from there; they cost nothing.

    Attributes:
        known: contradiction, neutral, entailment by the keys of premise and hypothesis.
    """

    inner: Verifier
    known: Mapping[PairKey, tuple[float, float, float]]

    @property
    def name(self) -> str:
        """The verifier's name."""
        return self.inner.name

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs; see :meth:`maieutic.nli.base.Verifier.predict`."""
        return self.score(pairs).probabilities

    def score(self, pairs: Sequence[Pair]) -> PairScores:
        """Score ordered pairs, those that the memory lacks by the verifier."""
        new = [pair for pair in dict.fromkeys(pairs) if pair_key(pair) not in self.known]
        scores = score_pairs(self.inner, new) if new else None
        table = np.zeros((len(pairs), 3), dtype=np.float32)
        usages = []
        places = {pair: place for place, pair in enumerate(new)}
        for row, pair in enumerate(pairs):
            place = places.get(pair)
            if place is None or scores is None:
                table[row] = self.known[pair_key(pair)]
                usages.append(Usage())
            else:
                table[row] = scores.probabilities[place]
                usages.append(scores.usages[place])
        return PairScores(table, tuple(usages))
