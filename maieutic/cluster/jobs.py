"""What workers do: open the models once, then judge rows. Jobs are sent to the workers by pickle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Job", "Judge", "Result", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """A piece of work.

    Attributes:
        key: unique among the rows.
        payload: what the job needs to know, as bytes.
    """

    key: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a row.

    Attributes:
        line: JSON, without a newline.
        right: whether it counts as correct, for the display of progress.
    """

    key: str
    line: bytes
    right: bool = False


class Judge(Protocol):
    """Opened models."""

    @property
    def facts(self) -> str:
        """What there is to know about the models, as JSON; the same in all workers."""
        ...

    def judge(self, rows: Sequence[Row]) -> list[Result]:
        """The results of rows that are judged together, in their order.

        Raises:
            ServerError: a model's server failed; the run ends, and the rows stay open.
            MaieuticError: a row cannot be judged; rows that were judged together are tried alone.
        """
        ...


class Job(Protocol):
    """How to make a judge, and what to record where there is no judgement."""

    def open(self) -> Judge:
        """Open the models.

        Raises:
            MaieuticError: a model cannot be opened; the run ends.
        """
        ...

    def failed(self, row: Row, problem: str) -> Result:
        """The result of a row without a judgement."""
        ...
