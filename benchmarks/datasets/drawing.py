"""A random sample of a data set, drawn with a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["draw"]

T = TypeVar("T")


def draw(items: Sequence[T], limit: int, seed: int, pair: Callable[[T], str] = lambda _: "") -> list[T]:
    """At least ``limit`` items, or all for 0, drawn with ``seed`` and kept in their order; twins together.

    Data sets are not in random order, so their first N items are not a random sample.

    Args:
        pair: a name that twins share, "" for an item on its own.
    """
    if not limit or limit >= len(items):
        return list(items)
    groups: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(pair(item) or f"{place} alone", []).append(place)
    order = list(groups.values())
    random.Random(seed).shuffle(order)  # noqa: S311 - no secret
    chosen: list[int] = []
    for group in order:
        if len(chosen) >= limit:
            break
        chosen += group
    return [items[place] for place in sorted(chosen)]
