"""JSON lines files of trees or answers, plain or gzipped, read one line at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from maieutic.errors import FileFormatError, InputError
from maieutic.files.reading import open_data
from maieutic.tree import Tree

__all__ = ["OnBad", "read_records", "read_trees"]

T = TypeVar("T")
OnBad = Callable[[FileFormatError], None]


def read_trees(path: str | Path, on_bad: OnBad | None = None) -> Iterator[tuple[int, Tree]]:
    """Yield the trees of a ``.jsonl`` or ``.jsonl.gz`` file with their 1-based line numbers.

    Args:
        on_bad: called with the error of each bad line, which is then skipped. Without it, the first
            bad line raises.

    Raises:
        FileFormatError: the file cannot be read, or, without ``on_bad``, a line is not a valid tree.
            The ``__cause__`` names the field or node.
    """
    return read_records(path, Tree.from_json, on_bad)


def read_records(
    path: str | Path, parse: Callable[[bytes], T], on_bad: OnBad | None = None
) -> Iterator[tuple[int, T]]:
    """Like :func:`read_trees`, with any line parser that raises InputError. Skips blank lines."""
    number = 0
    with open_data(Path(path), lambda: number + 1) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = parse(line)
            except InputError as error:
                bad = FileFormatError(path, number, f"{error}; correct or remove the line")
                if on_bad is None:
                    raise bad from error
                on_bad(bad)
            else:
                yield number, record
