"""``maieutic bench report``: runs as one page that works offline, with every question and its trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs of one data set.", metavar="RUN...")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The page, HTML; a new file.", show_default=False)
    ],
    plots: Annotated[
        Path | None,
        typer.Option(
            "--plots", metavar="DIR", help="Write the plots here too, PNG and SVG.", show_default=False
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            help="Test the other runs against this one alone: its name or folder.",
            show_default="each against each",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the bootstrap.", min=0)] = 0,
) -> None:
    """Put runs on a page: tables, plots, and each question with every answer and tree.

    maieutic bench report runs/direct runs/maieutic --out report.html
    """
    from maieutic.benchmarks.analysis.comparison import compare
    from maieutic.benchmarks.report.page import report_page
    from maieutic.benchmarks.report.plots import figures, save_plots
    from maieutic.benchmarks.runs.folder import read_run
    from maieutic.cli.console import complain

    _check(out, plots)
    with _telling() as tell:
        found = []
        for folder in runs:
            tell(f"reading {folder}")
            found.append(read_run(folder))
        tell("comparing")
        comparison = compare(found, baseline=baseline, seed=seed)
        tell("drawing")
        drawn = figures(found, comparison)
        page = report_page(found, comparison, drawn).encode()
        _write(out, page)
        if plots is not None:
            save_plots(drawn, plots)
    beside = "" if plots is None else f", and {len(drawn)} plots to {plots}"
    complain(f"wrote {out} ({len(page) / 1e6:.1f} MB){beside}")


def _check(out: Path, plots: Path | None) -> None:
    """Refuse what cannot be written, before anything that takes long."""
    from maieutic.errors import InputError

    if out.exists() or out.is_symlink():
        raise InputError(f"--out: {out} exists already; give a new name, or move it away")
    if not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}; make it first")
    if plots is not None and plots.exists() and not plots.is_dir():
        raise InputError(f"--plots: {plots} is no folder; name another")


def _write(path: Path, page: bytes) -> None:
    from maieutic.errors import InputError, MaieuticError

    try:
        file = path.open("xb")
    except OSError as error:
        raise InputError(f"--out: {path} cannot be made ({error.strerror}); name another") from None
    try:
        with file:
            file.write(page)
    except OSError as error:
        with suppress(OSError):
            path.unlink()  # half a page is no page
        raise MaieuticError(f"{path} cannot be written ({error.strerror}); make room and try again") from None


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """What is being done, in one line on a terminal, and nothing elsewhere."""
    from rich.console import Console
    from rich.markup import escape

    from maieutic.render.text import printable

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda what: status.update(escape(printable(what)))
