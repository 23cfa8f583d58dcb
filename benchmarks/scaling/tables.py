"""The cost model as Markdown tables: constants, costs by settings, predictions beside measurements, times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace

from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.scaling.capacity import Capacity, questions_together, run_time
from maieutic.benchmarks.scaling.costs import (
    Constants,
    Cost,
    Shares,
    cost_per_question,
    measured_cost,
    shares_of,
)

__all__ = [
    "constants_table",
    "prediction_table",
    "settings_table",
    "slots_table",
    "times_table",
    "unsure_table",
]

QUESTIONS = (10**5, 10**7, 10**9)
GPUS = (1, 8, 64)
SLOTS = (1, 4, 16, 64, 256)
CONFIDENCES = (0.6, 0.7, 0.8, 0.9)
UNSURE = (0.1, 0.25, 0.5, 1.0)
COLUMNS = ("calls", "prompt tokens", "generated tokens", "pairs", "solver ms")


def constants_table(constants: Constants) -> str:
    """What each part of an answer costs."""
    parts = [("root", constants.root), ("first step", constants.first), ("later step", constants.later)]
    return _table(("part", *COLUMNS), [(name, *_cells(cost)) for name, cost in parts])


def settings_table(run: Run, constants: Constants, budgets: Sequence[int]) -> str:
    """The cost of a question at each budget and confidence, with the shares of the run's questions.

    Args:
        budgets: not above the run's own.
    """
    rows = []
    for budget in budgets:
        for confidence in CONFIDENCES:
            shares = shares_of(run.records, confidence, budget)
            percent = (f"{100 * shares.unsure:.0f} %", f"{100 * shares.going_on:.0f} %", str(shares.steps))
            cost = cost_per_question(constants, shares)
            rows.append((str(budget), f"{confidence:g}", *percent, *_cells(cost)))
    return _table(("budget", "confidence", "unsure", "going on", "most steps", *COLUMNS), rows)


def unsure_table(constants: Constants, shares: Sequence[tuple[int, Shares]]) -> str:
    """The cost of a question where another share of the questions is unsure.

    Args:
        shares: of questions at each budget; their ``unsure`` is replaced.
    """
    rows = []
    for budget, own in shares:
        for unsure in UNSURE:
            cost = cost_per_question(constants, replace(own, unsure=unsure))
            rows.append((str(budget), f"{100 * unsure:.0f} %", *_cells(cost)))
    return _table(("budget", "unsure", *COLUMNS), rows)


def prediction_table(run: Run, source: Run, constants: Constants) -> str:
    """The predicted and the measured cost of a run.

    Predicted twice: with the run's own shares, which tests the constants and the form of the model, and with
    those of ``source``, which tests all of it; the latter where its confidence and budget are not lower.
    """
    measured = measured_cost(run.records)
    confidence, budget = _limits(run)
    predictions = [("its own shares", cost_per_question(constants, shares_of(run.records, confidence)))]
    if all(own <= limit for own, limit in zip((confidence, budget), _limits(source), strict=True)):
        shares = shares_of(source.records, confidence, budget)
        predictions.append((f"the shares of {source.folder.name}", cost_per_question(constants, shares)))
    rows = [("measured", *_cells(measured))]
    for name, predicted in predictions:
        pairs = zip(astuple(predicted), astuple(measured), strict=True)
        rows += [(f"predicted from {name}", *_cells(predicted)), ("off by", *(_off(*pair) for pair in pairs))]
    return _table((run.folder.name, *COLUMNS), rows)


def _limits(run: Run) -> tuple[float, int]:
    """The confidence and the budget of a run."""
    settings = run.config.settings
    return float(settings["confidence"]), int(settings["budget"])


def slots_table(constants: Constants, shares: Shares) -> str:
    """How many questions fill a server."""
    rows = [("questions together", *(str(questions_together(constants, shares, slots)) for slots in SLOTS))]
    return _table(("slots", *map(str, SLOTS)), rows)


def times_table(cost: Cost, capacity: Capacity) -> str:
    """Hours and the first bottleneck of runs on several GPUs, each like that of ``capacity``."""
    rows = []
    for questions in QUESTIONS:
        times = [run_time(cost, questions, replace(capacity, gpus=gpus)) for gpus in GPUS]
        rows.append((f"{questions:,}", *(f"{time.hours:,.2f} h, {time.bottleneck}" for time in times)))
    return _table(("questions", *(f"{gpus} GPU" + "s" * (gpus > 1) for gpus in GPUS)), rows)


def _off(predicted: float, measured: float) -> str:
    """The error of a prediction in percent of the measurement; a dash where nothing was measured."""
    return f"{100 * (predicted / measured - 1):+.0f} %" if measured else "–"


def _cells(cost: Cost) -> Iterable[str]:
    numbers = (*astuple(cost)[:-1], 1000 * cost.solver_seconds)
    return [f"{number:,.2f}" for number in numbers]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"
