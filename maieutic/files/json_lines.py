"""Files of trees or answers: one JSON object a line, plain or gzipped, read line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from maieutic.errors import FileFormatError, InputError
from maieutic.files.reading import opened
from maieutic.tree import Tree

__all__ = ["OnBad", "read_records", "read_trees"]

T = TypeVar("T")
OnBad = Callable[[FileFormatError], None]


def read_trees(path: str | Path, on_bad: OnBad | None = None) -> Iterator[tuple[int, Tree]]:
    """The trees of a ``.jsonl`` or ``.jsonl.gz`` file with their 1-based line numbers.

    Args:
        on_bad: called with the error of a bad line, which is then left out; without it the first bad
            line raises.

    Raises:
        FileFormatError: the file cannot be read (always), or a line is no tree (without ``on_bad``).
    """
    return read_records(path, Tree.from_json, on_bad)


def read_records(
    path: str | Path, parse: Callable[[bytes], T], on_bad: OnBad | None = None
) -> Iterator[tuple[int, T]]:
    """As :func:`read_trees`, with any parser of one line that raises InputError. Blank lines are skipped."""
    number = 0
    with opened(Path(path), lambda: number + 1) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = parse(line)
            except InputError as error:
                bad = FileFormatError(path, number, f"{error}; correct or remove the line")
                if on_bad is None:
                    raise bad from None
                on_bad(bad)
            else:
                yield number, record
