"""Cells and tables of a report: text, and whiskers on a scale shared by a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.render.text import printable

if TYPE_CHECKING:
    from maieutic.benchmarks.analysis.statistics import Interval

__all__ = ["Cell", "Note", "Table", "Whisker", "row_of", "scale_of"]

Note = tuple[str, str]  # a term and its meaning

WHISKER = (4.0, 116.0)  # range of positions in a picture of width 120


@dataclass(frozen=True, slots=True)
class Whisker:
    """Positions, in :data:`WHISKER`, of an interval, its value and, for differences, zero."""

    low: float
    value: float
    high: float
    zero: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Plain text, in bold if ``clear``, with an optional whisker."""

    text: str
    whisker: Whisker | None = None
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names the rows.

    Attributes:
        notes: terms in the table and their meanings.
        words: indices of the text columns; the others are numbers.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Note, ...] = ()
    words: tuple[int, ...] = (0,)


def row_of(*texts: str | Cell) -> tuple[Cell, ...]:
    """A row of cells; a text becomes a plain cell."""
    return tuple(text if isinstance(text, Cell) else Cell(printable(text)) for text in texts)


def scale_of(intervals: Sequence[Interval], *, zero: bool = False) -> Callable[[float, Interval], Whisker]:
    """A function from a value and its interval to a whisker, on one scale for all ``intervals``."""
    ends = [end for interval in intervals for end in (interval.low, interval.high)]
    low, high = min(ends), max(ends)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    start, stop = WHISKER

    def position(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(start + min(1.0, max(0.0, share)) * (stop - start), 1)

    def whisker(value: float, interval: Interval) -> Whisker:
        at = position(0.0) if zero else None
        return Whisker(position(interval.low), position(value), position(interval.high), at)

    return whisker
