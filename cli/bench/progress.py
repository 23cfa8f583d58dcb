"""What ``maieutic bench run`` does: load, answer batch by batch, write, and report."""

from __future__ import annotations

import json as jsonlib
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import typer
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

from maieutic.benchmarks.datasets import Loaded, load_items
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.datasets.fetch import OnProgress
from maieutic.benchmarks.methods.base import Method
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder
from maieutic.benchmarks.runs.models import device_of, method_of, models_of, server_of
from maieutic.benchmarks.runs.provenance import facts
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import Estimate, draw, estimate, run, unanswered
from maieutic.cli.bench.summary import print_summary
from maieutic.cli.console import complain, response_cache
from maieutic.render.text import printable

__all__ = ["follow", "preview"]


def follow(config: RunConfig, out: Path, *, download: bool, cached: bool, json: bool) -> None:
    """Run what has no record yet, then report on all of it.

    Args:
        cached: whether models answer from the response cache what it has, and add to it.

    Raises:
        typer.Exit: with code 130 after Ctrl-C, once the batch is finished and written.
    """
    loaded, asked, method = _prepared(config, download=download)
    with RunFolder(out, config) as folder, _until_interrupted() as interrupted:
        open_items = unanswered(asked, folder.records)
        if folder.records and open_items:
            complain(f"going on: {len(folder.records)} of {len(asked)} questions have been answered before")
        if open_items:
            cache = response_cache() if cached else None
            models = models_of(config, download=download, cache=cache)
            folder.write_facts(facts(config, loaded, len(asked), device_of(models), server_of(models)))
            batches = run(open_items, method, models, config.batch, lambda: bool(interrupted), cache)
            for records in _tracked(batches, folder.records, len(asked)):
                folder.write(records)
        if folder.records:
            print_summary(config, folder.folder, folder.records, json=json)
    if interrupted:
        done = f"{len(folder.records)} of {len(asked)} questions are answered"
        complain(f"interrupted: {done}, in {out}; the same command goes on from there")
        raise typer.Exit(130)


def preview(config: RunConfig, *, download: bool, json: bool) -> None:
    """Ask a sample, and say what the whole run would take; nothing is written, no cache is asked."""
    _, asked, method = _prepared(config, download=download)
    models = models_of(config, download=download)
    guess = estimate(asked, method, models, config.batch, config.seed)
    if json:
        typer.echo(jsonlib.dumps(asdict(guess)))
    else:
        typer.echo(_sentence(guess))


def _sentence(guess: Estimate) -> str:
    usage = guess.usage
    return (
        f"about {guess.minutes:.1f} minutes for {guess.questions:,} questions, from a sample of "
        f"{guess.sampled}: {usage.calls:,} calls of the language model with {usage.prompt_tokens:,} prompt "
        f"and {usage.generated_tokens:,} generated tokens, and {usage.pairs:,} pairs for the verifier"
    )


def _prepared(config: RunConfig, *, download: bool) -> tuple[Loaded, list[Item], Method]:
    """Everything that can be found wrong before models load."""
    data = Path(config.data) if config.data else None
    with _download_bar() as on_progress:
        loaded = load_items(
            config.dataset, data=data, split=config.split, download=download, on_progress=on_progress
        )
    for name in loaded.edited:
        complain(f"warning: {name} is not the file that was published; its rows are read as they are")
    asked = draw(loaded.items, config.limit, config.seed)
    return loaded, asked, method_of(config, asked)


@contextmanager
def _download_bar() -> Iterator[OnProgress]:
    """A bar on a terminal for every file that is fetched, with its size; a line for each elsewhere."""
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


def _tracked(batches: Iterator[list[Record]], before: Sequence[Record], total: int) -> Iterator[list[Record]]:
    """The batches, with a progress bar on stderr when that is a terminal."""
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[right]:.1f} % right"),
        TextColumn("{task.fields[speed]:.0f} a minute"),
        TimeRemainingColumn(),
    )
    right, done = sum(record.right for record in before), len(before)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total, completed=done, right=0.0, speed=0.0)
        for records in batches:
            yield records
            right, done = right + sum(record.right for record in records), done + len(records)
            elapsed = bar.tasks[task].elapsed or 1.0
            speed = 60 * (done - len(before)) / elapsed
            bar.update(task, completed=done, right=100 * right / done, speed=speed)


@contextmanager
def _until_interrupted() -> Iterator[list[int]]:
    """A list that Ctrl-C puts something in; a second one interrupts at once."""
    signals: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)
        complain("finishing the batch; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield signals
    except KeyboardInterrupt:
        complain("interrupted; what was written stays, and the same command goes on from there")
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)
