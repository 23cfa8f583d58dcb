"""What a data set is: items with gold answers, the files they come from, whom to thank for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maieutic.tree import Tree

__all__ = ["DataSet", "Item", "RemoteFile"]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a data set.

    Attributes:
        id: the row's own id, unique within its split.
        text: a statement, or a yes/no question that ends in a question mark.
        gold: whether the statement is true, or the question's answer is yes; None where that is not known.
        pair: what twins share and no others do ("" for a row without a twin): two statements of which
            one is true, or that differ in few words.
        tree: a tree that was grown for it elsewhere.
        problem: why it cannot be judged, "" where it can.
    """

    id: str
    text: str
    gold: bool | None
    pair: str = ""
    tree: Tree | None = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """Where an official file is published.

    Attributes:
        bytes: its size; ``sha256`` its checksum in hexadecimal digits.
    """

    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class DataSet:
    """A data set as its authors publish it.

    Attributes:
        name: how the command line calls it; ``title`` how its paper does.
        licence: as its authors state it; ``citation`` one line: authors, title, venue, year.
        splits: split → the official files that it is read from, by name.
        default_split: what is run when no split is named; never one whose answers are hidden.
        read: (folder, split) → all items, in the files' order. Raises
            :class:`maieutic.errors.FileFormatError` naming the file and row at fault.
        remote: official file → where it is published; a file without an entry is not fetched.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    splits: Mapping[str, tuple[str, ...]]
    default_split: str
    read: Callable[[Path, str], list[Item]]
    remote: Mapping[str, RemoteFile]
