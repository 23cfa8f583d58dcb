"""Com2Sense: statements in complementary pairs, of which usually one is true and one is false.

A split consists of a JSON array of statements and a JSON object that maps each id to its twin's id. In the
train files every id has a twin. The pair file of dev lists 804 ids and the array may have fewer rows, so a
dev row without its twin is read without a pair. The checksums of the dev files are unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maieutic.benchmarks.datasets.base import DataSet, Item, RemoteFile
from maieutic.benchmarks.datasets.rows import FileRow, checked, need_file, read_content, read_rows
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_text import parse_json

__all__ = ["COM2SENSE", "CONTENTS", "ROWS"]

ROWS = {"train": 1608}

# SHA-256 of the published files, which are not compressed.
CONTENTS = {
    "train.json": "f2559d1374e115f5f6d958b781a8474bdab52aa08c3fae0a16aece24b211ddda",
    "pair_id_train.json": "56301808ee854e6dbed33f869fcd2c9cbb2517885578982c370854572812916b",
}

_COMPLETE = frozenset({"train"})  # splits in which every row has its twin
_PUBLISHED = (
    "https://raw.githubusercontent.com/PlusLabNLP/Com2Sense/27c6bb1f5e468f0132b91e9727687e000b68d60c/data/"
)


@dataclass(frozen=True, slots=True)
class _Statement:
    id: str
    sent: str
    label: Literal["True", "False"]


def _read(folder: Path, split: str) -> list[Item]:
    statements, pairs = (need_file(folder, name) for name in COM2SENSE.splits[split])
    rows = [(row, row.parse(_Statement)) for row in read_rows(statements)]
    twins = _twins(pairs)
    ids = {each.id for _, each in rows}
    return checked(
        (row, Item(each.id, each.sent, each.label == "True", _pair(row, each.id, twins, ids, split)))
        for row, each in rows
    )


def _twins(path: Path) -> Mapping[str, str]:
    """Id → id of its twin, for both twins."""
    try:
        twins = parse_json(dict[str, str], read_content(path))
    except FileFormatError:
        raise
    except InputError as error:
        raise FileFormatError(path, None, f"{error}; fetch the file again") from error
    for one, other in twins.items():
        if one == other or twins.get(other) != one:
            problem = f"the twin of {one!r} is {other!r}, but the twin of that is {twins.get(other)!r}"
            raise FileFormatError(path, None, f"{problem}; correct the pair, or fetch the file again")
    return twins


def _pair(row: FileRow, name: str, twins: Mapping[str, str], ids: Collection[str], split: str) -> str:
    """The pair id of a row: the sorted ids of both twins; "" without a twin."""
    twin = twins.get(name)
    if twin is None:
        raise row.error(f"the id {name!r} is not in the pair file")
    if twin in ids:
        return "+".join(sorted((name, twin)))
    if split in _COMPLETE:
        raise row.error(f"the twin {twin!r} has no row")
    return ""


COM2SENSE = DataSet(
    name="com2sense",
    title="Com2Sense",
    homepage="https://github.com/PlusLabNLP/Com2Sense",
    licence="none stated by its repository",
    citation=(
        "Singh, Wen, Hou, Alipoormolabashi, Wu, Ma and Peng: COM2SENSE: A Commonsense Reasoning Benchmark "
        "with Complementary Sentences, Findings of ACL-IJCNLP 2021"
    ),
    splits={"train": ("train.json", "pair_id_train.json"), "dev": ("dev.json", "pair_id_dev.json")},
    default_split="dev",
    read=_read,
    remote={
        "train.json": RemoteFile(f"{_PUBLISHED}train.json", 445_132, CONTENTS["train.json"]),
        "pair_id_train.json": RemoteFile(
            f"{_PUBLISHED}pair_id_train.json", 67_538, CONTENTS["pair_id_train.json"]
        ),
    },
)
