"""What a corpus of triples is like, and the truth of its statements where the bundled world knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.world import load_everyday
from maieutic.bundled import words
from maieutic.distil.triples import Triple
from maieutic.text import text_key

__all__ = ["CorpusFacts", "corpus_facts", "labelled"]


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """A corpus in numbers.

    Attributes:
        unique: share of different tails among all tails, in (0, 1].
        diversity: share of different pairs of neighbouring words among all in the statements ("distinct-2",
            Li et al. 2016); it falls as a corpus grows, so compare corpora of one size.
        labelled, right: how many have a known truth, and how many of them are true.
    """

    size: int
    heads: int
    unique: float
    diversity: float
    labelled: int
    right: int


def corpus_facts(triples: Sequence[Triple]) -> CorpusFacts:
    """The facts of one or more triples."""
    pairs = [pair for one in triples for pair in pairwise(words(one.statement))]
    truths = [one.label for one in triples if one.label is not None]
    return CorpusFacts(
        len(triples),
        len({one.head for one in triples}),
        len({text_key(one.tail) for one in triples}) / len(triples),
        len(set(pairs)) / max(1, len(pairs)),
        len(truths),
        sum(truths),
    )


def labelled(triples: Sequence[Triple]) -> list[Triple]:
    """The triples with the truth of their statements in the bundled world, None where it knows none."""
    oracle = Oracle(load_everyday())
    return [replace(one, label=oracle.truth(one.statement)) for one in triples]
