"""Tree + verifier → belief graph (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.errors import MaieuticError
from maieutic.inference.base import Inference
from maieutic.inference.graph import BeliefGraph, Relation
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Verifier
from maieutic.tree import Tree

__all__ = ["relate"]


def relate(trees: Sequence[Tree], verifier: Verifier, inference: Inference) -> list[BeliefGraph]:
    """Score the pairs that the inference needs of every tree, in one call of the verifier.

    Raises:
        ContextLengthError: a pair does not fit the verifier's window.
        MaieuticError: the verifier did not return one row for each pair. ``subject`` is its name.
    """
    plans = [inference.plan(tree) for tree in trees]
    texts = [(source.text, target.text) for plan in plans for source, target in plan.pairs]
    table = verifier.predict(texts).tolist() if texts else []
    if len(table) != len(texts):
        raise MaieuticError(
            f"verifier {verifier.name} returned {len(table)} rows for {len(texts)} pairs; "
            "predict must return one row for each",
            subject=verifier.name,
        )
    rows = iter(table)
    graphs = []
    for plan in plans:
        scored = [
            Relation(a.literal, b.literal, row[CONTRADICTION], row[NEUTRAL], row[ENTAILMENT])
            for (a, b), row in zip(plan.pairs, rows, strict=False)  # rows go on to the next tree
        ]
        graphs.append(plan.graph.with_relations([*plan.graph.relations, *scored]))
    return graphs
