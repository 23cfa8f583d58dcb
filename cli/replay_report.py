"""What ``maieutic replay`` prints: accuracy by kind, agreement with a reference, as text or JSON."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from maieutic.answer import Answer
from maieutic.benchmarks.replay import Record, Tally, tally
from maieutic.benchmarks.replay_files import RecordFiles
from maieutic.cli.console import tracked
from maieutic.render.text import printable

__all__ = ["ReplayReport"]


@dataclass
class ReplayReport:
    """Follows a replay to its end, or to Ctrl-C, and prints what was found until then."""

    trees: Path
    inference: str
    verifier: str
    references: Mapping[int, bool]
    json: bool
    records: list[Record] = field(default_factory=list)

    def follow(self, run: Iterable[tuple[Record, Answer]], files: RecordFiles, total: int) -> None:
        """Write every record as it comes, then print the report.

        Raises:
            typer.Exit: with code 130 after Ctrl-C.
        """
        start = time.perf_counter()
        interrupted = False
        try:
            for record, answer in tracked(run, f"replay ({self.inference})", total):
                files.write(record, answer)
                self.records.append(record)
        except KeyboardInterrupt:
            interrupted = True
            typer.echo(f"interrupted after {len(self.records)} of {total} trees", err=True)
        seconds = time.perf_counter() - start
        if self.json:
            typer.echo(jsonlib.dumps(self.summary(seconds), ensure_ascii=False))
        else:
            self.print(seconds)
        if interrupted:
            raise typer.Exit(130)

    def summary(self, seconds: float) -> dict[str, Any]:
        """The report as JSON data."""
        rows = [asdict(row) | {"accuracy": row.accuracy} for row in tally(self.records)]
        summary: dict[str, Any] = {
            "trees": str(self.trees),
            "inference": self.inference,
            "verifier": self.verifier,
            "seconds": seconds,
            "kinds": rows,
        }
        if self.references:
            compared, differing = self.compared()
            summary["reference"] = {"compared": compared, "differing": [asdict(r) for r in differing]}
        return summary

    def print(self, seconds: float) -> None:
        """The report for people."""
        console = Console(highlight=False)
        console.print(
            printable(f"{self.trees.name}, {self.inference}, verifier {self.verifier}"),
            markup=False,
            emoji=False,
        )
        table = Table("kind", *("trees", "scored", "correct", "accuracy"))
        for column in table.columns[1:]:
            column.justify = "right"
        for row in tally(self.records):
            table.add_row(row.kind, str(row.trees), str(row.scored), str(row.correct), _percent(row))
        console.print(table)
        console.print(f"{seconds:.1f} s")
        if self.references:
            self.print_agreement(console)

    def compared(self) -> tuple[int, list[Record]]:
        """How many records have a reference answer, and those that differ from it."""
        known = [record for record in self.records if record.line in self.references]
        differing = [record for record in known if record.answer != self.references[record.line]]
        return len(known), differing

    def print_agreement(self, console: Console) -> None:
        """How often the reference answers the same, and the questions where it does not."""
        compared, differing = self.compared()
        same = compared - len(differing)
        share = f" ({100 * same / compared:.2f} %)" if compared else ""
        console.print(f"same answer as the reference: {same} of {compared}{share}")
        for record in differing:
            text = f"line {record.line}: {record.answer}, margin {record.margin:g} {record.margin_unit}"
            console.print(f"  {text}: {printable(record.question)}", markup=False, emoji=False)


def _percent(row: Tally) -> str:
    return "–" if row.accuracy is None else f"{100 * row.accuracy:.1f} %"
