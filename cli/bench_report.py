"""What ``maieutic bench run`` prints and writes: accuracy by method, paired tests, nodes."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import typer
from rich.console import Console
from rich.table import Table

from maieutic.benchmarks.agora.methods import Method
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.run import NodeCounts, Record, count_nodes
from maieutic.benchmarks.agora.world import World
from maieutic.benchmarks.statistics import mcnemar
from maieutic.cli.console import complain, tracked
from maieutic.errors import InputError
from maieutic.records import dump_json
from maieutic.render.text import printable

__all__ = ["BenchReport", "open_records"]


@contextmanager
def open_records(path: Path | None) -> Iterator[IO[str] | None]:
    """The new file for records, None for no path.

    Raises:
        InputError: the file exists or cannot be made.
    """
    if path is None:
        yield None
        return
    try:
        file = path.open("x", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be made ({error.strerror}); give --out a new file") from error
    with file:
        yield file


@dataclass
class BenchReport:
    """Follows a run to its end, or to Ctrl-C, and prints what was found until then."""

    world: World
    methods: Sequence[Method]
    split: str
    models: tuple[str, str]
    json: bool
    records: dict[Method, list[Record]] = field(default_factory=dict)

    def warn(self, message: str) -> None:
        """One line on stderr."""
        complain(f"warning: {message}")

    def follow(self, run: Iterable[list[Record]], file: IO[str] | None, total: int) -> None:
        """Write every record as it comes, then print the report.

        Raises:
            typer.Exit: with code 130 after Ctrl-C.
        """
        self.records = {method: [] for method in self.methods}
        done, interrupted = 0, False
        try:
            for records in tracked(run, "bench", total):
                for record in records:
                    self.records[record.method].append(record)
                    if file is not None:
                        file.write(dump_json(record) + "\n")
                done += 1
        except KeyboardInterrupt:
            interrupted = True
            typer.echo(f"interrupted after {done} of {total} statements", err=True)
        if done:
            if self.json:
                typer.echo(jsonlib.dumps(self.summary()))
            else:
                self.print()
        if interrupted:
            raise typer.Exit(130)

    def summary(self) -> dict[str, Any]:
        """The report as JSON data."""
        lm, verifier = self.models
        return {
            "dataset": "agora",
            "split": self.split,
            "lm": lm,
            "verifier": verifier,
            "methods": [self._row(method) | self._node_fields(method) for method in self.methods],
        }

    def _row(self, method: Method) -> dict[str, Any]:
        records = self.records[method]
        right = [record.right for record in records]
        first = [record.right for record in self.records[self.methods[0]]]
        return {
            "method": method,
            "statements": len(records),
            "right": sum(right),
            "accuracy": sum(right) / len(right),
            "p_value": None if method == self.methods[0] else mcnemar(right, first),
            "seconds": sum(record.seconds for record in records) / len(records),
        }

    def _node_fields(self, method: Method) -> dict[str, Any]:
        nodes = self._nodes(method)
        return {"nodes": asdict(nodes)} if nodes else {}

    def _nodes(self, method: Method) -> NodeCounts | None:
        answers = [record.reasoning for record in self.records[method] if record.reasoning is not None]
        return count_nodes(Oracle(self.world), answers) if answers else None

    def print(self) -> None:
        """The report for people."""
        console = Console(highlight=False)
        lm, verifier = self.models
        title = printable(f"agora, {self.split} split, model {lm}, verifier {verifier}")
        console.print(title, markup=False, emoji=False)
        first = self.methods[0]
        table = Table("method", "right", "of", "accuracy", f"p vs {first}", "s each")
        for column in table.columns[1:]:
            column.justify = "right"
        for method in self.methods:
            row = self._row(method)
            p = "" if row["p_value"] is None else f"{row['p_value']:.2g}"
            accuracy = f"{100 * row['accuracy']:.1f} %"
            cells = (str(row["right"]), str(row["statements"]), accuracy, p, f"{row['seconds']:.3f}")
            table.add_row(method, *cells)
        console.print(table)
        for method in self.methods:
            nodes = self._nodes(method)
            if nodes is not None and nodes.nodes:
                console.print(_sentence(method, nodes), markup=False, emoji=False)


def _sentence(method: Method, nodes: NodeCounts) -> str:
    def share(part: int, whole: int) -> str:
        return f"{100 * part / whole:.1f} %" if whole else "–"

    others = nodes.nodes - nodes.integral
    by_belief = nodes.by_belief - nodes.integral_by_belief
    return (
        f"{method}: of {nodes.nodes} explanations with a known truth value {share(nodes.true, nodes.nodes)} "
        f"are true; labelled rightly by raw beliefs {share(nodes.by_belief, nodes.nodes)}, after solving "
        f"{share(nodes.by_label, nodes.nodes)}. Beliefs are right on "
        f"{share(nodes.integral_by_belief, nodes.integral)} of the integral ones and on "
        f"{share(by_belief, others)} of the others. {nodes.unknown} explanations have no known truth value."
    )
