"""Precision by way of judging, labels of the world, and models beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

pytest.importorskip("rapidfuzz")

from maieutic.benchmarks.distil.corpus import corpus_facts, labelled
from maieutic.benchmarks.distil.evaluating import Statement, answered_directly
from maieutic.benchmarks.distil.precision import UNFILTERED, precisions, table
from maieutic.distil.criticise import Judged
from maieutic.distil.triples import Triple
from maieutic.errors import InputError
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel


def judged(joint: Sequence[float]) -> list[Judged]:
    triples = [Triple(str(n), f"head {n // 4}", "Is", f"t{n}", f"It is t{n}.") for n in range(len(joint))]
    return [Judged(one, 0.5, 0.5, p, 0) for one, p in zip(triples, joint, strict=True)]


def test_a_way_that_knows_the_truth_is_precise_and_one_that_knows_nothing_is_the_corpus() -> None:
    truths = [n % 4 != 0 for n in range(40)]
    cells = precisions(judged([float(truth) for truth in truths]), truths, [0.5, 0.8])
    by_way = {(cell.way, cell.recall): cell for cell in cells}
    assert by_way["joint graph", 0.8].value == 1.0
    for way in (("raw belief", 0.5), ("islands of trees", 0.8), (UNFILTERED, 1.0)):
        assert by_way[way].value == pytest.approx(0.75)
    assert all(cell.interval.low <= cell.value <= cell.interval.high for cell in cells)
    assert len(table(cells).splitlines()) == 2 + 4


def test_a_corpus_without_a_true_statement_has_no_recall() -> None:
    with pytest.raises(InputError):
        precisions(judged([0.5]), [False], [0.5])


def test_the_world_labels_what_it_knows() -> None:
    rows = [
        Triple("1", "a penguin", "NotCapableOf", "fly", "A penguin cannot fly."),
        Triple("2", "a penguin", "CapableOf", "fly", "A penguin can fly."),
        Triple("3", "a penguin", "CapableOf", "vote", "A penguin can vote."),
    ]
    assert [one.label for one in labelled(rows)] == [True, False, None]
    facts = corpus_facts(labelled(rows))
    assert (facts.size, facts.heads, facts.labelled, facts.right) == (3, 1, 2, 1)
    assert facts.unique == pytest.approx(2 / 3)


def test_a_model_that_says_yes_to_everything_contradicts_itself_every_time() -> None:
    statements = [Statement("A dog has legs.", True), Statement("A dog has wings.", False)]

    def evaluated(says: dict[str, float]) -> tuple[float, float]:
        def probability(prompt: Prompt, option: str) -> float:
            p = next((p for words, p in says.items() if words in prompt.text()), 0.9)
            return p if option.strip() == "true" else 1.0 - p

        lm = ScriptedLanguageModel(lambda *_: "", probability, prompts="agora")
        found = answered_directly("it", lm, statements)
        return found.accuracy, found.contradictions

    assert evaluated({}) == (0.5, 1000.0)
    assert evaluated({"does not have legs": 0.1, "a dog has wings": 0.1}) == (1.0, 0.0)
