"""Data sets: items with gold answers, their files, licence and citation."""

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
        id: the id of the row, unique within its split.
        text: a statement, or a yes/no question that ends in a question mark.
        gold: whether the statement is true, or the answer to the question is yes; None where it is unknown.
        pair: an id shared by exactly two twins, such as complementary or minimally edited statements;
            "" for a row without a twin.
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
        url: its address.
        bytes: its size.
        sha256: its checksum, in hexadecimal digits.
    """

    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class DataSet:
    """A data set as its authors publish it.

    Attributes:
        name: the name on the command line.
        title: the name in its paper.
        homepage: its web address; "" if there is none.
        licence: as its authors state it.
        citation: authors, title, venue and year in one line.
        splits: split → names of the official files it is read from.
        default_split: the split used by default; its answers are public.
        read: (folder, split) → all items, in file order. Raises
            :class:`maieutic.errors.FileFormatError` with the file and line.
        remote: official file → where it is published; a file without an entry cannot be downloaded.
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
