"""Ctrl-C in commands that finish a batch first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from maieutic.cli.console import complain

__all__ = ["until_interrupted"]


@contextmanager
def until_interrupted() -> Iterator[list[int]]:
    """A list that Ctrl-C adds an item to; a second Ctrl-C interrupts at once.

    Raises:
        typer.Exit: with code 130 after the second Ctrl-C.
    """
    signals: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)
        complain("finishing the batch; press Ctrl-C again to stop at once")

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield signals
    except KeyboardInterrupt:
        complain("interrupted; the records stay, and the same command continues from there")
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)
