"""The files around a replay: records written as they are made, answers of another implementation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from maieutic.answer import Answer
from maieutic.benchmarks.replay import Record, ReferenceAnswer
from maieutic.errors import InputError, MaieuticError
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import dump_json

__all__ = ["RecordFiles", "read_references"]


def read_references(path: Path) -> Mapping[int, bool]:
    """Answers by 1-based line of the tree, from a file with ``{"row": 0, "vote": true}`` a line.

    Raises:
        FileFormatError: the file cannot be read, or a line is not of that form.
    """
    read = read_records(path, ReferenceAnswer.from_json)
    return {reference.row + 1: reference.vote for _, reference in read}


class RecordFiles:
    """``records.jsonl`` (and ``answers.jsonl``) in a folder; each line is on disk before the next is made.

    Args:
        folder: made if missing; None writes nothing.
        answers: also write the full answers.

    Raises:
        InputError: on entering, if the folder cannot be written or holds records already.
    """

    def __init__(self, folder: Path | None, *, answers: bool = False) -> None:
        if answers and folder is None:
            raise InputError("--answers needs a folder to write to; add --out FOLDER")
        self._folder = folder
        self._names = ("records.jsonl", "answers.jsonl") if answers else ("records.jsonl",)
        self._files: list[IO[str]] = []

    def __enter__(self) -> RecordFiles:
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                for name in self._names:
                    self._files.append((self._folder / name).open("x", encoding="utf-8"))
            except FileExistsError as error:
                self._close()
                raise InputError(
                    f"{error.filename} exists already; give --out another folder, or move it away"
                ) from None
            except OSError as error:
                self._close()
                raise InputError(
                    f"cannot write to {self._folder} ({error.strerror}); give --out a folder you may write"
                ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def write(self, record: Record, answer: Answer) -> None:
        """Append one question's lines and flush them.

        Raises:
            MaieuticError: the disk is full, or the files are gone.
        """
        try:
            for file, text in zip(self._files, (dump_json(record), answer.to_json()), strict=False):
                file.write(text + "\n")
                file.flush()
        except OSError as error:
            raise MaieuticError(
                f"cannot go on writing to {self._folder} ({error.strerror}); make room and start again"
            ) from None

    def _close(self) -> None:
        """Close the files; one in which nothing was written is removed, so that a new try may make it."""
        for file in self._files:
            with suppress(OSError):  # told when it was written
                file.close()
            path = Path(file.name)
            if path.is_file() and path.stat().st_size == 0:
                path.unlink()
        self._files.clear()
