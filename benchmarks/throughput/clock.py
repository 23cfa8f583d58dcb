"""Timing: sides take turns, so that a slowdown of the machine affects all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from maieutic.benchmarks.throughput.table import Series
from maieutic.errors import MaieuticError

__all__ = ["OURS", "Clock", "Side", "best_of", "first_line"]

OURS = "maieutic"


@dataclass(frozen=True, slots=True)
class Side:
    """One implementation of some work.

    Attributes:
        name: in the table.
        work: does all of it once and returns the amount; values are the amount divided by the seconds.
        around: a context entered before the clock starts, which prepares the model for this side.
        details: for the results.
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
        log: called with a line after every run.
    """

    device: torch.device
    repeats: int
    log: Callable[[str], None]

    def once(self, side: Side, which: str = "warm-up") -> tuple[float, float]:
        """(amount of work, seconds) of one run."""
        with side.around():
            self._wait()
            start = time.perf_counter()
            done = side.work()
            self._wait()
            seconds = time.perf_counter() - start
        details = "".join(f", {key} {value}" for key, value in side.details.items() if key != "tried")
        self.log(f"  {side.name}{details}: {which}, {seconds:.1f} s")
        return done, seconds

    def interleaved(self, *sides: Side) -> list[Series]:
        """All sides, ``repeats`` times, in turns; every second round in the other order."""
        runs: list[list[tuple[float, float]]] = [[] for _ in sides]
        for repeat in range(self.repeats):
            order = list(enumerate(sides))
            for place, side in order if repeat % 2 == 0 else reversed(order):
                runs[place].append(self.once(side, f"{repeat + 1} of {self.repeats}"))
        return [
            Series(
                side.name,
                tuple(done / seconds for done, seconds in run),
                tuple(seconds for _, seconds in run),
                side.details,
            )
            for side, run in zip(sides, runs, strict=True)
        ]

    def beside(
        self, mine: Side, candidates: Sequence[Side], *others: Side
    ) -> tuple[Series, Series | None, list[Series], str]:
        """Maieutic beside another implementation at its fastest setting, after a warm-up of both.

        Returns:
            maieutic's series, that of the fastest candidate or None, those of the others, and the reason if
            no candidate ran.
        """
        best, reason = self.fastest(candidates)
        self.once(mine)
        first, *series = self.interleaved(mine, *others, *([best] if best else []))
        return first, series.pop() if best else None, series, reason

    def fastest(self, candidates: Sequence[Side]) -> tuple[Side | None, str]:
        """The fastest of several settings of another implementation, each run once.

        Returns:
            the side and "", or None and the last reason if none ran ("" without candidates).
        """
        rates: list[tuple[float, Side]] = []
        reason = ""
        for side in candidates:
            try:
                done, seconds = self.once(side, "trial")
            except MaieuticError:
                raise
            except Exception as error:  # of another library
                reason = f"{side.name} does not run: {type(error).__name__}: {first_line(error)}"
                self.log(f"  {reason}; {dict(side.details)}")
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                continue
            rates.append((done / seconds, side))
        if not rates:
            return None, reason
        tried = [{**side.details, "rate": rate} for rate, side in rates]
        best = max(rates, key=lambda pair: pair[0])[1]
        return replace(best, details={**best.details, "tried": tried}), ""

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def best_of(series: Series) -> str:
    """The settings that :meth:`Clock.fastest` tried and the fastest, as a sentence."""
    (setting,) = (key for key in series.details if key != "tried")
    values = ", ".join(str(tried[setting]) for tried in series.details["tried"])
    return f"The other's best {setting.replace('_', ' ')} of {values}: {series.details[setting]}."


def first_line(error: Exception) -> str:
    """The first line of another library's message, at most 200 characters."""
    return str(error).strip().partition("\n")[0][:200]
