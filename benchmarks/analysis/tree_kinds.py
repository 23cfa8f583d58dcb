"""Accuracy by kind of tree: one-node (the model was sure at once), grown, or empty (nothing was integral)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.records import Record

__all__ = ["KINDS", "KindAccuracy", "accuracy_by_kind"]

KINDS = ("one-node", "grown", "empty")  # of :attr:`maieutic.tree.Tree.kind`


@dataclass(frozen=True, slots=True)
class KindAccuracy:
    """The questions whose trees are of one kind.

    Attributes:
        scored: those with an answer; ``right`` those with the correct one.
        accuracy: share of correct answers among all of them, in [0, 1].
    """

    kind: str
    questions: int
    scored: int
    right: int
    accuracy: float


def accuracy_by_kind(records: Sequence[Record]) -> tuple[KindAccuracy, ...]:
    """The kinds that occur; empty for a method without trees. A question without a tree is of no kind.

    Args:
        records: with gold answers.
    """
    rows = []
    facts = [(record, record.tree_facts) for record in records]
    for kind in KINDS:
        chosen = [record for record, tree in facts if tree is not None and tree.kind == kind]
        if chosen:
            right = sum(record.right for record in chosen)
            scored = sum(record.scored for record in chosen)
            rows.append(KindAccuracy(kind, len(chosen), scored, right, right / len(chosen)))
    return tuple(rows)
