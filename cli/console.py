"""Printing for all commands: answers on stdout, progress and warnings on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from maieutic.answer import Answer
from maieutic.errors import InputError
from maieutic.progress import Step
from maieutic.render.text import printable, show
from maieutic.render.words import tell

if TYPE_CHECKING:
    from pathlib import Path

    from maieutic.cache.store import ResponseStore
    from maieutic.memory.base import Memory

__all__ = [
    "LiveSteps",
    "Pulse",
    "complain",
    "open_memory",
    "print_answers",
    "response_cache",
    "table_console",
    "tracked",
    "with_flips",
]

EVERY = 60.0  # seconds between two lines of a command without a terminal
FULL_WIDTH = 10_000  # characters; no line of a table is longer

T = TypeVar("T")


@dataclass(slots=True)
class LiveSteps:
    """Shows each step that ends beside a progress bar, so that a long batch is seen to move.

    Attributes:
        show: receives the text; None while there is no bar.
    """

    show: Callable[[str], None] | None = None

    def __call__(self, step: Step) -> None:
        if self.show is not None:
            self.show(f"{step.name} × {step.items}, {step.seconds:.0f} s")


@dataclass(slots=True)
class Pulse:
    """A line on stderr now and then, where there is no terminal that could show a progress bar.

    Attributes:
        clock: in seconds.
        last: when the last line was printed, or the start.
    """

    clock: Callable[[], float] = time.monotonic
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.clock()

    def __call__(self, text: str) -> None:
        """Print the text, if the last line is a while ago."""
        now = self.clock()
        if now - self.last >= EVERY:
            complain(text)
            self.last = now


def tracked(
    items: Iterable[T],
    description: str,
    total: int | None = None,
    *,
    printing: bool = False,
    steps: LiveSteps | None = None,
    pulse: Pulse | None = None,
) -> Iterator[T]:
    """The items, with a progress bar on stderr if that is a terminal; else ``pulse`` prints lines.

    With ``printing`` the bar disappears while the caller handles an item and may print. ``steps`` are shown
    in place of the description.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(description, total=total)
        if steps is not None:
            steps.show = lambda text: bar.update(task, description=text)
        for number, item in enumerate(items, 1):
            bar.advance(task)
            if pulse is not None and not console.is_terminal:
                pulse(f"{description}: {number:,}" + ("" if total is None else f" of {total:,}"))
            if printing:
                bar.stop()
            yield item
            if printing:
                bar.start()


def table_console() -> Console:
    """Prints tables on stdout: as wide as a terminal, and whole where it is none (a pipe, a file)."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=FULL_WIDTH)


def complain(message: str) -> None:
    """Print a message on stderr, with characters that could control the terminal escaped."""
    typer.echo("\n".join(map(printable, message.split("\n"))), err=True)


def response_cache() -> ResponseStore:
    """The user's cache of models' replies; its notices are printed on stderr as warnings."""
    from maieutic.cache.store import ResponseStore

    return ResponseStore(on_notice=lambda notice: complain(f"warning: {notice}"))


def open_memory(path: Path | None, *, new: bool = True) -> Memory | None:
    """The memory in a file; its notices are printed on stderr as warnings. None without a file.

    Args:
        new: whether the file may be missing.

    Raises:
        InputError: it is missing.
    """
    from maieutic.memory.base import Memory

    if path is None:
        return None
    if not new and not path.exists():
        problem = f"there is no memory {path}; name one, or make it with maieutic ask --memory"
        raise InputError(problem, subject=str(path))
    return Memory(path, on_notice=lambda notice: complain(f"warning: {notice}"))


def with_flips(answers: Iterable[Answer]) -> Iterator[Answer]:
    """The answers with the flip of each; where there is none, a message on stderr says why."""
    from maieutic.errors import MaieuticError
    from maieutic.inference.flips import with_flip

    for answer in answers:
        if answer.verdict.margin_unit != "nats":
            complain(f"{answer.verdict.inference} inference has no flip: {answer.statement}")
        try:
            yield with_flip(answer)
        except MaieuticError as error:
            complain(f"warning: {error}")
            yield answer


def print_answers(answers: Iterable[Answer], *, json: bool, verbose: bool = False) -> None:
    """Print each answer as it comes: in plain words, or as one JSON object a line.

    Args:
        verbose: whether the tree, the beliefs and the constraints follow the words.

    Raises:
        typer.Exit: with code 130 after Ctrl-C.
    """
    console = Console()
    printed = 0
    try:
        for answer in answers:
            if json:
                typer.echo(answer.to_json())
            else:
                if printed:
                    console.rule(style="dim")
                tell(answer, console)
                if verbose:
                    console.print()
                    show(answer, console)
            printed += 1
            if answer.warnings and json:
                complain(f"warning: {answer.statement} {'; '.join(answer.warnings)}")
    except KeyboardInterrupt:
        typer.echo(f"interrupted after {printed} answers", err=True)
        raise typer.Exit(130) from None
