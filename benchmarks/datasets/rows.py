"""Rows of data files: JSON lines or one JSON array, plain or gzipped, parsed strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from maieutic.benchmarks.datasets.base import Item
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_text import parse_json
from maieutic.files.reading import open_data
from maieutic.text import as_question

__all__ = ["FileRow", "checked", "find_file", "need_file", "read_content", "read_rows"]

T = TypeVar("T")

_REMEDY = "correct or remove the {}, or fetch the file again"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One unparsed record of a file.

    Attributes:
        number: 1-based number of the line, or of the row within an array.
        unit: what ``number`` counts.
        json: the text of the record.
    """

    path: Path
    number: int
    unit: Literal["line", "row"]
    json: bytes

    def parse(self, cls: type[T]) -> T:
        """Parse the row as the dataclass ``cls``.

        Raises:
            FileFormatError: the row does not match the class. The ``__cause__`` names the field, see
                :func:`maieutic.files.json_text.parse_json`.
        """
        try:
            return parse_json(cls, self.json)
        except InputError as error:
            raise self.error(str(error)) from error

    def error(self, problem: str) -> FileFormatError:
        """The error for this row, with file, line and remedy."""
        problem = f"{problem}; {_REMEDY.format(self.unit)}"
        if self.unit == "line":
            return FileFormatError(self.path, self.number, problem)
        return FileFormatError(self.path, None, f"row {self.number}: {problem}")


def find_file(folder: Path, name: str) -> Path | None:
    """The official file in a folder, under its own name or with ``.gz`` added or removed; None if missing."""
    twin = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
    return next((folder / each for each in (name, twin) if (folder / each).is_file()), None)


def need_file(folder: Path, name: str) -> Path:
    """Like :func:`find_file`, but the file must exist.

    Raises:
        FileFormatError: the folder has no such file.
    """
    path = find_file(folder, name)
    if path is None:
        raise FileFormatError(folder / name, None, "no such file, plain or gzipped; check the folder")
    return path


def read_content(path: Path) -> bytes:
    """All bytes of a file, decompressed if it is gzipped.

    Raises:
        FileFormatError: the file cannot be read.
    """
    with open_data(path) as file:
        return file.read()


def read_rows(path: Path) -> list[FileRow]:
    """The rows of a file that has one JSON value per line or one JSON array. Skips blank lines.

    Raises:
        FileFormatError: the file cannot be read, is a truncated array or has no rows.
    """
    content = read_content(path)
    rows = list(_elements(path, content) if content.lstrip()[:1] == b"[" else _lines(path, content))
    if not rows:
        raise FileFormatError(path, None, "the file has no rows; fetch it again")
    return rows


def _lines(path: Path, content: bytes) -> Iterator[FileRow]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield FileRow(path, number, "line", line)


def _elements(path: Path, content: bytes) -> Iterator[FileRow]:
    try:
        elements = json.loads(content)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at column {error.colno}; {_REMEDY.format('line')}"
        raise FileFormatError(path, error.lineno, problem) from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or too long a number or too deep nesting
        raise FileFormatError(path, None, f"this is not valid JSON ({error}); fetch the file again") from None
    for number, element in enumerate(elements, 1):
        yield FileRow(path, number, "row", json.dumps(element).encode())


def checked(rows: Iterable[tuple[FileRow, Item]]) -> list[Item]:
    """The items, with the whitespace of their texts collapsed.

    Raises:
        FileFormatError: an id is empty or occurs twice, or a text is not a valid question
            (:func:`maieutic.text.as_question`).
    """
    items: list[Item] = []
    first_rows: dict[str, int] = {}
    for row, item in rows:
        if not item.id:
            raise row.error("the id is empty")
        first = first_rows.setdefault(item.id, row.number)
        if first != row.number:
            raise row.error(f"the id {item.id!r} repeats that of {row.unit} {first}")
        try:
            items.append(replace(item, text=as_question(item.text)))
        except InputError as error:
            raise row.error(str(error)) from error
    return items
