"""Twins that cannot both hold, judged in one problem against apart.

    maieutic bench run creak --split contrast --method maieutic --set depth=0 --lm MODEL --nli MODEL --out
    runs/twins python -m maieutic.benchmarks.choice.twins runs/twins --nli MODEL

The trees are those of a run. Apart, each twin has the label of its own tree; together, the two are claims of
one problem of which at most one is true, related by the verifier as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.folder import read_run
from maieutic.benchmarks.runs.records import Record
from maieutic.cache.store import ResponseStore
from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, JointWeights, read_weights
from maieutic.models import open_verifier
from maieutic.nli.base import Verifier
from maieutic.problem.base import AtMostOne, Problem
from maieutic.problem.settled import settle
from maieutic.tree import Tree

__all__ = ["TwinCounts", "count_twins", "main", "twins_of"]


@dataclass(frozen=True, slots=True)
class TwinCounts:
    """How many of the twins are labelled right.

    Attributes:
        pairs: of twins; ``statements_apart``, ``statements_together``: right labels among the 2 × ``pairs``.
        pairs_apart, pairs_together: pairs of which both labels are right.
    """

    pairs: int
    statements_apart: int
    statements_together: int
    pairs_apart: int
    pairs_together: int

    def __str__(self) -> str:
        rows = (
            ("apart", self.statements_apart, self.pairs_apart),
            ("in one problem", self.statements_together, self.pairs_together),
        )
        lines = (
            f"{way}: {right / (2 * self.pairs):.1%} of statements right, {both / self.pairs:.1%} of pairs"
            for way, right, both in rows
        )
        return f"{self.pairs} pairs\n" + "\n".join(lines)


def twins_of(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """The records of twins that have a tree and a gold answer each.

    Raises:
        InputError: there are none.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.pair and record.gold is not None and record.reasoning is not None:
            groups.setdefault(record.pair, []).append(record)
    pairs = [(group[0], group[1]) for group in groups.values() if len(group) == 2]
    if not pairs:
        raise InputError(
            "the run has no twins with trees; give one of the method maieutic on data with twins"
        )
    return pairs


def count_twins(
    pairs: Sequence[tuple[Record, Record]], verifier: Verifier, weights: JointWeights | None = None
) -> TwinCounts:
    """Judge twins apart and together.

    Args:
        weights: of joint inference; None for the package's own with the priors that the run subtracted.
    """
    apart, together = list[tuple[bool, bool]](), list[tuple[bool, bool]]()
    for pair in pairs:
        gold = [record.gold for record in pair]
        trees = [_tree(record) for record in pair]
        joint = Joint(weights or _weights(pair[0]))
        alone = [settle(Problem.of([tree]), verifier, joint).labels["C1"] for tree in trees]
        both = settle(Problem.of(trees, [AtMostOne(("C1", "C2"))]), verifier, joint)
        labels = [both.labels["C1"], both.labels["C2"]]
        apart.append((alone[0] == gold[0], alone[1] == gold[1]))
        together.append((labels[0] == gold[0], labels[1] == gold[1]))
    return TwinCounts(
        len(pairs),
        sum(map(sum, apart)),
        sum(map(sum, together)),
        sum(map(all, apart)),
        sum(map(all, together)),
    )


def _tree(record: Record) -> Tree:
    assert record.reasoning is not None
    return record.reasoning.tree


def _weights(record: Record) -> JointWeights:
    assert record.reasoning is not None
    priors = record.reasoning.models.priors
    return DEFAULT_WEIGHTS if priors is None else DEFAULT_WEIGHTS.with_priors(priors)


def main() -> None:
    """Print how many twins are judged right, apart and together."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--nli", required=True)
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    weights = None if args.weights is None else read_weights(args.weights)
    verifier = open_verifier(args.nli, cache=ResponseStore())
    print(count_twins(twins_of(read_run(args.run).records), verifier, weights))  # noqa: T201


if __name__ == "__main__":
    run_app(main)
