"""What the benchmark finds: rows of a table, each with every repeat that it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

__all__ = ["Row", "Series"]


@dataclass(frozen=True, slots=True)
class Series:
    """One side of a row.

    Attributes:
        name: whose numbers they are.
        values: one for each repeat, in the row's unit.
        seconds: what each repeat took; empty for what is not timed.
        details: how it was run: batch size, number format, largest difference of a probability …
    """

    name: str
    values: tuple[float, ...]
    seconds: tuple[float, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The median of the repeats, in the row's unit."""
        return median(self.values)

    def times(self, factor: float, **details: Any) -> Series:
        """The values in a unit ``factor`` times smaller, with more details."""
        values = tuple(value * factor for value in self.values)
        return Series(self.name, values, self.seconds, {**self.details, **details})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        section: questions, choose, generate, verifier or cost.
        what: what was measured.
        unit: of both sides.
        ours: this engine; None where it could not be measured.
        other: what it is compared with; None where there is nothing, or ``missing`` says why not.
        compared: how both sides were run.
    """

    section: str
    what: str
    unit: str
    ours: Series | None
    other: Series | None
    compared: str
    missing: str = ""

    @property
    def ratio(self) -> float | None:
        """Our median over the other's; None where one of them is missing."""
        if self.ours is None or self.other is None or self.other.median == 0:
            return None
        return self.ours.median / self.other.median

    def as_json(self) -> dict[str, Any]:
        """The row as plain data, all repeats included."""
        return {
            "section": self.section,
            "what": self.what,
            "unit": self.unit,
            "ours": _series(self.ours),
            "other": _series(self.other),
            "ratio": self.ratio,
            "compared": self.compared,
            "missing": self.missing,
        }


def _series(series: Series | None) -> dict[str, Any] | None:
    if series is None:
        return None
    return {
        "name": series.name,
        "median": series.median if math.isfinite(series.median) else None,
        "values": list(series.values),
        "seconds": list(series.seconds),
        "details": dict(series.details),
    }
