"""Runs methods on contested statements of the world, and scores every node of their trees.

Cost: with the bundled models about a second a question for all methods together, on two cores.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from maieutic.answer import Answer
from maieutic.benchmarks.agora.methods import Method, chain_of_thought, direct, self_consistency
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.questions import Question
from maieutic.config import ElicitConfig
from maieutic.elicit import elicit
from maieutic.infer import DEFAULT_SOLVER, Inference
from maieutic.pipeline import LoadedModels, conclude
from maieutic.solvers import SOLVERS
from maieutic.tree import Tree

__all__ = ["NodeCounts", "Record", "count_nodes", "run"]

BATCH = 32  # questions at a time
INFERENCE: dict[Method, Inference] = {"maieutic": "joint", "maieutic-vote": "vote"}


@dataclass(frozen=True, slots=True)
class Record:
    """One question answered by one method.

    Attributes:
        seconds: of this question's share of its batch.
        reasoning: the maieutic answer with its tree; None for other methods.
    """

    method: Method
    statement: str
    truth: bool
    answer: bool
    seconds: float
    reasoning: Answer | None = None

    @property
    def right(self) -> bool:
        """Whether the answer is the gold one."""
        return self.answer == self.truth


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


def run(
    asked: Iterable[Question], methods: Sequence[Method], models: LoadedModels, seed: int = 0
) -> Iterator[list[Record]]:
    """Answer the questions, ``BATCH`` at a time; for each the records of all methods, in their order.

    Trees are grown once for both ways of inference, and each is charged the time.
    """
    source = iter(asked)
    while batch := list(islice(source, BATCH)):
        by_method = []
        trees: list[Tree] | None = None
        growing = 0.0
        for method in methods:
            start = time.perf_counter()
            if method in INFERENCE and trees is None:
                statements = [question.statement for question in batch]
                trees = elicit(statements, models.lm, models.prompts, ElicitConfig(seed=seed))
                growing = time.perf_counter() - start
                start = time.perf_counter()
            answers = _answers(method, batch, models, seed, trees or [])
            each = (time.perf_counter() - start + (growing if method in INFERENCE else 0.0)) / len(batch)
            by_method.append(
                [_record(method, *row, each) for row in zip(batch, answers, strict=True)],
            )
        yield from map(list, zip(*by_method, strict=True))


def _answers(
    method: Method, batch: Sequence[Question], models: LoadedModels, seed: int, trees: Sequence[Tree]
) -> Sequence[bool | Answer]:
    statements = [question.statement for question in batch]
    if method == "direct":
        return direct(models.lm, models.prompts, statements)
    if method == "cot":
        return chain_of_thought(models.lm, models.prompts, statements)
    if method == "self-consistency":
        return self_consistency(models.lm, models.prompts, statements, seed)
    inference = INFERENCE[method]
    solver = SOLVERS[DEFAULT_SOLVER[inference]]()
    return conclude(trees, models.verifier, solver, inference, grown_by=models.lm.name)


def _record(method: Method, question: Question, answer: bool | Answer, seconds: float) -> Record:
    reasoning = None if isinstance(answer, bool) else answer
    chosen = answer if isinstance(answer, bool) else answer.answer
    return Record(method, question.statement, question.truth, chosen, seconds, reasoning)


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
