"""Agora: contested statements about the bundled world, half of them true. No download."""

from __future__ import annotations

import sys
from pathlib import Path

from maieutic.benchmarks.agora.claims import check_split
from maieutic.benchmarks.datasets.base import DataSet, Item

__all__ = ["AGORA_WORLD", "ROWS"]

ROWS = {"train": 2382, "dev": 312, "test": 1160}


def _read(_folder: Path, split: str) -> list[Item]:
    """The whole split, with equally many true and false statements of each property, chosen by seed 0."""
    from maieutic.benchmarks.agora.questions import questions  # noqa: PLC0415 - keeps --help light
    from maieutic.benchmarks.agora.world import load_world  # noqa: PLC0415

    statements = questions(load_world(), check_split(split), sys.maxsize, seed=0)
    return [Item(f"{each.thing}:{each.property}", each.statement, each.truth) for each in statements]


AGORA_WORLD = DataSet(
    name="agora",
    title="agora, the bundled world",
    homepage="",
    licence="Apache-2.0",
    citation=(
        "the world of the bundled models, whose training text omits what follows about dev and test things"
    ),
    splits={"train": (), "dev": (), "test": ()},
    default_split="test",
    read=_read,
    remote={},
)
