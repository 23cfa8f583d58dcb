"""The model's texts that elicitation rejected, by what they were meant to be and why they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.records import Record

__all__ = ["DiscardCount", "Discards", "count_discards"]


@dataclass(frozen=True, slots=True)
class DiscardCount:
    """The rejected outputs of one kind for one reason; see :class:`maieutic.tree.Discard`."""

    kind: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Discards:
    """What the trees of a run rejected.

    Attributes:
        explanations: those that the model gave: the propositions of the trees, and the rejected ones. An
            explanation that both sides gave is one proposition.
        counts: the most frequent first.
    """

    explanations: int
    counts: tuple[DiscardCount, ...]


def count_discards(records: Sequence[Record]) -> Discards | None:
    """What was rejected in all questions together; None for a method without trees."""
    trees = [facts for record in records if (facts := record.tree_facts) is not None]
    if not trees:
        return None
    rejected = Counter(item for tree in trees for item in tree.discarded)
    kept = sum(tree.explanations for tree in trees)
    lost = sum(count for (kind, _), count in rejected.items() if kind == "explanation")
    return Discards(kept + lost, tuple(DiscardCount(*key, count) for key, count in rejected.most_common()))
