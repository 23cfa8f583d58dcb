"""Timing: sides take turns, so that a machine that slows down slows all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch

from maieutic.benchmarks.throughput.rows import Series
from maieutic.errors import MaieuticError

__all__ = ["Clock", "Side"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Side:
    """One way to do some work.

    Attributes:
        name: in the table.
        work: does all of it once, and returns how much it did: values are that, divided by the seconds.
        around: entered before the clock starts: what makes a model ready for this side.
        details: go into the table's raw data.
    """

    name: str
    work: Callable[[], float]
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clock:
    """Measures on one device.

    Attributes:
        repeats: of every side; the table shows their medians.
    """

    device: torch.device
    repeats: int

    def once(self, side: Side) -> tuple[float, float]:
        """(how much was done, seconds) of one run."""
        with side.around():
            self._wait()
            start = time.perf_counter()
            done = side.work()
            self._wait()
            return done, time.perf_counter() - start

    def interleaved(self, *sides: Side) -> list[Series]:
        """All sides, ``repeats`` times, in turns; every second round in the other order."""
        runs: list[list[tuple[float, float]]] = [[] for _ in sides]
        for repeat in range(self.repeats):
            order = list(enumerate(sides))
            for place, side in order if repeat % 2 == 0 else reversed(order):
                runs[place].append(self.once(side))
        return [
            Series(
                side.name,
                tuple(done / seconds for done, seconds in run),
                tuple(seconds for _, seconds in run),
                side.details,
            )
            for side, run in zip(sides, runs, strict=True)
        ]

    def fastest(self, candidates: Sequence[Side]) -> tuple[Side | None, str]:
        """The fastest of several settings of somebody else's code, each run once.

        Returns:
            the side and "", or None and the last reason why none of them ran.
        """
        found: list[tuple[float, Side]] = []
        reason = ""
        for side in candidates:
            try:
                done, seconds = self.once(side)
            except MaieuticError:
                raise
            except Exception as error:  # of another library
                reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
                _log.info("%s did not run with %s: %s", side.name, dict(side.details), reason)
                self.forget()
                continue
            found.append((done / seconds, side))
        if not found:
            return None, reason
        tried = [{**side.details, "rate": rate} for rate, side in found]
        best = max(found, key=lambda pair: pair[0])[1]
        return Side(best.name, best.work, best.around, {**best.details, "tried": tried}), ""

    def forget(self) -> None:
        """Give cached memory back to the device."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
