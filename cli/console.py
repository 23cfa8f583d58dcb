"""What every command writes with: answers on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from maieutic.answer import Answer
from maieutic.render.text import printable, show

if TYPE_CHECKING:
    from maieutic.cache.store import ResponseStore

__all__ = ["complain", "print_answers", "response_cache", "tracked", "with_flips"]

T = TypeVar("T")


def tracked(
    items: Iterable[T], what: str, total: int | None = None, *, printing: bool = False
) -> Iterator[T]:
    """The items, with a progress bar on stderr when that is a terminal.

    With ``printing`` the bar is out of the way while the caller has an item, and may print.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            bar.advance(task)
            if printing:
                bar.stop()
            yield item
            if printing:
                bar.start()


def complain(message: str) -> None:
    """A message on stderr; it may quote a file, so characters that command a terminal are spelled out."""
    typer.echo("\n".join(map(printable, message.split("\n"))), err=True)


def response_cache() -> ResponseStore:
    """The user's cache of models' answers; what happens to it is told on stderr."""
    from maieutic.cache.store import ResponseStore

    return ResponseStore(on_notice=lambda notice: complain(f"warning: {notice}"))


def with_flips(answers: Iterable[Answer]) -> Iterator[Answer]:
    """The answers, each with what would change it; where that is not to be had, stderr says why."""
    from maieutic.errors import MaieuticError
    from maieutic.inference.flips import with_flip

    for answer in answers:
        if answer.inference != "joint":
            complain(f"{answer.inference} does not tell what would change its mind: {answer.statement}")
        try:
            yield with_flip(answer)
        except MaieuticError as error:
            complain(f"warning: {error}")
            yield answer


def print_answers(answers: Iterable[Answer], *, json: bool) -> None:
    """Print each answer as it comes: for people, or one JSON object a line.

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
                show(answer, console)
            printed += 1
    except KeyboardInterrupt:
        typer.echo(f"interrupted after {printed} answers", err=True)
        raise typer.Exit(130) from None
