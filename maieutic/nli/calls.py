"""The only calls of a verifier: what it returns is checked before it is used."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np

from maieutic.errors import InputError, MaieuticError
from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.lm import PairScores, ScoringVerifier
from maieutic.usage import Usage

__all__ = ["check_verifier", "predict", "score_pairs"]

ROUNDING = 1e-2  # by which the sum of a row may differ from 1: verifiers compute in 16 bits too

_log = logging.getLogger(__name__)


def check_verifier(verifier: Verifier) -> None:
    """Refuse what is no verifier.

    Raises:
        InputError: the name or the method is missing.
    """
    if isinstance(verifier, str):
        problem = f"verifier must be a Verifier, not the text {verifier!r}"
        raise InputError(f"{problem}; load one by name with load_verifier", subject="verifier")
    if not callable(getattr(verifier, "predict", None)) or not isinstance(
        getattr(verifier, "name", None), str
    ):
        problem = f"verifier must have a name and a method predict, but {type(verifier).__name__} has not"
        raise InputError(f"{problem}; see maieutic.nli.base.Verifier", subject="verifier")


def predict(verifier: Verifier, pairs: Sequence[Pair]) -> Probabilities:
    """``verifier.predict(pairs)``, checked; see :meth:`maieutic.nli.base.Verifier.predict`.

    Raises:
        MaieuticError: the result does not have one row for each pair and three columns, or a row is not
            three probabilities with the sum 1; ``subject`` is the class and the method.
    """
    start = time.perf_counter()
    result = verifier.predict(pairs)
    _log.debug("%s: %d pairs in %.2f s", verifier.name, len(pairs), time.perf_counter() - start)
    return _checked(result, len(pairs), f"{type(verifier).__name__}.predict")


def score_pairs(verifier: Verifier, pairs: Sequence[Pair]) -> PairScores:
    """The checked scores of any verifier, with the language model's usage.

    Raises:
        MaieuticError: as for :func:`predict`.
    """
    if isinstance(verifier, ScoringVerifier):
        return verifier.score(pairs)
    return PairScores(predict(verifier, pairs), (Usage(),) * len(pairs))


def _checked(result: object, count: int, where: str) -> Probabilities:
    try:
        rows = np.asarray(result, dtype=np.float32)
    except (TypeError, ValueError):
        raise _wrong(where, f"what is no table of numbers for {count} pairs", count) from None
    if rows.shape != (count, 3) and not (count == 0 and rows.size == 0):
        raise _wrong(where, f"a table of shape {rows.shape} for {count} pairs", count)
    rows = rows.reshape(count, 3)
    off = ~np.isfinite(rows).all(axis=1)
    off |= (rows < -ROUNDING).any(axis=1) | (np.abs(rows.sum(axis=1) - 1) > ROUNDING)
    if off.any():
        row = ", ".join(f"{value:.4g}" for value in rows[off.argmax()].tolist())
        raise _wrong(where, f"the row ({row})", count)
    return rows


def _wrong(where: str, what: str, count: int) -> MaieuticError:
    rule = f"it must return float32 ({count}, 3): P(contradiction), P(neutral), P(entailment), sum 1"
    return MaieuticError(f"{where} returned {what}; {rule}", subject=where)
