"""Scores the explanations in maieutic trees against the world: raw beliefs, and labels after solving."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain

from maieutic.answer import Answer
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.world import load_everyday
from maieutic.benchmarks.runs.records import Record

__all__ = ["NodeCounts", "count_nodes", "known_explanations"]


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Counts of explanations with a truth value in the world and beliefs of the model.

    Attributes:
        nodes: all of them.
        true: those that are true.
        by_belief: those labelled correctly by the raw beliefs, P(true | E) > P(true | ¬E).
        by_label: those labelled correctly after solving.
        integral: those that are integral.
        integral_by_belief: integral ones labelled correctly by the raw beliefs.
        unknown: explanations not counted: the world has no truth value or the model gave no verdict.
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
            f"true; labelled correctly by raw beliefs {_share(self.by_belief, self.nodes)}, after solving "
            f"{_share(self.by_label, self.nodes)}. Beliefs are right on "
            f"{_share(self.integral_by_belief, self.integral)} of the integral ones and on "
            f"{_share(by_belief, others)} of the others. "
            f"{self.unknown} explanations have no known truth value."
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def count_nodes(oracle: Oracle, answers: Iterable[Answer]) -> NodeCounts:
    """Score the explanations of maieutic answers against the world, without the pruned ones."""
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


def known_explanations(dataset: str, records: Iterable[Record]) -> NodeCounts | None:
    """The counts over the trees of a run; None if it has no trees or the data set is not agora."""
    if dataset != "agora":
        return None
    answers = (record.reasoning for record in records if record.reasoning is not None)
    first = next(answers, None)
    return None if first is None else count_nodes(_oracle(), chain([first], answers))


@cache
def _oracle() -> Oracle:
    return Oracle(load_everyday())
