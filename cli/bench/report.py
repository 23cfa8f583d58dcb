"""``maieutic bench report``: one offline page about runs, with every question and its trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.bench.options import BaselineOption, BootstrapSeedOption, RunsArgument
from maieutic.cli.options import OUTPUT
from maieutic.cli.outputs import ForceOption, try_output, write_output

__all__ = ["report"]


def report(
    runs: RunsArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="HTML file to write.",
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
    force: ForceOption = False,
) -> None:
    """Write a page about runs: tables, plots, and each question with every answer and tree.

    maieutic bench report runs/direct runs/maieutic --out report.html
    """
    from maieutic.benchmarks.analysis.comparison import compare
    from maieutic.benchmarks.report.page import report_page
    from maieutic.benchmarks.report.plots import figures, save_plots
    from maieutic.benchmarks.report.sampling import in_full
    from maieutic.benchmarks.runs.brief import read_brief
    from maieutic.cli.console import complain

    try_output("--out", out, force=force)
    if plots is not None:
        _check_plots(plots, force=force)
    with _status() as show:
        read = []
        for folder in runs:
            show(f"reading {folder}")
            read.append(read_brief(folder))
        show("comparing")
        comparison = compare(read, baseline=baseline, seed=seed)
        show("reading trees")
        shown = in_full(read, seed)
        show("drawing")
        drawn = figures(read, comparison, shown)
        page = report_page(shown, comparison, drawn).encode()
        write_output(out, page, force=force)
        if plots is not None:
            save_plots(drawn, plots)
    plots_written = "" if plots is None else f", and {len(drawn)} plots to {plots}"
    complain(f"wrote {out} ({len(page) / 1e6:.1f} MB){plots_written}")


def _check_plots(plots: Path, *, force: bool) -> None:
    """Refuse a folder for plots that cannot be one, or that holds something already."""
    from maieutic.errors import InputError

    if plots.exists() and not plots.is_dir():
        raise InputError(f"--plots: {plots} is not a folder; give another", subject="--plots")
    if not force and plots.is_dir() and any(plots.iterdir()):
        problem = f"--plots: {plots} is not empty; give another folder, or overwrite plots with --force"
        raise InputError(problem, subject="--plots")


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
