"""The cost model: exact where its assumptions hold, and times that follow from their definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run, RunFolder, read_run
from maieutic.benchmarks.scaling.capacity import Capacity, questions_together, run_time
from maieutic.benchmarks.scaling.costs import (
    Constants,
    Cost,
    Shares,
    constants_of,
    cost_per_question,
    measured_cost,
    shares_of,
)
from maieutic.errors import InputError

numbers = st.floats(0.0, 100.0)
costs = st.builds(Cost, numbers, numbers, numbers, numbers, numbers)


@given(costs, costs, costs, st.floats(0, 1), st.floats(0, 1), st.integers(0, 6))
def test_the_cost_is_the_sum_over_the_steps(
    root: Cost, first: Cost, later: Cost, unsure: float, going_on: float, steps: int
) -> None:
    cost = cost_per_question(Constants(root, first, later), Shares(unsure, going_on, steps))
    parts = [first if place == 0 else later for place in range(steps)]
    for column, whole in enumerate(astuple(cost)):
        summed = astuple(root)[column]
        for place, part in enumerate(parts):
            summed += unsure * going_on**place * astuple(part)[column]
        assert whole == pytest.approx(summed)


@given(costs, st.integers(1, 10**9))
def test_the_slowest_part_is_the_bottleneck_and_gpus_help_all_but_the_driver(cost: Cost, n: int) -> None:
    one = Capacity(1, 8, 20_000.0, 2_000.0, 0.2, 1_000.0, 2_000.0)
    many = replace(one, gpus=64)
    alone, together = run_time(cost, n, one), run_time(cost, n, many)
    assert together.hours <= alone.hours * (1 + 1e-9)
    assert alone.hours >= n / one.driver / 3600 * (1 - 1e-9)
    if together.bottleneck == "driver":
        assert together.hours == pytest.approx(n / one.driver / 3600)


def test_more_slots_take_more_questions() -> None:
    cost = Cost(4.0, 100.0, 10.0, 0.0, 0.0)
    constants = Constants(cost, cost, cost)
    counts = [questions_together(constants, Shares(0.5, 0.5, 2), slots) for slots in (1, 8, 64)]
    assert counts == sorted(counts)
    assert questions_together(constants, Shares(0.0, 0.0, 0), 8) == 2


@pytest.mark.parametrize("field", ["gpus", "prefill", "computed", "driver"])
def test_a_capacity_out_of_range_is_refused(field: str) -> None:
    good = Capacity(1, 8, 1.0, 1.0, 1.0, 1.0, 1.0)
    with pytest.raises(InputError) as error:
        replace(good, **{field: 0})
    assert error.value.subject == field


def answered(out: Path, **settings: float) -> Run:
    """A run of the bundled models, with weights under which explanations can change every answer."""
    weights = str(resources.files("maieutic.inference") / "weights.toml")
    grown = {"confidence": 1.0, "weights": weights}
    config = RunConfig("agora", limit=12, settings=grown | settings).complete()
    with RunFolder(out, config) as opened:
        for _ in Benchmark.load(config).run(opened):
            pass
    return read_run(out)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which every question grows."""
    return answered(tmp_path_factory.mktemp("runs") / "grown")


@pytest.mark.parametrize("budget", [0, 40])
def test_a_run_with_a_lower_budget_takes_the_first_steps(grown: Run, tmp_path: Path, budget: int) -> None:
    lower = answered(tmp_path / "lower", budget=budget)
    taken = [len(record.reasoning.steps) - 1 for record in lower.records if record.reasoning]
    for before, after in zip(grown.records, lower.records, strict=True):
        assert before.reasoning is not None
        assert after.reasoning is not None
        assert after.reasoning.steps == before.reasoning.steps[: len(after.reasoning.steps)]
    shares = shares_of(grown.records, 1.0, budget)
    assert shares.steps >= max(taken)  # more where the lower budget could no longer turn the answer
    assert shares.unsure >= sum(map(bool, taken)) / len(taken)
    assert shares_of(grown.records, 1.0, 80) == shares_of(grown.records, 1.0)


def test_at_its_own_settings_the_model_gives_what_was_measured(grown: Run) -> None:
    predicted = cost_per_question(constants_of(grown.records), shares_of(grown.records, 1.0))
    measured = measured_cost(grown.records)
    assert predicted.calls == pytest.approx(measured.calls, rel=0.2)
    assert predicted.generated_tokens == pytest.approx(measured.generated_tokens, rel=0.2)
    assert shares_of(grown.records, 0.0).unsure == 0
    assert shares_of(grown.records, 1.0, budget=0).steps == 0


def test_the_command_prints_the_tables(grown: Run, capsys: pytest.CaptureFixture[str]) -> None:
    from maieutic.benchmarks.scaling.__main__ import costs as command

    command(grown.folder, check=[grown.folder])
    printed = capsys.readouterr().out
    assert "| first step |" in printed
    assert "| predicted from its own shares |" in printed
    assert f"| predicted from the shares of {grown.folder.name} |" in printed
    assert "| 40 | 0.9 |" in printed
    assert "1,000,000,000" in printed


def test_a_run_without_steps_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    assert (
        run("bench", "run", "agora", "--method", "direct", "--limit", "2", "--out", tmp_path).returncode == 0
    )
    with pytest.raises(InputError):
        constants_of(read_run(tmp_path).records)
