"""A verifier with a cache of its scores, by its fingerprint and the ordered pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.checkpoints.fingerprints import fingerprint_of
from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.calls import predict

__all__ = ["CachedVerifier"]

FORMAT = 1  # increase it whenever the scores of a pair change


class CachedVerifier:
    """Takes scores from a store and calls the verifier for missing ones, each distinct pair once.

    For a language model that is its own verifier, wrap the language model instead.

    Args:
        verifier: has a ``fingerprint``; see :class:`maieutic.checkpoints.fingerprints.Fingerprinted`.
        store: holds the scores; several models may share it.

    Raises:
        InputError: the verifier has no fingerprint.
    """

    def __init__(self, verifier: Verifier, store: ResponseStore) -> None:
        self.inner = verifier
        self._store = store
        self._known = KnownModel(fingerprint_of(verifier), verifier.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def name(self) -> str:
        """The verifier's name."""
        return self.inner.name

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs; see :meth:`maieutic.nli.base.Verifier.predict`."""
        keys = {pair: digest("nli", FORMAT, self._known.fingerprint, *pair) for pair in dict.fromkeys(pairs)}
        rows = {key: np.frombuffer(value, "<f4") for key, value in self._store.get(keys.values()).items()}
        self._store.count(len(pairs), sum(keys[pair] in rows for pair in pairs))
        missing = [pair for pair, key in keys.items() if key not in rows]
        if missing:
            scores = predict(self.inner, missing).astype("<f4")
            new = {keys[pair]: row for pair, row in zip(missing, scores, strict=True)}
            self._store.put(self._known, {key: row.tobytes() for key, row in new.items()})
            rows |= new
        return np.array([rows[keys[pair]] for pair in pairs], dtype=np.float32).reshape(len(pairs), 3)
