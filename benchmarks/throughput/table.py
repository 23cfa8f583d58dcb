"""The table: for people on a terminal, as Markdown elsewhere, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from maieutic.benchmarks.throughput.rows import Row, Series
from maieutic.render.text import printable

__all__ = ["as_json", "as_markdown", "show"]

COLUMNS = ("what", "maieutic", "the other", "ratio", "compared")
FORMAT = 1  # of the JSON file


def as_json(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Everything that was measured, every repeat included."""
    return json.dumps({"format": FORMAT, **about, "rows": [row.as_json() for row in rows]}, indent=1)


def as_markdown(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """The table with a line about the machine and the models above it."""
    lines = [*headings(about), "", f"| {' | '.join(COLUMNS)} |", "| --- | ---: | ---: | ---: | --- |"]
    for row in rows:
        cells = (cell.replace("|", "\\|") for cell in _cells(row))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def show(console: Console, about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Print the table on a terminal."""
    for line in headings(about):
        console.print(Text(line))
    table = Table(show_lines=True)
    for column in COLUMNS:
        number = column in COLUMNS[1:4]
        table.add_column(
            column, justify="right" if number else "left", no_wrap=column in {"maieutic", "ratio"}
        )
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    console.print(table)


def headings(about: Mapping[str, Any]) -> list[str]:
    """The machine, the models, the sizes."""
    machine, lm, nli = about["machine"], about["lm"], about["verifier"]
    versions = f"torch {machine['torch']}, transformers {machine['transformers']}"
    return [
        printable(line)
        for line in (
            f"{machine['device']}, {machine['threads']} threads; {versions}",
            f"language model: {lm['name']}, {lm['parameters'] / 1e6:,.0f} M parameters, {lm['dtype']}; "
            f"tokenizer: {lm['tokenizer']}; prompts: {lm['prompts']}",
            f"verifier: {nli['name']}, {nli['parameters'] / 1e6:,.0f} M parameters, {nli['dtype']}",
            f"medians of {about['repeats']} repeats, sides in turns; a ratio above 1 favours maieutic; "
            "of costs it says how much more they are, of steps and of the hardware's rates it is the share",
        )
    ]


def _cells(row: Row) -> tuple[str, ...]:
    other = f"{_number(row.other)} ({row.other.name})" if row.other else printable(row.missing)
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    return (
        f"{row.what}, {row.unit}",
        _number(row.ours) if row.ours else "",
        other,
        ratio,
        printable(row.compared),
    )


def _number(series: Series) -> str:
    value = series.median
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
