"""Tree + verifier → belief graph (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maieutic.inference.base import Inference, PairPlan
from maieutic.inference.graph import BeliefGraph, Combined, Relation
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Verifier
from maieutic.nli.calls import score_pairs
from maieutic.progress import Progress, reported
from maieutic.tree import Tree
from maieutic.usage import Usage

__all__ = ["Related", "relate", "relate_plans"]


@dataclass(frozen=True, slots=True)
class Related:
    """The belief graph of a tree, and what relating its propositions took.

    Attributes:
        usage: the verifier's pairs; of a language model as verifier also its prompts, each distinct pair of
            texts once.
    """

    graph: BeliefGraph
    usage: Usage


def relate(
    trees: Sequence[Tree], verifier: Verifier, inference: Inference, progress: Progress | None = None
) -> list[Related]:
    """Score the pairs that the inference needs of every tree, in one call of the verifier.

    Raises:
        ContextLengthError: a pair does not fit the verifier's window.
        MaieuticError: the verifier did not return three probabilities for each pair.
    """
    return relate_plans([inference.plan(tree) for tree in trees], verifier, progress)


def relate_plans(
    plans: Sequence[PairPlan], verifier: Verifier, progress: Progress | None = None
) -> list[Related]:
    """Score the pairs and triples of every plan, in one call of the verifier.

    Raises:
        ContextLengthError, MaieuticError: as for :func:`relate`.
    """
    texts = [pair for plan in plans for pair in plan.texts]
    if not texts:
        return [Related(plan.graph, Usage()) for plan in plans]
    with reported(progress, "relation", None, questions=len(plans), items=len(texts)):
        scores = score_pairs(verifier, texts)
    rows = iter(zip(texts, scores.probabilities.tolist(), scores.usages, strict=True))
    return [_related(plan, rows) for plan in plans]


def _related(plan: PairPlan, rows: Iterator[tuple[Pair, list[float], Usage]]) -> Related:
    """The graph of one plan, whose rows come next."""
    relations, combined, usages = list(plan.graph.relations), list(plan.graph.combined), dict[Pair, Usage]()
    for source, target in plan.pairs:
        relations.append(Relation(source.literal, target.literal, *_next(rows, usages)))
    for one, other, target in plan.triples:
        combined.append(Combined(one.literal, other.literal, target.literal, *_next(rows, usages)))
    total = sum(usages.values(), Usage(pairs=len(plan.pairs) + len(plan.triples)))
    return Related(plan.graph.with_relations(relations, combined), total)


def _next(
    rows: Iterator[tuple[Pair, list[float], Usage]], usages: dict[Pair, Usage]
) -> tuple[float, float, float]:
    """P(contradiction), P(neutral), P(entailment) of the next row; its usage is noted."""
    pair, row, usages[pair] = next(rows)
    return row[CONTRADICTION], row[NEUTRAL], row[ENTAILMENT]
