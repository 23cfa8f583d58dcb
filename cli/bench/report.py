"""``maieutic bench report``: one offline page about runs, with every question and its trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.bench.options import BaselineOption, BootstrapSeedOption, RunsArgument
from maieutic.cli.options import OUTPUT

__all__ = ["report"]


def report(
    runs: RunsArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="HTML file to write; must not exist.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ],
    plots: Annotated[
        Path | None,
        typer.Option(
            "--plots",
            metavar="DIR",
            help="Also write the plots to this folder, as PNG and SVG.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ] = None,
    baseline: BaselineOption = None,
    seed: BootstrapSeedOption = 0,
) -> None:
    """Write a page about runs: tables, plots, and each question with every answer and tree.

    maieutic bench report runs/direct runs/maieutic --out report.html
    """
    from maieutic.benchmarks.analysis.comparison import compare
    from maieutic.benchmarks.report.page import report_page
    from maieutic.benchmarks.report.plots import figures, save_plots
    from maieutic.benchmarks.runs.folder import read_run
    from maieutic.cli.console import complain

    _check(out, plots)
    with _status() as show:
        read = []
        for folder in runs:
            show(f"reading {folder}")
            read.append(read_run(folder))
        show("comparing")
        comparison = compare(read, baseline=baseline, seed=seed)
        show("drawing")
        drawn = figures(read, comparison)
        page = report_page(read, comparison, drawn).encode()
        _write(out, page)
        if plots is not None:
            save_plots(drawn, plots)
    plots_written = "" if plots is None else f", and {len(drawn)} plots to {plots}"
    complain(f"wrote {out} ({len(page) / 1e6:.1f} MB){plots_written}")


def _check(out: Path, plots: Path | None) -> None:
    """Refuse outputs that cannot be written, before the long work."""
    from maieutic.errors import InputError

    if out.exists() or out.is_symlink():
        raise InputError(f"--out: {out} exists already; give a new name, or move it away", subject="--out")
    if not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}; make it first", subject="--out")
    if plots is not None and plots.exists() and not plots.is_dir():
        raise InputError(f"--plots: {plots} is not a folder; give another", subject="--plots")


def _write(path: Path, page: bytes) -> None:
    from maieutic.errors import InputError, MaieuticError

    try:
        file = path.open("xb")
    except OSError as error:
        problem = f"--out: {path} cannot be created ({error.strerror}); give another"
        raise InputError(problem, subject="--out") from None
    try:
        with file:
            file.write(page)
    except OSError as error:
        with suppress(OSError):
            path.unlink()  # an incomplete page is useless
        problem = f"{path} cannot be written ({error.strerror}); make room and try again"
        raise MaieuticError(problem, subject="--out") from None


@contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """Shows the current step in one line on a terminal, and nothing elsewhere."""
    from rich.console import Console
    from rich.markup import escape

    from maieutic.render.text import printable

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda what: status.update(escape(printable(what)))
