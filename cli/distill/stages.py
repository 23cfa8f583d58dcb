"""What the stages of ``maieutic distill`` share: options, progress, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from maieutic.cli.console import Pulse, complain
from maieutic.cli.interrupting import until_interrupted
from maieutic.errors import MaieuticError

__all__ = ["OutOption", "RelationsOption", "TriplesArgument", "finished"]

T = TypeVar("T")

OutOption = Annotated[
    Path, typer.Option("--out", help="Folder of the stage: a new one, or that of a stopped run.")
]
RelationsOption = Annotated[
    str | None,
    typer.Option(
        "--relations",
        help="Relations: agora, atomic, or a TOML file.",
        show_default="agora for --lm agora, else atomic",
    ),
]
TriplesArgument = Annotated[
    Path,
    typer.Argument(
        help="JSON lines, triples.jsonl of generate.",
        metavar="TRIPLES",
        show_default=False,
    ),
]


def finished(
    states: Callable[[Callable[[], bool]], Iterator[T]], total: int, left: Callable[[T], int], what: str
) -> T:
    """The last state of a stage, with progress on stderr.

    Args:
        states: makes the states, given what says whether to stop.
        total: units of work; ``left``: how many of them a state lacks.
        what: the units, for people.

    Raises:
        typer.Exit: with code 130 after Ctrl-C, once the batch is finished and written.
        MaieuticError: the stage failed; what was finished stays.
    """
    pulse, last = Pulse(), None
    with until_interrupted() as interrupted:
        for state in states(lambda: bool(interrupted)):
            last = state
            pulse(f"{total - left(state):,} of {total:,} {what}")
    if last is None:
        raise MaieuticError(f"there was nothing to do: no {what}")
    if interrupted and left(last):
        done = f"{total - left(last):,} of {total:,} {what} are finished"
        complain(f"interrupted: {done}; the same command continues from there")
        raise typer.Exit(130)
    return last
