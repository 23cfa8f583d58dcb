"""Measuring the method: data sets, methods, runs, statistics and reports; calibration; the bundled world."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["run_app"]


def run_app(app: Callable[[], object]) -> None:
    """Run a command of this folder; an error of the project becomes one line and an exit code."""
    import typer  # noqa: PLC0415 - keeps the package light

    from maieutic.checkpoints.process import prepare_process  # noqa: PLC0415
    from maieutic.errors import MaieuticError  # noqa: PLC0415

    prepare_process()
    try:
        app()
    except MaieuticError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
