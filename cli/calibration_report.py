"""The output of ``maieutic calibrate``: a report and a weights file."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import typer
from rich.table import Column, Table

from maieutic.benchmarks.analysis.formatting import percent_with_interval
from maieutic.benchmarks.analysis.statistics import RESAMPLES
from maieutic.benchmarks.calibration.calibrate import Calibration
from maieutic.benchmarks.calibration.study import StudyRow
from maieutic.cli.console import complain, table_console
from maieutic.errors import MaieuticError
from maieutic.inference.weights import JointWeights, weights_toml
from maieutic.render.text import printable

__all__ = ["print_calibration", "write_weights"]

COLUMNS = ("accuracy", "half", "nll", "brier", "ece")


def print_calibration(learned: Calibration, *, json: bool) -> None:
    """Print a table for each kind of tree of each set, then the weights; or one JSON object."""
    if json:
        rows = [_plain(row) for row in learned.rows]
        typer.echo(jsonlib.dumps({"weights": asdict(learned.weights), "rows": rows}))
        return
    console = table_console()
    ordered = sorted(learned.rows, key=lambda row: (row.data, row.kind))
    for (data, kind), group in groupby(ordered, key=lambda row: (row.data, row.kind)):
        rows_of_kind = list(group)
        console.print()
        head = f"{data}, {kind}: {rows_of_kind[0].trees} trees"
        console.print(printable(head), markup=False, emoji=False)
        table = Table("", Column("accuracy %", no_wrap=True), "surer half %", "NLL", "Brier", "ECE")
        for row in rows_of_kind:
            table.add_row(printable(row.way), *(_cell(row, name) for name in COLUMNS))
        console.print(table)
    if learned.rows:
        console.print(f"intervals: 95 %, bootstrap of {RESAMPLES:,} resamples")
    console.print("learned from all files")
    for name, value in asdict(learned.weights).items():
        console.print(f"  {name:14} {value:.3f}")


def write_weights(out: Path, weights: JointWeights, command: str) -> None:
    """Write the weights with the command that learned them.

    Raises:
        MaieuticError: the file cannot be written.
    """
    try:
        out.write_text(weights_toml(weights, {"command": command}), encoding="utf-8")
    except OSError as error:
        problem = f"cannot write {out} ({error.strerror}); give --out a writable place"
        raise MaieuticError(problem, subject="--out") from None
    complain(f"wrote {out}")


def _cell(row: StudyRow, name: str) -> str:
    if name != "accuracy" and not row.probabilities:
        return "–"
    scale, digits = (100, 1) if name in ("accuracy", "half") else (1, 3)
    text = f"{scale * row.mean(name):.{digits}f}"
    if name == "accuracy":
        text = percent_with_interval(row.mean(name), row.interval)
    return text if len(row.scores) == 1 else f"{text} ±{scale * row.spread(name) / 2:.{digits}f}"


def _plain(row: StudyRow) -> dict[str, object]:
    names = COLUMNS if row.probabilities else ("accuracy",)
    means = {name: row.mean(name) for name in names}
    spreads = {f"{name}_spread": row.spread(name) for name in names}
    about = {"data": row.data, "kind": row.kind, "way": row.way, "trees": row.trees}
    return about | means | spreads | {"accuracy_interval": asdict(row.interval)}
