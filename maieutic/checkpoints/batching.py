"""Sequences of different lengths put together so that little of a batch is padding.

This module imports neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import InputError

__all__ = ["batches_by_length", "padded"]


def batches_by_length(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Group sequences of similar length, longest first, so that the largest batch comes first.

    A batch costs its rows times its longest row, which is what a padded batch computes. A row
    longer than the budget is a batch of its own. Equal lengths keep their order.

    Args:
        lengths: tokens of each sequence.
        token_budget: most tokens, padding included, in a batch of more than one row; at least 1.

    Returns:
        indices into ``lengths``, each exactly once, in batches.

    Raises:
        InputError: the budget is below 1.

    >>> batches_by_length([3, 10, 4, 25], 20)
    [[3], [1, 2], [0]]
    """
    if token_budget < 1:
        raise InputError(f"a batch must hold at least 1 token, not {token_budget}")
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        last = batches[-1] if batches else []
        if last and (len(last) + 1) * lengths[last[0]] <= token_budget:
            last.append(index)
        else:
            batches.append([index])
    return batches


def padded(rows: Sequence[Sequence[int]], fill: int, side: Literal["left", "right"]) -> NDArray[np.int64]:
    """Stack rows into an array (rows, longest row), with ``fill`` on one side of the short ones.

    >>> padded([[7, 8, 9], [5]], 0, "left").tolist()
    [[7, 8, 9], [0, 0, 5]]
    """
    width = max(map(len, rows), default=0)
    table = np.full((len(rows), width), fill, dtype=np.int64)
    for line, row in zip(table, rows, strict=True):
        start = width - len(row) if side == "left" else 0
        line[start : start + len(row)] = row
    return table
