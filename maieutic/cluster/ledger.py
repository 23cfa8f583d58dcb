"""Who works on what, so that a piece of work that ends its workers is told from one that was unlucky.

Ray starts a killed worker again and gives it the same batch. It does not say why the worker died. The ledger
counts, for each piece of work, the workers that began it and neither finished nor gave it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.cluster.jobs import Result

__all__ = ["MOST_DEATHS", "MOST_OPENINGS", "Ledger"]

MOST_DEATHS = 3  # workers that a piece of work may end before it counts as failed
MOST_OPENINGS = 5  # attempts in a row to open the models that end a worker


class Ledger:
    """Begun and finished work. One process has it; its methods are called one at a time."""

    def __init__(self) -> None:
        self._unfinished: dict[str, int] = {}
        self._results: dict[str, Result] = {}
        self._openings = 0
        self._facts = ""

    def begin(self, keys: Sequence[str]) -> list[int]:
        """A worker begins pieces of work; how many workers each has ended before, as far as is known.

        Pieces that are begun together all count as begun by a worker that dies, whichever of them ended it.
        """
        deaths = [self._unfinished.get(key, 0) for key in keys]
        self._unfinished.update((key, count + 1) for key, count in zip(keys, deaths, strict=True))
        return deaths

    def begin_together(self, keys: Sequence[str]) -> bool:
        """A worker begins a batch, unless a worker has died of one of its pieces; whether it may."""
        if any(key in self._unfinished for key in keys):
            return False
        self.begin(keys)
        return True

    def deaths(self, keys: Sequence[str]) -> list[int]:
        """How many workers each piece has ended."""
        return [self._unfinished.get(key, 0) for key in keys]

    def finished(self, key: str, result: Result) -> None:
        """A worker has finished a piece of a batch, whose result is kept until the batch ends."""
        self._results[key] = result

    def result(self, key: str) -> Result | None:
        """The result of a piece whose batch has not ended; None before it is finished."""
        return self._results.get(key)

    def end(self, keys: Sequence[str]) -> None:
        """A worker has finished, or given back, a batch."""
        for key in keys:
            self._unfinished.pop(key, None)
            self._results.pop(key, None)

    def opening(self) -> int:
        """A worker begins to open the models; how many in a row began and died of it."""
        self._openings += 1
        return self._openings - 1

    def opened(self, facts: str) -> None:
        """A worker has opened the models.

        Args:
            facts: what there is to know about them, the same for all workers.
        """
        self._openings, self._facts = 0, facts

    def facts(self) -> str:
        """What a worker reported; "" before the first one did."""
        return self._facts
