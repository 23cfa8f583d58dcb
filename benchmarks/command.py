"""How the commands of this folder (``python -m maieutic.benchmarks.…``) run."""

from __future__ import annotations

import typer

from maieutic.checkpoints.process import prepare_process
from maieutic.errors import MaieuticError

__all__ = ["run_app"]


def run_app(app: typer.Typer) -> None:
    """Run a command line; errors of the project become one line and an exit code."""
    prepare_process()
    try:
        app()
    except MaieuticError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
