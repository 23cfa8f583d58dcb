"""Rows of data files, read strictly: JSON lines or one JSON array, plain or gzipped whatever the name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from maieutic.benchmarks.datasets.base import Item
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_text import parse_json
from maieutic.files.reading import opened
from maieutic.text import as_question

__all__ = ["FileRow", "checked", "find_file", "need_file", "read_content", "read_rows"]

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"  # some editors put it before UTF-8
_REMEDY = "correct or remove the {}, or fetch the file again"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One record of a file, unparsed.

    Attributes:
        number: 1-based, of the line, or of the row within an array.
        json: its text.
    """

    path: Path
    number: int
    unit: Literal["line", "row"]
    json: bytes

    def parse(self, cls: type[T]) -> T:
        """The row as a dataclass.

        Raises:
            FileFormatError: it does not fit; see :func:`maieutic.files.json_text.parse_json`.
        """
        try:
            return parse_json(cls, self.json)
        except InputError as error:
            raise self.error(str(error)) from None

    def error(self, problem: str) -> FileFormatError:
        """What is wrong with this row, with the file, the place and the remedy."""
        problem = f"{problem}; {_REMEDY.format(self.unit)}"
        if self.unit == "line":
            return FileFormatError(self.path, self.number, problem)
        return FileFormatError(self.path, None, f"row {self.number}: {problem}")


def find_file(folder: Path, name: str) -> Path | None:
    """The official file in a folder, by its own name or else by that of the gzipped or unzipped file."""
    twin = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
    return next((folder / each for each in (name, twin) if (folder / each).is_file()), None)


def need_file(folder: Path, name: str) -> Path:
    """As :func:`find_file`.

    Raises:
        FileFormatError: the folder does not have it.
    """
    found = find_file(folder, name)
    if found is None:
        raise FileFormatError(
            folder / name, None, "there is no such file, plain or gzipped; check the folder"
        )
    return found


def read_content(path: Path) -> bytes:
    """All bytes of a file, unzipped if need be.

    Raises:
        FileFormatError: it cannot be read.
    """
    with opened(path) as file:
        return file.read()


def read_rows(path: Path) -> list[FileRow]:
    """The rows of a file, one JSON value a line or all in one array. Blank lines are skipped.

    Raises:
        FileFormatError: it cannot be read, is an array cut short, or holds no rows.
    """
    content = read_content(path).removeprefix(_BOM)
    rows = list(_elements(path, content) if content.lstrip()[:1] == b"[" else _lines(path, content))
    if not rows:
        raise FileFormatError(path, None, "the file holds no rows; fetch it again")
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
    except (ValueError, RecursionError) as error:  # not UTF-8, numbers or nesting beyond all bounds
        raise FileFormatError(path, None, f"no JSON ({error}); fetch the file again") from None
    for number, element in enumerate(elements, 1):
        yield FileRow(path, number, "row", json.dumps(element).encode())


def checked(rows: Iterable[tuple[FileRow, Item]]) -> list[Item]:
    """The items with whitespace collapsed, as they will be asked.

    Raises:
        FileFormatError: an id is empty or occurs twice, or a text is one that cannot be asked.
    """
    items: list[Item] = []
    seen: dict[str, int] = {}
    for row, item in rows:
        if not item.id:
            raise row.error("the id is empty")
        first = seen.setdefault(item.id, row.number)
        if first != row.number:
            raise row.error(f"the id {item.id!r} is that of {row.unit} {first} already")
        try:
            items.append(replace(item, text=as_question(item.text)))
        except InputError as error:
            raise row.error(str(error)) from None
    return items
