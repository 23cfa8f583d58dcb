"""Published accuracies, from ``published.toml``, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["Published", "published"]


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure.

    Attributes:
        dataset: its name on the command line; ``split`` "" where the source does not name it.
        accuracy: in percent.
        model: "" for people; ``note`` how the figure differs from others, or "".
    """

    dataset: str
    split: str
    method: str
    model: str
    accuracy: float
    source: str
    note: str


def published(dataset: str) -> list[Published]:
    """The figures on a data set, in the file's order; empty if there are none."""
    return [result for result in _all() if result.dataset == dataset]


@cache
def _all() -> tuple[Published, ...]:
    text = resources.files(__package__).joinpath("published.toml").read_text(encoding="utf-8")
    return tuple(Published(**fields) for fields in tomllib.loads(text)["result"])
