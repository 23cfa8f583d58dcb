"""Prints the cost model of a run's model and prompts, checks it on other runs, and extrapolates.

Launch:   python -m maieutic.benchmarks.scaling RUN [--check RUN]... [--prefill N --decode N …]
Data:     folders of runs of the method maieutic; in the first some questions take two steps.
Cost:     seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.folder import Run, read_run
from maieutic.benchmarks.scaling.capacity import Capacity, questions_together, run_time
from maieutic.benchmarks.scaling.costs import (
    Constants,
    Cost,
    constants_of,
    cost_per_question,
    measured_cost,
    shares_of,
)

__all__ = ["app"]

QUESTIONS = (10**5, 10**7, 10**9)
GPUS = (1, 8, 64)
SLOTS = (1, 4, 16, 64, 256)
CONFIDENCES = (0.6, 0.7, 0.8, 0.9)
_COLUMNS = ("calls", "prompt tokens", "generated tokens", "pairs", "solver ms")

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def costs(  # noqa: PLR0913, PLR0917 - one parameter an option
    run: Annotated[Path, typer.Argument(help="Run from which the constants are read.")],
    check: Annotated[list[Path] | None, typer.Option("--check", help="Another run to predict.")] = None,
    prefill: Annotated[float, typer.Option(help="Prompt tokens that a GPU computes a second.")] = 20_000.0,
    decode: Annotated[float, typer.Option(help="Tokens that a GPU draws a second.")] = 2_000.0,
    computed: Annotated[float, typer.Option(help="Share of the prompt tokens that is computed.")] = 0.2,
    pairs: Annotated[float, typer.Option(help="Pairs a second of the verifiers beside a GPU.")] = 1_000.0,
    cores: Annotated[int, typer.Option(help="Processor cores for each GPU.")] = 8,
    driver: Annotated[float, typer.Option(help="Records that the driver writes a second.")] = 2_000.0,
) -> None:
    """Print constants, costs, predictions and times as Markdown. The rates of GPUs are assumptions."""
    source = read_run(run)
    constants = constants_of(source.records)
    parts = [("root", constants.root), ("first step", constants.first), ("later step", constants.later)]
    typer.echo(_table("part", _COLUMNS, parts))
    typer.echo(_table("confidence", _COLUMNS, _by_confidence(source, constants)))
    for folder in check or []:
        other = read_run(folder)
        typer.echo(_prediction(other, constants))
    shares = shares_of(source.records, 0.9)
    together = [f"{slots} slots: {questions_together(constants, shares, slots)}" for slots in SLOTS]
    typer.echo(f"questions that fill a server at confidence 0.9: {', '.join(together)}\n")
    cost = cost_per_question(constants, shares)
    rows = [
        "| questions | " + " | ".join(f"{n} GPU" for n in GPUS) + " |",
        "| ---: |" + " ---: |" * len(GPUS),
    ]
    for questions in QUESTIONS:
        cells = []
        for gpus in GPUS:
            time = run_time(cost, questions, Capacity(gpus, cores, prefill, decode, computed, pairs, driver))
            cells.append(f"{time.hours:,.2f} h, {time.bottleneck}")
        rows.append(f"| {questions:,} | {' | '.join(cells)} |")
    typer.echo("\n".join(rows))


def _by_confidence(run: Run, constants: Constants) -> list[tuple[str, Cost]]:
    rows = []
    for confidence in CONFIDENCES:
        shares = shares_of(run.records, confidence)
        name = f"{confidence:g} ({100 * shares.unsure:.0f} % unsure, {100 * shares.going_on:.0f} % go on)"
        rows.append((name, cost_per_question(constants, shares)))
    return rows


def _prediction(run: Run, constants: Constants) -> str:
    """The predicted and the measured cost of a run, of which only the shares are taken."""
    shares = shares_of(run.records, float(run.config.settings["confidence"]))
    predicted, measured = cost_per_question(constants, shares), measured_cost(run.records)
    return _table(run.folder.name, _COLUMNS, [("predicted", predicted), ("measured", measured)])


def _table(first: str, columns: Sequence[str], rows: Sequence[tuple[str, Cost]]) -> str:
    lines = [f"| {first} | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    for name, cost in rows:
        milliseconds = 1000 * cost.solver_seconds
        numbers = (*astuple(cost)[:-1], milliseconds)
        lines.append(f"| {name} | {' | '.join(f'{number:,.2f}' for number in numbers)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run_app(app)
