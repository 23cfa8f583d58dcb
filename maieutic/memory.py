"""Batches that fit the device: formed by tokens, halved when memory runs out, no finished work lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import torch

from maieutic.batching import batches_by_length
from maieutic.errors import ModelError

__all__ = ["TokenBudget"]

_log = logging.getLogger(__name__)


class TokenBudget:
    """How many tokens one batch of a model may hold, padding included.

    Args:
        tokens: to begin with; at least 1.
        name: the model's, for messages.
        device: where it computes, for messages.
    """

    def __init__(self, tokens: int, name: str, device: torch.device) -> None:
        self.tokens = tokens
        self._name = name
        self._device = device

    def run(self, lengths: Sequence[int], work: Callable[[list[int]], None]) -> None:
        """Call ``work`` with the indices of one batch after the other, until each was in one that ended.

        A batch that exhausts the memory counts as not done: the budget is halved, for good, and what is
        left is put into smaller batches.

        Args:
            lengths: tokens of each row; a batch costs its rows times its longest row.

        Raises:
            ModelError: a single row exhausts the memory.
        """
        left = list(range(len(lengths)))
        while left:
            done: set[int] = set()
            for batch in batches_by_length([lengths[index] for index in left], self.tokens):
                rows = [left[index] for index in batch]
                if not self._fits(rows, lengths, work):
                    break
                done.update(rows)
            left = [index for index in left if index not in done]

    def _fits(self, rows: list[int], lengths: Sequence[int], work: Callable[[list[int]], None]) -> bool:
        try:
            work(rows)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not _is_exhaustion(error):
                raise
            if len(rows) == 1:
                raise ModelError(
                    f"{self._name} ran out of memory on {self._device} with a single text of "
                    f"{lengths[rows[0]]} tokens; shorten it, or use a smaller model or half precision"
                ) from error
        else:
            return True
        self._halve(len(rows) * max(lengths[row] for row in rows))
        return False

    def _halve(self, cost: int) -> None:
        self.tokens = max(1, min(self.tokens, cost) // 2)
        _log.warning(
            "%s ran out of memory on %s with a batch of %d tokens; going on with %d",
            self._name,
            self._device,
            cost,
            self.tokens,
        )
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _is_exhaustion(error: RuntimeError) -> bool:
    """On processors PyTorch has no class of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
