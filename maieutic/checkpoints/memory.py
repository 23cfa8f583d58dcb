"""Batches that fit the device: as many tokens as its free memory has room for, halved when that runs out.

No finished work is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from maieutic.checkpoints.batching import batches_by_length
from maieutic.errors import ModelError

if TYPE_CHECKING:
    from maieutic.checkpoints.loading import Checkpoint

__all__ = ["TokenBudget", "bytes_per_token", "fitting_tokens", "free_memory"]

_log = logging.getLogger(__name__)

SHARE = 0.5  # of the free memory that a batch may take; the rest is for logits, fragments and others
LEAST_TOKENS = 256  # where hardly anything is free, an attempt is still made
MEMINFO = Path("/proc/meminfo")


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

    @classmethod
    def fitting(cls, most: int, checkpoint: Checkpoint) -> TokenBudget:
        """At most ``most`` tokens, fewer where the device of an opened model has little memory free."""
        each = bytes_per_token(checkpoint.model.config, checkpoint.model.dtype)
        tokens = fitting_tokens(most, each, free_memory(checkpoint.device))
        return cls(tokens, checkpoint.name, checkpoint.device)

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


def fitting_tokens(most: int, each: int, free: int | None) -> int:
    """How many tokens a batch may begin with: ``most``, or fewer where memory is short.

    Args:
        each: bytes that a token needs; ``free``: bytes there are, None if that is not known.
    """
    if free is None:
        return most
    return max(min(most, LEAST_TOKENS), min(most, int(SHARE * free / max(1, each))))


def bytes_per_token(config: Any, dtype: torch.dtype) -> int:
    """What a token of a batch keeps in memory: its keys and values in every layer, and one layer's work.

    Args:
        config: of a model of Transformers; sizes that it does not name count as 0.
    """

    def size(*names: str) -> int:
        found = (getattr(config, name, None) for name in names)
        return next((int(value) for value in found if isinstance(value, int)), 0)

    hidden, heads = size("hidden_size"), size("num_attention_heads")
    width = size("head_dim") or (hidden // heads if heads else 0)
    cached = 2 * size("num_hidden_layers") * (size("num_key_value_heads") or heads) * width
    working = 8 * hidden + 3 * (size("intermediate_size") or 4 * hidden)
    return int((cached + working) * dtype.itemsize)


def free_memory(device: torch.device) -> int | None:
    """Bytes that are free on a device, None where there is no telling."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((1024 * int(parts[1]) for parts in found), None)


def _is_exhaustion(error: RuntimeError) -> bool:
    """On processors PyTorch has no class of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
