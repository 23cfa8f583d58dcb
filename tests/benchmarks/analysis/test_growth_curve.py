"""The curve of growth: each point is what a run with that confidence gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.growth_curve import CurvePoint, growth_curve
from maieutic.benchmarks.analysis.metrics import measure
from maieutic.benchmarks.datasets import load_items
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.datasets.drawing import draw
from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels, load_models
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from tests.benchmarks.stepped import run_of, stepped

PAPER = load_prompts("paper")

# -- by hand -------------------------------------------------------------------------------------------


def test_a_question_is_answered_after_the_first_step_that_is_sure_enough() -> None:
    records = [
        stepped("sure", True, (0.95, 0, 4)),
        stepped("turned", False, (0.6, 0, 4), (0.3, 20, 2), (0.1, 40, 8)),
        stepped("less sure", True, (0.3, 0, 4), (0.45, 10, 2), (0.8, 30, 6)),
    ]
    assert growth_curve(run_of(records, confidence=0.9)) == [
        CurvePoint(0.6, 1 / 3, 0.0, 4.0, 0.0),  # "turned" is answered true, "less sure" false
        CurvePoint(0.7, 2 / 3, 20 / 3, 14 / 3, 1 / 3),
        CurvePoint(0.9, 1.0, 100 / 3, 10.0, 2 / 3),  # the second step of "less sure" settles nothing
    ]


def test_a_step_without_a_probability_settles_nothing() -> None:
    record = stepped("unknown", True, (None, 0, 4), (0.7, 20, 2))
    assert growth_curve(run_of([record])) == [CurvePoint(0.9, 1.0, 20.0, 6.0, 1.0)]


def test_what_failed_is_wrong_and_what_has_no_gold_answer_is_left_out() -> None:
    failed = Record("failed", "Ice is cold.", True, "", None, problem="too long")
    ungraded = replace(stepped("ungraded", True, (0.9, 0, 4)), gold=None)
    run = run_of([failed, ungraded, stepped("sure", True, (0.9, 0, 4))])
    assert growth_curve(run) == [CurvePoint(0.9, 0.5, 0.0, 2.0, 0.0)]


def test_an_answer_that_is_too_unsure_to_be_given_is_not_right() -> None:
    record = stepped("unsure", True, (0.6, 0, 4), (0.8, 20, 2))
    accuracies = [
        [point.accuracy for point in growth_curve(run_of([record], **{"inference.abstain_below": least}))]
        for least in (0.0, 0.6, 0.7)
    ]
    assert accuracies == [[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize("changes", [{"prune": True}, {"integrity": False}])
def test_there_is_no_curve_where_trees_are_changed_after_growth(changes: dict[str, Any]) -> None:
    assert growth_curve(run_of([stepped("sure", True, (0.9, 0, 4))], **changes)) == []


def test_there_is_no_curve_without_steps() -> None:
    old, failed = stepped("old", True), Record("failed", "Ice is cold.", True, "", None, problem="too long")
    assert growth_curve(run_of([])) == growth_curve(run_of([failed])) == growth_curve(run_of([old])) == []
    assert growth_curve(run_of([old, stepped("new", True, (0.9, 0, 4))])) == []
    direct = replace(run_of([failed]), config=replace(run_of([]).config, method="direct", settings={}))
    assert growth_curve(direct) == []


# -- by models -----------------------------------------------------------------------------------------

TEXTS = ["Ice is cold.", "Can a penguin fly?", "Rain falls up.", "Snow is never warm.", "All fish swim."]


def scripted(seed: int) -> LoadedModels:
    """Models that say something else to every prompt, and now and then are sure."""

    def drawn(*key: object) -> random.Random:
        return random.Random(repr((seed, *key)))

    def reply(prompt: Prompt, index: int) -> str:
        rng = drawn(prompt.query, prompt.opening, index)
        if prompt.opening == "A:":
            return f" Fact {rng.randrange(99)} holds. Therefore, the statement is true."
        return f" thing {rng.randrange(10**6)} has part {rng.randrange(99)}."

    def probability(prompt: Prompt, option: str) -> float:
        if option not in PAPER.answers:
            return drawn(prompt.query, option).random() / 10
        p = drawn(prompt.query).uniform(0.05, 0.95)
        return p if option == PAPER.answers[0] else 1 - p

    def judge(*pair: str) -> str:
        return drawn(*pair).choice(["entailment", "contradiction", "neutral"])

    return LoadedModels(ScriptedLanguageModel(reply, probability), ScriptedVerifier(judge), PAPER)


def grown(models: LoadedModels, items: Sequence[Item], **changes: Any) -> Run:
    """A run whose answers follow P(true) ≥ ½."""
    run = run_of([], **changes)
    outcomes = build_method("maieutic", run.config.settings, 0).run([item.text for item in items], models)
    records = []
    for item, outcome in zip(items, outcomes, strict=True):
        assert outcome.p_true is not None
        record = Record.of(item, replace(outcome, answer=outcome.p_true >= 0.5))
        assert Record.from_json(record.to_json()) == record
        records.append(record)
    return replace(run, records=tuple(records))


def point_of(run: Run) -> CurvePoint:
    """The run's own accuracy and cost."""
    metrics = measure(run.records)
    more = [record.reasoning is not None and len(record.reasoning.steps) > 1 for record in run.records]
    costs = metrics.costs
    accuracy, share = metrics.accuracy, sum(more) / len(more)
    own = run.config.settings["confidence"]
    return CurvePoint(own, accuracy, costs.generated_tokens, costs.calls, share)


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    gold=st.lists(st.booleans(), min_size=len(TEXTS), max_size=len(TEXTS)),
    confidence=st.floats(0, 1),
    budget=st.integers(0, 200),
)
def test_every_point_is_what_a_run_with_its_confidence_gives(
    seed: int, gold: list[bool], confidence: float, budget: int
) -> None:
    models = scripted(seed)
    items = [Item(text, text, truth) for text, truth in zip(TEXTS, gold, strict=True)]
    whole = grown(models, items, confidence=confidence, budget=budget)
    curve = growth_curve(whole)
    assert curve[-1] == point_of(whole)
    confidences = [point.confidence for point in curve]
    assert confidences == sorted(set(confidences))
    for point in curve[:: max(1, len(curve) // 4)]:
        assert point == point_of(grown(models, items, confidence=point.confidence, budget=budget))


def test_a_run_of_the_bundled_models_gives_what_the_curve_of_a_surer_one_says() -> None:
    models = load_models("agora", "agora", dtype="float32")
    items = draw(load_items("agora", split="dev").items, 12, seed=1)
    whole = grown(models, items, confidence=1.0)
    assert len(growth_curve(whole)) > 2
    lower = grown(models, items, confidence=0.7)
    for one, other in zip(whole.records, lower.records, strict=True):
        question = replace(whole, records=(one,))
        at = next(point for point in growth_curve(question) if point.confidence >= 0.7)
        assert at.accuracy == other.right
        assert (at.tokens, at.calls) == (other.usage.generated_tokens, other.usage.calls)
