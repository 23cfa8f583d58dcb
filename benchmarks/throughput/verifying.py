"""Pairs scored by the verifier per second, beside sentence-transformers' ``CrossEncoder``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maieutic.benchmarks.throughput.clock import OURS, Side, best_of
from maieutic.benchmarks.throughput.packages import SENTENCE_TRANSFORMERS, imported, version_of
from maieutic.benchmarks.throughput.table import TableRow
from maieutic.benchmarks.throughput.workbench import PAIRS, Workbench
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.local import TransformersVerifier, label_columns

__all__ = ["verifier_rows"]

BATCH_SIZES = {"cpu": (8, 32, 128), "cuda": (64, 256, 1024)}


class Scorer:
    """Our way."""

    def __init__(self, verifier: TransformersVerifier, pairs: Sequence[Pair]) -> None:
        self._verifier, self._pairs = verifier, pairs
        self.found: Probabilities = np.empty((0, 3), np.float32)

    def work(self) -> float:
        """Score all; returns their number."""
        self.found = self._verifier.predict(self._pairs)
        return len(self._pairs)


class CrossEncoder:
    """The same with sentence-transformers, for one batch size."""

    def __init__(self, model: Any, pairs: Sequence[Pair], batch_size: int) -> None:
        self._model, self._pairs, self.batch_size = model, list(pairs), batch_size
        config = model.config
        self._columns = label_columns(config.id2label, str(config.name_or_path))
        self.found: Probabilities = np.empty((0, 3), np.float32)

    def work(self) -> float:
        """Score all; returns their number."""
        scores = self._model.predict(
            self._pairs, batch_size=self.batch_size, apply_softmax=True, show_progress_bar=False
        )
        self.found = np.asarray(scores, dtype=np.float32) @ self._columns
        return len(self._pairs)


def verifier_rows(bench: Workbench) -> list[TableRow]:
    """One row: the same pairs in the same number format on both sides."""
    pairs = bench.pairs(PAIRS * bench.questions)
    ours = Scorer(TransformersVerifier(bench.verifier), pairs)
    mine = Side(OURS, ours.work, details={"pairs": len(pairs)})
    encoders, missing = _encoders(bench, pairs)
    name = f"{SENTENCE_TRANSFORMERS} {version_of(SENTENCE_TRANSFORMERS)}"
    candidates = [Side(name, one.work, details={"batch_size": one.batch_size}) for one in encoders]
    first, other, _, reason = bench.clock.beside(mine, candidates)
    words = [len(premise.split()) + len(hypothesis.split()) for premise, hypothesis in pairs]
    note = f"{len(pairs)} pairs of {min(words)} to {max(words)} words, {bench.verifier.dtype_name}."
    if other:
        theirs = next(encoder.found for encoder in encoders if len(encoder.found))
        gap = float(np.abs(ours.found - theirs).max())
        first = first.times(1, largest_difference=gap)
        note += f" {best_of(other)} Probabilities differ by at most {gap:.1g}."
    return [TableRow("verifier", "pairs scored", "per second", first, other, note, missing or reason)]


def _encoders(bench: Workbench, pairs: Sequence[Pair]) -> tuple[list[CrossEncoder], str]:
    """The cross-encoder with each batch size, or none and what is missing."""
    module, missing = imported(SENTENCE_TRANSFORMERS, "cross_encoder")
    if missing:
        return [], missing
    checkpoint = bench.verifier
    model = module.CrossEncoder(
        str(checkpoint.folder),
        device=str(checkpoint.device),
        local_files_only=True,
        model_kwargs={"dtype": checkpoint.dtype},
    )
    assert {weight.dtype for weight in model.parameters()} == {checkpoint.dtype}
    return [CrossEncoder(model, pairs, size) for size in BATCH_SIZES[bench.clock.device.type]], ""
