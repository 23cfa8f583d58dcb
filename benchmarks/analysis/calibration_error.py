"""The quality of probabilities: expected calibration error and Brier score.

The calibration error is that of the confidence in the given answer, in 15 bins of equal width over [0, 1]
(Guo et al. 2017, "On Calibration of Modern Neural Networks"); the Brier score is that of P(true).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["BINS", "Bin", "brier_score", "confidence_bins", "expected_calibration_error"]

BINS = 15
_DECIMALS = 7  # a confidence this close to the edge of a bin counts as on it: 1 − 0.6 is not exactly 0.4


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in (low, high]; 0 belongs to the first bin.

    Attributes:
        confidence: their mean confidence; ``accuracy`` the share of correct ones.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def confidence_bins(confidence: npt.ArrayLike, right: npt.ArrayLike) -> list[Bin]:
    """The bins with at least one answer, by rising confidence.

    Args:
        confidence: P(the answer is correct) of each answer, in [0, 1], float (answers,).
        right: whether it is correct, bool (answers,).
    """
    import numpy as np  # noqa: PLC0415 - keeps --help fast

    values, hits = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    places = np.clip(np.ceil(np.round(values * BINS, _DECIMALS)).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = [np.bincount(places, weights=each, minlength=BINS) for each in (values, hits)]
    return [
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            count=int(count),
            confidence=float(sums[0][place] / count),
            accuracy=float(sums[1][place] / count),
        )
        for place, count in enumerate(counts)
        if count
    ]


def expected_calibration_error(confidence: npt.ArrayLike, right: npt.ArrayLike) -> float:
    """ECE (Naeini et al. 2015): mean distance of confidence and accuracy over the bins, weighted by count.

    Args:
        confidence, right: as for :func:`confidence_bins`; at least one answer.

    >>> round(expected_calibration_error([0.9, 0.9, 0.55], [True, False, False]), 3)
    0.45
    """
    bins = confidence_bins(confidence, right)
    return sum(bin.count * abs(bin.accuracy - bin.confidence) for bin in bins) / sum(b.count for b in bins)


def brier_score(p_true: npt.ArrayLike, gold: npt.ArrayLike) -> float:
    """Mean squared distance of P(true) from the truth, in [0, 1]; 0 is best (Brier 1950).

    Args:
        p_true: in [0, 1], float (answers,); at least one.
        gold: bool (answers,).

    >>> round(brier_score([0.8, 0.3, 0.6], [True, False, False]), 3)
    0.163
    """
    import numpy as np  # noqa: PLC0415

    return float(np.mean((np.asarray(p_true, dtype=float) - np.asarray(gold, dtype=float)) ** 2))
