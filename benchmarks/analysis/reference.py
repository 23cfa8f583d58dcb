"""Another implementation's answers as a run, to compare with one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import parse_json

__all__ = ["Agreement", "ReferenceAnswer", "agreement", "read_reference"]


@dataclass(frozen=True, slots=True)
class ReferenceAnswer:
    """Another implementation's answer to the question of line ``row`` + 1; other fields are ignored."""

    row: int
    vote: bool

    @classmethod
    def from_json(cls, text: str | bytes) -> ReferenceAnswer:
        """Read one line.

        Raises:
            InputError: one of the two is missing or of another type.
        """
        answer = parse_json(cls, text)
        if answer.row < 0:
            raise InputError(f"row must be ≥ 0, not {answer.row}", subject="row")
        return answer


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a run and the reference give the same answer.

    Attributes:
        compared: questions that both have a record of, gold answer or not.
        differing: the run's records of those with another answer, or with none.
    """

    run: str
    compared: int
    differing: tuple[Record, ...]

    @property
    def same(self) -> int:
        """Questions with the same answer."""
        return self.compared - len(self.differing)


def read_reference(path: Path, like: Run) -> Run:
    """The answers in a file with ``{"row": 0, "vote": true}`` a line, as a run on the questions of another.

    A row is the index, from 0, of the question's line. The ids of the questions must therefore be line
    numbers from 1, as for the data set ``trees``.

    Raises:
        FileFormatError: the file cannot be read, a line is not of that form or repeats a row, or no
            row belongs to a question.
    """
    votes: dict[str, bool] = {}
    for line, answer in read_records(path, ReferenceAnswer.from_json):
        if votes.setdefault(str(answer.row + 1), answer.vote) != answer.vote:
            raise FileFormatError(path, line, f"row {answer.row} has two answers; remove one of the lines")
    records = tuple(
        Record(record.id, record.text, record.gold, record.pair, votes[record.id])
        for record in like.records
        if record.id in votes
    )
    if not records:
        raise FileFormatError(
            path, None, f"none of its rows is a question of {like.folder}; give the reference for its data"
        )
    return Run("reference", path, like.config, records)


def agreement(name: str, records: Sequence[Record], reference: Run) -> Agreement:
    """Compare the answers of a run, called ``name``, with those of the reference."""
    votes = {record.id: record.answer for record in reference.records}
    known = [record for record in records if record.id in votes]
    return Agreement(name, len(known), tuple(r for r in known if r.answer != votes[r.id]))
