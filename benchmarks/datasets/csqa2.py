"""CommonsenseQA 2.0: yes/no questions and statements that players of a game wrote to defeat a model.

The files are JSON lines. Many texts lack closing punctuation, or end a statement with a question mark;
they are used unchanged. The answers of the test split are not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maieutic.benchmarks.datasets.base import DataSet, Item, RemoteFile
from maieutic.benchmarks.datasets.rows import checked, need_file, read_rows

__all__ = ["CONTENTS", "CSQA2", "ROWS"]

ROWS = {"train": 9264, "dev": 2541}

# SHA-256 of the published files, decompressed.
CONTENTS = {
    "CSQA2_train.json.gz": "5fdff27d115c4d03d8e420ebf1fc8b53815f16160848dfc3e10f17328f6ddfd1",
    "CSQA2_dev.json.gz": "1a0b18dfb4a8ec73e0ba5872df2126e53d004e69b9e78999777990b9a4892688",
}

_PUBLISHED = (
    "https://raw.githubusercontent.com/allenai/csqa2/1e04178bcd504221f5afacb48c0878826752d8c3/dataset/"
)


@dataclass(frozen=True, slots=True)
class _Csqa2Question:
    id: str
    question: str
    answer: Literal["yes", "no"]

    def item(self) -> Item:
        return Item(self.id, self.question, self.answer == "yes")


def _read(folder: Path, split: str) -> list[Item]:
    path = need_file(folder, CSQA2.splits[split][0])
    return checked((row, row.parse(_Csqa2Question).item()) for row in read_rows(path))


CSQA2 = DataSet(
    name="csqa2",
    title="CommonsenseQA 2.0",
    homepage="https://github.com/allenai/csqa2",
    licence="CC-BY-4.0",
    citation=(
        "Talmor, Yoran, Le Bras, Bhagavatula, Goldberg, Choi and Berant: CommonsenseQA 2.0: Exposing the "
        "Limits of AI through Gamification, NeurIPS Datasets and Benchmarks 2021"
    ),
    splits={"train": ("CSQA2_train.json.gz",), "dev": ("CSQA2_dev.json.gz",)},
    default_split="dev",
    read=_read,
    remote={
        "CSQA2_train.json.gz": RemoteFile(
            f"{_PUBLISHED}CSQA2_train.json.gz",
            614_169,
            "cdaccded500ea4093ee88ee28d9f61f2b210ee09c6b996d1242d66aeac0b3b32",
        ),
        "CSQA2_dev.json.gz": RemoteFile(
            f"{_PUBLISHED}CSQA2_dev.json.gz",
            169_868,
            "2804671317521bb79784037482b7e84e891c707f6ac369607209059b3df3b884",
        ),
    },
)
