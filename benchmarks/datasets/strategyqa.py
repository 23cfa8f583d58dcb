"""StrategyQA: yes/no questions whose reasoning steps are implicit in the question.

Only the train file, a JSON array, has answers. Its checksum is unknown, so there is no automatic download.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maieutic.benchmarks.datasets.base import DataSet, Item
from maieutic.benchmarks.datasets.rows import checked, need_file, read_rows

__all__ = ["SOURCE", "STRATEGYQA"]

# Where to download the file by hand.
SOURCE = "https://storage.googleapis.com/ai2i/strategyqa/data/strategyqa_dataset.zip (unzip it)"


@dataclass(frozen=True, slots=True)
class _StrategyQuestion:
    qid: str
    question: str
    answer: bool

    def item(self) -> Item:
        return Item(self.qid, self.question, self.answer)


def _read(folder: Path, split: str) -> list[Item]:
    path = need_file(folder, STRATEGYQA.splits[split][0])
    return checked((row, row.parse(_StrategyQuestion).item()) for row in read_rows(path))


STRATEGYQA = DataSet(
    name="strategyqa",
    title="StrategyQA",
    homepage="https://allenai.org/data/strategyqa",
    licence="MIT",
    citation=(
        "Geva, Khashabi, Segal, Khot, Roth and Berant: Did Aristotle Use a Laptop? A Question Answering "
        "Benchmark with Implicit Reasoning Strategies, TACL 2021"
    ),
    splits={"train": ("strategyqa_train.json",)},
    default_split="train",
    read=_read,
    remote={},
)
