"""Twins of a run, judged apart and in one problem."""

from __future__ import annotations

import pytest

from maieutic.answer import Answer, Models
from maieutic.benchmarks.choice.twins import count_twins, twins_of
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import relate
from maieutic.tree import Proposition, Tree

NEUTRAL = ScriptedVerifier(lambda *_: "neutral")


def record(number: int, pair: str, gold: bool, p_true: float) -> Record:
    text = f"Thing {number} floats."
    root = Proposition("Q", None, text, f"Thing {number} sinks.", p_true, 1 - p_true)
    tree = Tree(text, root.statement, root.negation, (root,))
    (related,) = relate([tree], NEUTRAL, Joint())
    verdict = Joint().infer(tree, related.graph)
    answer = Answer(tree, related.graph, verdict, Models("lm", "nli"))
    return Record(str(number), text, gold, pair, verdict.answer, reasoning=answer)


def test_twins_that_cannot_both_hold_correct_each_other() -> None:
    records = [
        record(1, "a", True, 0.9),
        record(2, "a", False, 0.6),  # wrong alone; the twin is believed more
        record(3, "b", False, 0.2),
        record(4, "b", True, 0.7),
        record(5, "", True, 0.7),
    ]
    counts = count_twins(twins_of(records), NEUTRAL)
    assert (counts.pairs, counts.statements_apart, counts.statements_together) == (2, 3, 4)
    assert (counts.pairs_apart, counts.pairs_together) == (1, 2)
    assert "100.0% of pairs" in str(counts)


def test_a_run_without_twins_is_refused() -> None:
    with pytest.raises(InputError):
        twins_of([record(1, "", True, 0.9)])
