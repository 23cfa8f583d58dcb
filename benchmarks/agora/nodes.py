"""Scores every explanation in maieutic trees against the world: raw beliefs, and labels after solving."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from maieutic.answer import Answer
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.world import load_world
from maieutic.benchmarks.runs.records import Record

__all__ = ["NodeCounts", "count_nodes", "known_explanations"]


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Over the explanations in trees whose truth the world knows and in which the model has a belief.

    Attributes:
        nodes: how many; ``true``: those that are true.
        by_belief: rightly labelled by the raw beliefs, P(true | E) > P(true | ¬E).
        by_label: rightly labelled after solving.
        integral, integral_by_belief: the integral ones, and those of them that beliefs label rightly.
        unknown: explanations left out because the world does not know, or the model gave no verdict.
    """

    nodes: int
    true: int
    by_belief: int
    by_label: int
    integral: int
    integral_by_belief: int
    unknown: int

    def __str__(self) -> str:
        others = self.nodes - self.integral
        by_belief = self.by_belief - self.integral_by_belief
        return (
            f"Of {self.nodes} explanations with a known truth value {_share(self.true, self.nodes)} are "
            f"true; labelled rightly by raw beliefs {_share(self.by_belief, self.nodes)}, after solving "
            f"{_share(self.by_label, self.nodes)}. Beliefs are right on "
            f"{_share(self.integral_by_belief, self.integral)} of the integral ones and on "
            f"{_share(by_belief, others)} of the others. "
            f"{self.unknown} explanations have no known truth value."
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def count_nodes(oracle: Oracle, answers: Iterable[Answer]) -> NodeCounts:
    """Score the explanations of maieutic answers against the world; pruned ones are left out."""
    rows: list[tuple[bool, bool, bool, bool]] = []
    unknown = 0
    for answer in answers:
        labels = dict(answer.labels)
        for node in answer.tree.nodes:
            if node.parent is None:
                continue
            truth = oracle.truth(node.statement)
            if truth is None or node.p_true is None or node.p_true_negation is None:
                unknown += 1
                continue
            believed = node.p_true > node.p_true_negation
            rows.append((truth, believed == truth, labels[node.id] == truth, node.integral))
    return NodeCounts(
        nodes=len(rows),
        true=sum(truth for truth, *_ in rows),
        by_belief=sum(belief for _, belief, *_ in rows),
        by_label=sum(label for _, _, label, _ in rows),
        integral=sum(integral for *_, integral in rows),
        integral_by_belief=sum(belief and integral for _, belief, _, integral in rows),
        unknown=unknown,
    )


def known_explanations(dataset: str, records: Sequence[Record]) -> NodeCounts | None:
    """The counts over a run's trees; None where it grew none, or where no world knows what is true."""
    answers = [record.reasoning for record in records if record.reasoning is not None]
    return count_nodes(_oracle(), answers) if dataset == "agora" and answers else None


@cache
def _oracle() -> Oracle:
    return Oracle(load_world())
