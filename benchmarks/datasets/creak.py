"""CREAK: claims about entities that need commonsense to judge, and a contrast set of minimally edited twins.

The files are JSON lines. In the published contrast set, the pair ids of six rows are wrong: p_18, p_27 and
p_74 have one, two and three rows, none of which are a claim and its edit. These rows are read without a
pair, which leaves 247 of the 250 pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maieutic.benchmarks.datasets.base import DataSet, Item, RemoteFile
from maieutic.benchmarks.datasets.rows import FileRow, checked, need_file, read_rows

__all__ = ["CONTENTS", "CREAK", "ROWS"]

ROWS = {"train": 10_176, "dev": 1371, "contrast": 500}

# SHA-256 of the published files, which are not compressed.
CONTENTS = {
    "train.json": "f71b4fa370bbbd7f4b5fc32b82231c18f9e68911c00fc513be0075dea9b90d90",
    "dev.json": "de61800bb7d0c07a9d5b8abdf4c1604db21151bdfcb13a284db112a531bf3455",
    "contrast_set.json": "0fbcf6765ed967f812229941bfa81a4b66269b22fd41d07926c2ea7c53039725",
}

_WRONG_PAIRS = frozenset({"p_18", "p_27", "p_74"})
_PUBLISHED = "https://raw.githubusercontent.com/yasumasaonoe/creak/"


@dataclass(frozen=True, slots=True)
class _Claim:
    ex_id: str
    sentence: str
    label: Literal["true", "false"]

    def item(self, pair: str = "") -> Item:
        return Item(self.ex_id, self.sentence, self.label == "true", pair)


@dataclass(frozen=True, slots=True)
class _Twin(_Claim):
    pair_id: str


def _read(folder: Path, split: str) -> list[Item]:
    rows = read_rows(need_file(folder, CREAK.splits[split][0]))
    if split == "contrast":
        return checked(_paired([(row, row.parse(_Twin)) for row in rows]))
    return checked((row, row.parse(_Claim).item()) for row in rows)


def _paired(rows: Sequence[tuple[FileRow, _Twin]]) -> Iterator[tuple[FileRow, Item]]:
    labels: dict[str, list[str]] = {}
    for _, twin in rows:
        labels.setdefault(twin.pair_id, []).append(twin.label)
    for row, twin in rows:
        pair_labels = labels[twin.pair_id]
        if sorted(pair_labels) == ["false", "true"] and twin.pair_id:
            yield row, twin.item(twin.pair_id)
        elif twin.pair_id in _WRONG_PAIRS:
            yield row, twin.item()
        else:
            listed = ", ".join(pair_labels)
            raise row.error(
                f"the rows of pair_id {twin.pair_id!r} are {listed}; they must be one true and one false"
            )


CREAK = DataSet(
    name="creak",
    title="CREAK",
    homepage="https://github.com/yasumasaonoe/creak",
    licence="MIT",
    citation=(
        "Onoe, Zhang, Choi and Durrett: CREAK: A Dataset for Commonsense Reasoning over Entity Knowledge, "
        "NeurIPS Datasets and Benchmarks 2021"
    ),
    splits={"train": ("train.json",), "dev": ("dev.json",), "contrast": ("contrast_set.json",)},
    default_split="dev",
    read=_read,
    remote={
        "train.json": RemoteFile(
            f"{_PUBLISHED}a871bf0f133275564efa56bafb47d7dbe02d0c00/data/creak/train.json",
            3_022_236,
            CONTENTS["train.json"],
        ),
        "dev.json": RemoteFile(
            f"{_PUBLISHED}a871bf0f133275564efa56bafb47d7dbe02d0c00/data/creak/dev.json",
            382_480,
            CONTENTS["dev.json"],
        ),
        # An earlier version of the contrast set had 200 rows.
        "contrast_set.json": RemoteFile(
            f"{_PUBLISHED}8a9fca2756ba2db9dfc71d6d77d238c0a36819d9/data/creak/contrast_set.json",
            117_531,
            CONTENTS["contrast_set.json"],
        ),
    },
)
