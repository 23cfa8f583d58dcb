"""Trees grown elsewhere, one JSON object a line (:mod:`maieutic.tree`), each with its question.

The method maieutic weighs the trees as they are and asks no language model; other methods ask their model
the questions. "answer" is the gold answer; a question without one is answered and not scored. A question's
id is the 1-based number of its line.
"""

from __future__ import annotations

from pathlib import Path

from maieutic.benchmarks.datasets.base import DataSet, Item
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_lines import OnBad, read_trees
from maieutic.text import as_question

__all__ = ["TREES", "read_tree_items"]


def read_tree_items(path: Path, on_bad: OnBad | None = None) -> list[Item]:
    """The questions of a file of trees.

    Args:
        on_bad: called with the error of a bad line, which is then left out.

    Raises:
        FileFormatError: the file cannot be read, holds no tree, or (without ``on_bad``) a line is no tree
            or its question cannot be asked.
    """
    items = []
    for line, tree in read_trees(path, on_bad):
        try:
            items.append(Item(str(line), as_question(tree.question), tree.answer, tree=tree))
        except InputError as error:
            bad = FileFormatError(path, line, f"{error}; correct or remove the line")
            if on_bad is None:
                raise bad from None
            on_bad(bad)
    if not items:
        raise FileFormatError(path, None, "the file holds no trees; add some")
    return items


def _read(path: Path, _split: str) -> list[Item]:
    return read_tree_items(path)


TREES = DataSet(
    name="trees",
    title="trees grown elsewhere, with their questions (.jsonl, also gzipped), given after --data",
    homepage="",
    licence="",
    citation="",
    splits={"all": ()},
    default_split="all",
    read=_read,
    remote={},
)
