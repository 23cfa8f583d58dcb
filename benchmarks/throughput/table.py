"""The results of the benchmark: rows with all their repeats, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from statistics import median
from typing import Any, Literal

from maieutic.render.text import printable

__all__ = ["Series", "TableRow", "as_json", "as_markdown"]

FORMAT = 1  # of the JSON file


@dataclass(frozen=True, slots=True)
class Series:
    """One side of a row.

    Attributes:
        name: of the implementation.
        values: one for each repeat, in the row's unit.
        seconds: of each repeat; empty if not timed.
        details: batch size, number format, largest difference of a probability, and so on.
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
        """The values multiplied by ``factor``, with more details."""
        values = tuple(value * factor for value in self.values)
        return Series(self.name, values, self.seconds, {**self.details, **details})


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of the table.

    Attributes:
        section: questions, choose, generate or verifier.
        what: what was measured; ``unit`` of both sides.
        ours: this engine.
        other: what it is compared with; None for nothing, or with the reason in ``missing``.
        note: how both sides were run.
        reads: meaning of the ratio: relative speed, relative cost, or the share of the device's capacity.
    """

    section: str
    what: str
    unit: str
    ours: Series
    other: Series | None
    note: str
    missing: str = ""
    reads: Literal["speed", "cost", "share"] = "speed"

    @property
    def ratio(self) -> float | None:
        """Our median over the other's; None where there is no other."""
        if self.other is None or self.other.median == 0:
            return None
        return self.ours.median / self.other.median


def as_json(about: Mapping[str, Any], rows: Sequence[TableRow]) -> str:
    """All results, with every repeat."""
    plain = [
        asdict(row)
        | {"medians": [side and side.median for side in (row.ours, row.other)], "ratio": row.ratio}
        for row in rows
    ]
    return json.dumps({"format": FORMAT, **about, "rows": plain}, indent=1)


def as_markdown(about: Mapping[str, Any], rows: Sequence[TableRow]) -> str:
    """The table, with the machine and the models above it and how each row was run below it."""
    head = ("", "what", "unit", "maieutic", "the other", "ratio")
    cells = [head, *map(_cells, range(1, 1 + len(rows)), rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join([*_headings(about), "", *lines, "", *_notes(rows)])


def _notes(rows: Sequence[TableRow]) -> list[str]:
    """How the rows were run; neighbours may share a note."""
    notes = []
    for note, group in groupby(enumerate(rows, 1), lambda numbered: numbered[1].note):
        first, *others = (number for number, _ in group)
        notes.append(f"- {first}{f'–{others[-1]}' if others else ''}: {printable(note)}")
    return notes


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"


def _headings(about: Mapping[str, Any]) -> list[str]:
    machine, lm, nli = about["machine"], about["lm"], about["verifier"]
    return [
        printable(line)
        for line in (
            f"{machine['gpu'] or machine['processor']}, {machine['threads']} threads; "
            f"torch {about['versions']['torch']}, transformers {about['versions']['transformers']}",
            f"language model: {lm['name']}, {_number(lm['parameters'] / 1e6)} M parameters, {lm['dtype']}, "
            f"prompts {lm['prompts']}",
            f"verifier: {nli['name']}, {_number(nli['parameters'] / 1e6)} M parameters, {nli['dtype']}",
            f"medians of {about['repeats']}, sides in turns; ratio: maieutic over the other",
        )
    ]


def _cells(number: int, row: TableRow) -> tuple[str, ...]:
    other = f"{_number(row.other.median)} {row.other.name}" if row.other else row.missing
    ratio = ""
    if row.ratio is not None:
        ratio = f"{row.ratio:.0%}" if row.reads == "share" else f"{row.ratio:.3g} ×"
    cells = (row.what, row.unit, _number(row.ours.median), other, ratio)
    return (str(number), *(printable(cell).replace("|", "\\|") for cell in cells))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
