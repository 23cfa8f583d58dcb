"""The solver and the scorer in evaluations that Inspect AI itself runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

inspect_ai = pytest.importorskip("inspect_ai")

from inspect_ai.dataset import MemoryDataset, Sample  # noqa: E402
from inspect_ai.solver import solver  # noqa: E402

from maieutic import ElicitConfig, Maieutic  # noqa: E402
from maieutic.hosts.inspect import judge, judged  # noqa: E402

# Inspect leaves streams to the garbage collector, and one of its packages deprecates what it uses.
pytestmark = pytest.mark.filterwarnings("default")

SAMPLES = [("A penguin can fly.", "false"), ("Is a pillow soft?", "yes"), ("A spoon sinks in water.", "No")]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What Inspect leaves behind is collected here, not during another test."""
    yield
    gc.collect()


def evaluated(tmp_path: Path, samples: list[tuple[str, str]], solver: Any) -> Any:
    """The log of an evaluation."""
    dataset = MemoryDataset([Sample(input=text, target=target) for text, target in samples])
    task = inspect_ai.Task(dataset=dataset, solver=solver, scorer=judged())
    (log,) = inspect_ai.eval(task, model="mockllm/model", display="none", log_dir=str(tmp_path))
    assert log.status == "success", log.error
    return log


def test_an_evaluation_scores_what_maieutic_answers(tmp_path: Path) -> None:
    log = evaluated(tmp_path, SAMPLES, judge())
    expected = list(Maieutic.load().ask_many(text for text, _ in SAMPLES))
    targets = [False, True, False]
    for sample, answer, target in zip(log.samples, expected, targets, strict=True):
        told = sample.metadata["maieutic"]
        assert sample.output.completion == str(answer.answer).lower()
        assert told["answer"] is answer.answer
        assert told["p_true"] == pytest.approx(answer.p_true, abs=0.01)
        assert told["reasons"]
        score = sample.scores["judged"]
        assert score.value == ("C" if answer.answer == target else "I")
        assert score.metadata == {"p_true": told["p_true"]}
    (scored,) = log.results.scores
    right = sum(answer.answer == target for answer, target in zip(expected, targets, strict=True))
    assert scored.metrics["accuracy"].value == pytest.approx(right / len(targets))
    assert log.stats.model_usage == {}  # the evaluation's own model is not asked


def test_samples_that_cannot_be_judged_are_unscored(tmp_path: Path) -> None:
    maieutic = Maieutic.load(elicit=ElicitConfig(budget=0))
    samples = [(" ", "true"), ("A penguin can fly.", "B"), ("Is a pillow soft?", "yes")]
    log = evaluated(tmp_path, samples, judge(maieutic=maieutic))
    (scored,) = log.results.scores
    assert (scored.scored_samples, scored.unscored_samples) == (1, 2)
    assert [bool(sample.scores["judged"].explanation) for sample in log.samples[:2]] == [True, True]


@solver
def idle() -> Any:
    """A solver that does nothing."""

    async def solve(state: Any, generate: Any) -> Any:
        return state

    return solve


def test_answers_of_another_solver_are_unscored(tmp_path: Path) -> None:
    log = evaluated(tmp_path, SAMPLES[:1], idle())
    assert log.results.scores[0].unscored_samples == 1
