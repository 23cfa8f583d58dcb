"""What tables of a report are made of: words, and pictures of intervals on a scale that a column shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.render.text import printable

if TYPE_CHECKING:
    from maieutic.benchmarks.analysis.statistics import Interval

__all__ = ["Cell", "Note", "Table", "Whisker", "row_of", "scale_of"]

Note = tuple[str, str]  # a term and its meaning

WHISKER = (4.0, 116.0)  # first and last place of a value in a picture, which is 120 wide


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval, its middle value and, for differences, zero: places in :data:`WHISKER`."""

    low: float
    value: float
    high: float
    zero: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Plain text; ``clear`` sets it in bold."""

    text: str
    whisker: Whisker | None = None
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names the rows; ``words`` are the columns of text, the others are numbers.

    Attributes:
        notes: what the words in it mean.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Note, ...] = ()
    words: tuple[int, ...] = (0,)


def row_of(*texts: str | Cell) -> tuple[Cell, ...]:
    """Cells as they are, and cells of plain texts."""
    return tuple(text if isinstance(text, Cell) else Cell(printable(text)) for text in texts)


def scale_of(intervals: Sequence[Interval], *, zero: bool = False) -> Callable[[float, Interval], Whisker]:
    """What places a value and its interval in a picture, so that all of a column can be compared."""
    ends = [end for interval in intervals for end in (interval.low, interval.high)]
    low, high = min(ends), max(ends)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    start, stop = WHISKER

    def place(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(start + min(1.0, max(0.0, share)) * (stop - start), 1)

    def whisker(value: float, interval: Interval) -> Whisker:
        at = place(0.0) if zero else None
        return Whisker(place(interval.low), place(value), place(interval.high), at)

    return whisker
