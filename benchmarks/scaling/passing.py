"""How fast the questions of a run pass, from its first batches to its last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from maieutic.benchmarks.runs.folder import Written

__all__ = ["Pass", "passed"]


@dataclass(frozen=True, slots=True)
class Pass:
    """A run as it was watched.

    Attributes:
        questions: that were answered.
        per_second: questions after the first batches, by the seconds after these.
    """

    questions: int
    per_second: float


def passed(
    batches: Iterable[Sequence[Written]], skip: int, look: Callable[[int], object] = lambda _: None
) -> Pass:
    """Read a run to its end.

    Args:
        skip: batches before the clock starts, ≥ 1: each worker opens its models before its first.
        look: called after each batch with the number of questions so far.
    """
    done = before = 0
    start = end = 0.0
    for place, written in enumerate(batches, 1):
        done += len(written)
        end = time.perf_counter()
        if place <= skip:
            start, before = end, done
        look(done)
    return Pass(done, (done - before) / max(end - start, 1e-9))
