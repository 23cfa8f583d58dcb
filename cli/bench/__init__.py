"""``maieutic bench``: methods against each other on statements whose truth is known."""

from __future__ import annotations

import typer

from maieutic.cli.bench.compare import compare
from maieutic.cli.bench.datasets import datasets
from maieutic.cli.bench.report import report
from maieutic.cli.bench.run import run

__all__ = ["bench"]

bench = typer.Typer(help="Measure whether reasoning pays.", no_args_is_help=True)


@bench.callback()
def _bench() -> None:
    """Measure whether reasoning pays."""


for command in (run, compare, report, datasets):
    bench.command()(command)
