"""``maieutic bench``: compare methods on statements with gold answers."""

from __future__ import annotations

import typer

from maieutic.cli.bench.choose import choose
from maieutic.cli.bench.compare import compare
from maieutic.cli.bench.datasets import datasets
from maieutic.cli.bench.report import report
from maieutic.cli.bench.run import run

__all__ = ["bench"]

bench = typer.Typer(help="Compare methods on data sets.", no_args_is_help=True)


@bench.callback()
def _bench() -> None:
    """Compare methods on data sets."""


for command in (run, choose, compare, report, datasets):
    bench.command()(command)
