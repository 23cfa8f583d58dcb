"""Prints the cost model of a run's model and prompts, checks it on other runs, and extrapolates.

Launch:   python -m maieutic.benchmarks.scaling RUN [--check RUN]... [--prefill N --decode N …]
Data:     folders of runs of the method maieutic; in the first some questions take two steps, and its budget
          and confidence are the largest of the tables.
Cost:     seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.folder import Run, read_run
from maieutic.benchmarks.scaling.capacity import Capacity
from maieutic.benchmarks.scaling.costs import constants_of, cost_per_question, shares_of, solved_again
from maieutic.benchmarks.scaling.tables import (
    constants_table,
    prediction_table,
    settings_table,
    slots_table,
    times_table,
    unsure_table,
)
from maieutic.config import ElicitConfig

__all__ = ["app"]

BUDGETS = (40, 80, 160, 240)

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
    source = solved_again(read_run(run))
    constants = constants_of(source.records)
    usual = ElicitConfig()
    budgets = _budgets(source)
    at = {budget: shares_of(source.records, usual.confidence, budget) for budget in budgets}
    shares = shares_of(source.records, usual.confidence, min(usual.budget, budgets[-1]))
    cost = cost_per_question(constants, shares)
    others = [solved_again(read_run(folder)) for folder in check or []]
    gpu = Capacity(1, cores, prefill, decode, computed, pairs, driver)
    for title, table in (
        ("Constants", constants_table(constants)),
        ("A question, by budget and confidence", settings_table(source, constants, budgets)),
        (
            f"A question, by budget and share of unsure questions, at confidence {usual.confidence:g}",
            unsure_table(constants, list(at.items())),
        ),
        *(("Predicted and measured", prediction_table(other, source, constants)) for other in others),
        ("Questions that fill a server, at default settings", slots_table(constants, shares)),
        ("Time and first bottleneck, at default settings", times_table(cost, gpu)),
    ):
        typer.echo(f"{title}:\n\n{table}")


def _budgets(run: Run) -> list[int]:
    """The budgets of the tables up to the run's own, which is the last one."""
    own = int(run.config.settings["budget"])
    return [budget for budget in BUDGETS if budget < own] + [own]


if __name__ == "__main__":
    run_app(app)
