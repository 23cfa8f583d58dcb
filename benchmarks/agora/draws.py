"""Random choice of names with given frequencies."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["Names", "weighted", "zipf"]


@dataclass(frozen=True, slots=True)
class Names:
    """A distribution over names.

    Attributes:
        cumulative: the sums of the names' weights up to each name.
    """

    names: Sequence[str]
    cumulative: Sequence[float]

    def draw(self, rng: random.Random) -> str:
        """A name."""
        (name,) = rng.choices(self.names, cum_weights=self.cumulative)
        return name


def weighted(names: Sequence[str], weights: Iterable[float]) -> Names:
    """Names with weights, one each."""
    return Names(names, list(accumulate(weights)))


def zipf(names: Sequence[str], exponent: float) -> Names:
    """Zipf-like frequencies in the order of the names: rank r has the weight r ** -exponent."""
    return weighted(names, ((rank + 1) ** -exponent for rank in range(len(names))))
