"""Pairs scored by the verifier per second, beside sentence-transformers' ``CrossEncoder``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from maieutic.benchmarks.throughput.clock import Side
from maieutic.benchmarks.throughput.packages import SENTENCE_TRANSFORMERS, imported, version_of
from maieutic.benchmarks.throughput.rows import Row
from maieutic.benchmarks.throughput.workbench import PAIRS, Workbench
from maieutic.devices import DTYPES
from maieutic.loading import quiet
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.transformers import TransformersVerifier, label_columns

__all__ = ["verifier_rows"]

BATCH_SIZES = {"cpu": (8, 32, 128), "cuda": (64, 256, 1024)}


class Scorer:
    """Our way."""

    def __init__(self, verifier: TransformersVerifier, pairs: Sequence[Pair]) -> None:
        self._verifier, self._pairs = verifier, pairs
        self.found: Probabilities = np.empty((0, 3), np.float32)

    def work(self) -> float:
        self.found = self._verifier.predict(self._pairs)
        return len(self._pairs)


class CrossEncoder:
    """The same with sentence-transformers, for one batch size."""

    def __init__(self, model: Any, pairs: Sequence[Pair], batch_size: int) -> None:
        self._model, self._pairs, self._batch_size = model, list(pairs), batch_size
        config = model.config
        self._columns = label_columns(config.id2label, str(config.name_or_path))
        self.found: Probabilities = np.empty((0, 3), np.float32)

    def work(self) -> float:
        scores = self._model.predict(
            self._pairs, batch_size=self._batch_size, apply_softmax=True, show_progress_bar=False
        )
        self.found = np.asarray(scores, dtype=np.float32) @ self._columns
        return len(self._pairs)


def verifier_rows(bench: Workbench) -> list[Row]:
    """One row with the same number format on both sides, and one with each side's own choice."""
    pairs = bench.pairs(PAIRS * bench.questions)
    words = [len(premise.split()) + len(hypothesis.split()) for premise, hypothesis in pairs]
    compared = f"{len(pairs)} pairs of {min(words)} to {max(words)} words"
    module, missing = imported(SENTENCE_TRANSFORMERS, "cross_encoder")
    if missing:
        mine = Scorer(bench.verifier, pairs)
        (alone,) = bench.clock.interleaved(
            Side("maieutic", mine.work, details={"dtype": bench.verifier.dtype})
        )
        what = f"pairs scored in {bench.verifier.dtype}"
        return [
            Row("verifier", what, "per second", alone, None, f"{compared}; sentence-transformers", missing)
        ]
    logging.getLogger(SENTENCE_TRANSFORMERS).setLevel(logging.ERROR)
    device = bench.verifier.device
    own = TransformersVerifier.load(str(bench.verifier_checkpoint.folder), device=device)
    rows = []
    for verifier, dtype in ((bench.verifier, bench.verifier.dtype), (own, None)):
        with quiet():
            other = module.CrossEncoder(
                str(bench.verifier_checkpoint.folder),
                device=device,
                local_files_only=True,
                model_kwargs={"dtype": DTYPES[dtype]} if dtype else {},
            )
        rows.append(_row(bench, verifier, other, pairs, compared, same=dtype is not None))
    return rows


def _row(
    bench: Workbench,
    verifier: TransformersVerifier,
    other: Any,
    pairs: Sequence[Pair],
    compared: str,
    *,
    same: bool,
) -> Row:
    ours = Scorer(verifier, pairs)
    its_dtype = str(next(other.parameters()).dtype).removeprefix("torch.")
    what = f"pairs scored in {verifier.dtype}" if same else "pairs scored, each in its default format"
    name = f"CrossEncoder of sentence-transformers {version_of(SENTENCE_TRANSFORMERS)}"
    sizes = BATCH_SIZES[bench.clock.device.type]
    encoders = [CrossEncoder(other, pairs, size) for size in sizes]
    best, reason = bench.clock.fastest(
        [
            Side(name, encoder.work, details={"batch_size": size, "dtype": its_dtype})
            for size, encoder in zip(sizes, encoders, strict=True)
        ]
    )
    mine = Side("maieutic", ours.work, details={"dtype": verifier.dtype})
    if best is None:
        (alone,) = bench.clock.interleaved(mine)
        return Row("verifier", what, "per second", alone, None, compared, f"did not run: {reason}")
    bench.clock.once(mine)  # as the other side has run, too
    first, second = bench.clock.interleaved(mine, best)
    theirs = next(encoder.found for encoder in encoders if len(encoder.found))
    gap = float(np.abs(ours.found - theirs).max())
    compared += (
        f", {verifier.dtype} / {its_dtype}; the other's best of batch sizes {', '.join(map(str, sizes))}: "
        f"{best.details['batch_size']}; probabilities differ by ≤ {gap:.1g}"
    )
    return Row("verifier", what, "per second", first.times(1, largest_difference=gap), second, compared)
