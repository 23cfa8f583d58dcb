"""Batch sizes that fit the device's free memory, halved when memory runs out; finished work is kept."""

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

SHARE = 0.5  # share of the free memory for a batch; the rest is for logits, fragmentation and others
LEAST_TOKENS = 256  # smallest initial budget, however little memory is free
MEMINFO = Path("/proc/meminfo")


class TokenBudget:
    """The largest number of tokens in a batch of a model, padding included.

    Args:
        tokens: the initial budget; at least 1.
        name: name of the model, for messages.
        device: device of the model, for messages.
    """

    def __init__(self, tokens: int, name: str, device: torch.device) -> None:
        self.tokens = tokens
        self._name = name
        self._device = device

    @classmethod
    def fitting(cls, most: int, checkpoint: Checkpoint) -> TokenBudget:
        """A budget of at most ``most`` tokens, less if the checkpoint's device has little free memory."""
        each = bytes_per_token(checkpoint.model.config, checkpoint.model.dtype)
        tokens = fitting_tokens(most, each, free_memory(checkpoint.device))
        return cls(tokens, checkpoint.name, checkpoint.device)

    def run(self, lengths: Sequence[int], work: Callable[[list[int]], None]) -> None:
        """Call ``work`` with the row indices of one batch after another, until every row is done.

        If a batch exhausts the memory, the budget is halved permanently and the remaining rows are split
        into smaller batches.

        Args:
            lengths: tokens of each row; a batch costs its number of rows times its longest row.

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
                    f"{lengths[rows[0]]} tokens; shorten it, or use a smaller model or half precision",
                    subject=self._name,
                ) from error
        else:
            return True
        self._halve(len(rows) * max(lengths[row] for row in rows))
        return False

    def _halve(self, cost: int) -> None:
        self.tokens = max(1, min(self.tokens, cost) // 2)
        _log.warning(
            "%s ran out of memory on %s with a batch of %d tokens; continuing with %d",
            self._name,
            self._device,
            cost,
            self.tokens,
        )
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def fitting_tokens(most: int, each: int, free: int | None) -> int:
    """The initial budget of a batch in tokens: ``most``, or less if memory is short.

    Args:
        each: bytes per token.
        free: free bytes; None if unknown.
    """
    if free is None:
        return most
    return max(min(most, LEAST_TOKENS), min(most, int(SHARE * free / max(1, each))))


def bytes_per_token(config: Any, dtype: torch.dtype) -> int:
    """Bytes per token of a batch: keys and values of all layers, and the activations of one layer.

    Args:
        config: a Transformers configuration; sizes that it lacks count as 0.
    """

    def size(*names: str) -> int:
        values = (getattr(config, name, None) for name in names)
        return next((int(value) for value in values if isinstance(value, int)), 0)

    hidden, heads = size("hidden_size"), size("num_attention_heads")
    width = size("head_dim") or (hidden // heads if heads else 0)
    cached = 2 * size("num_hidden_layers") * (size("num_key_value_heads") or heads) * width
    working = 8 * hidden + 3 * (size("intermediate_size") or 4 * hidden)
    return int((cached + working) * dtype.itemsize)


def free_memory(device: torch.device) -> int | None:
    """Free memory of a device in bytes; None if unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    available = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((1024 * int(parts[1]) for parts in available), None)


def _is_exhaustion(error: RuntimeError) -> bool:
    """Whether memory ran out; PyTorch has a separate class for this on GPUs only."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
