"""Measures one worker of Ray against several, side by side: the same questions, in turns.

Launch:   python -m maieutic.benchmarks.scaling.workers [--questions 600] [--workers 0,1,2] [--turns 2]
Data:     the data set agora, with the bundled models at default settings.
Cost:     a minute or two for each turn and number of workers, on two cores.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder
from maieutic.benchmarks.runs.ray_run import run_on
from maieutic.benchmarks.scaling.passing import passed
from maieutic.cluster.session import LOCAL, Cluster, connected
from maieutic.errors import InputError

__all__ = ["app"]

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)

HERE = 0  # workers: a run in this process, without Ray


@app.command()
def workers(
    questions: Annotated[int, typer.Option(help="Questions of each run.", min=1)] = 600,
    counts: Annotated[
        str, typer.Option("--workers", help="Numbers of workers, with commas; 0 is a run without Ray.")
    ] = "0,1,2",
    turns: Annotated[int, typer.Option(help="How often each is measured.", min=1)] = 2,
) -> None:
    """Print questions a minute for each number of workers, and how many times the first one's they are."""
    numbers = _numbers(counts)
    benchmark = Benchmark.load(RunConfig("agora", limit=questions).complete())
    rates: dict[int, list[float]] = {number: [] for number in numbers}
    for _ in range(turns):
        for number in numbers:
            rates[number].append(60 * _per_second(benchmark, number))
    typer.echo("| workers | questions a minute, each turn | times the first |\n| ---: | ---: | ---: |")
    for number in numbers:
        each = ", ".join(f"{rate:,.0f}" for rate in rates[number])
        ratio = fmean(rates[number]) / fmean(rates[numbers[0]])
        typer.echo(f"| {number or 'no Ray'} | {each} | {ratio:.2f} |")


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if len(numbers) != len(text.split(",")) or len(set(numbers)) != len(numbers):
        problem = f"--workers must be different whole numbers with commas, such as 1,2, not {text!r}"
        raise InputError(problem, subject="--workers")
    return numbers


def _per_second(benchmark: Benchmark, workers: int) -> float:
    """Questions a second of a new run, without its start."""
    cluster = Cluster(LOCAL, max(1, workers))
    least = (1 + cluster.workers) * benchmark.config.batch
    if len(benchmark.items) < least:
        problem = f"{workers} workers need at least {least} questions, since the first batches do not count"
        raise InputError(f"{problem}; give more --questions", subject="--questions")
    with (
        tempfile.TemporaryDirectory() as scratch,
        nullcontext() if workers == HERE else connected(cluster),
        RunFolder(Path(scratch) / "run", benchmark.config) as folder,
    ):
        batches = benchmark.run(folder) if workers == HERE else run_on(benchmark, folder, cluster)
        return passed(batches, skip=cluster.workers).per_second


if __name__ == "__main__":
    run_app(app)
