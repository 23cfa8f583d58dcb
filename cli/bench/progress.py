"""Progress bars of ``maieutic bench run``, and its handling of Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from maieutic.benchmarks.datasets.fetch import OnProgress
from maieutic.benchmarks.runs.folder import RunFolder, Written
from maieutic.cli.console import LiveSteps, Pulse, complain
from maieutic.render.text import printable

__all__ = ["download_bar", "tracked_records"]


@contextmanager
def download_bar() -> Iterator[OnProgress]:
    """Show downloads: a progress bar for each file on a terminal, a line for each elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def on_progress(name: str, here: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(printable(name), total=size)
                if not console.is_terminal:
                    complain(f"fetching {name}, {size / 1e6:.1f} MB")
            bar.update(tasks[name], completed=here)

        yield on_progress


def tracked_records(
    batches: Iterator[Sequence[Written]], folder: RunFolder, total: int, steps: LiveSteps
) -> None:
    """Exhaust the batches, with a progress bar on stderr if that is a terminal, else a line now and then.

    Args:
        steps: what the batches report to; the last one is shown.
        folder: the run's, which may have records of earlier starts.
        total: number of questions in the run.
    """
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[right]:.1f} % correct"),
        TextColumn("{task.fields[speed]:.0f} per minute"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    start = len(folder.answered)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total, completed=start, right=0.0, speed=0.0)
        steps.show = lambda text: bar.update(task, description=text)
        pulse = Pulse()
        for _ in batches:
            done = len(folder.answered)
            speed = 60 * (done - start) / (bar.tasks[task].elapsed or 1.0)
            share = 100 * folder.right / done
            bar.update(task, completed=done, right=share, speed=speed)
            if not console.is_terminal and done < total:
                pulse(f"{done:,} of {total:,} questions, {share:.1f} % correct")
