"""Batches of sequences of similar length, so that little of a batch is padding.

This module imports neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import InputError

__all__ = ["batches_by_length", "padded", "rows_by_length"]


def batches_by_length(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Group sequences of similar length, longest first, so that the largest batch comes first.

    A batch costs its number of rows times its longest row, since rows are padded. A row longer than
    the budget forms a batch of its own. Sequences of equal length keep their order.

    Args:
        lengths: tokens of each sequence.
        token_budget: largest cost of a batch of several rows, in tokens; at least 1.

    Returns:
        indices into ``lengths``, each exactly once, in batches.

    Raises:
        InputError: the budget is below 1.

    >>> batches_by_length([3, 10, 4, 25], 20)
    [[3], [1, 2], [0]]
    """
    if token_budget < 1:
        raise InputError(f"token_budget={token_budget}: give at least 1", subject="token_budget")
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        last = batches[-1] if batches else []
        if last and (len(last) + 1) * lengths[last[0]] <= token_budget:
            last.append(index)
        else:
            batches.append([index])
    return batches


def rows_by_length(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The places of the rows, those of equal length together.

    >>> rows_by_length([[7, 8], [5], [1, 2]])
    [[0, 2], [1]]
    """
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(len(row), []).append(place)
    return list(places.values())


def padded(rows: Sequence[Sequence[int]], fill: int, side: Literal["left", "right"]) -> NDArray[np.int64]:
    """Stack rows into an array of shape (rows, longest row), padded with ``fill`` on one side.

    >>> padded([[7, 8, 9], [5]], 0, "left").tolist()
    [[7, 8, 9], [0, 0, 5]]
    """
    width = max(map(len, rows), default=0)
    table = np.full((len(rows), width), fill, dtype=np.int64)
    for line, row in zip(table, rows, strict=True):
        start = width - len(row) if side == "left" else 0
        line[start : start + len(row)] = row
    return table
