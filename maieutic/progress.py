"""What is reported while questions are answered, to a function of the caller's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Progress", "Step", "reported"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that has just ended, of questions that are answered together.

    Attributes:
        name: "statement" (of questions), "negation", "explanation", "belief", "relation" or "solution".
        depth: of the propositions concerned, ≥ 0; 0 is Q. None for relations and solutions.
        questions: how many questions it concerned, ≥ 1.
        items: texts drawn, beliefs read, pairs scored or questions solved, ≥ 0.
        seconds: wall clock.
    """

    name: str
    depth: int | None
    questions: int
    items: int
    seconds: float


Progress = Callable[[Step], None]
"""Receives every step. What it raises ends the call that reports to it."""


@contextmanager
def reported(
    progress: Progress | None, name: str, depth: int | None, *, questions: int, items: int
) -> Iterator[None]:
    """Report the work of a with-block as a step, and log it; see :class:`Step`. No items are no step."""
    start = time.perf_counter()
    yield
    if items == 0:
        return
    step = Step(name, depth, questions, items, time.perf_counter() - start)
    _log.debug("%s (depth %s): %d for %d questions in %.2f s", name, depth, items, questions, step.seconds)
    if progress is not None:
        progress(step)
