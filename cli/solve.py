"""``maieutic solve``: solve a weighted MaxSAT file; output as in the MaxSAT Evaluation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.completion import SOLVERS, one_of

__all__ = ["solve"]

MAX_DIGITS = 1000  # more than any sum of doubles needs, from 10^308 down to 10^-324


def solve(
    file: Annotated[Path, typer.Argument(help="WCNF file, old or 2022 form; may end in .gz or .xz.")],
    solver: Annotated[
        str,
        typer.Option("--solver", autocompletion=one_of(SOLVERS), help="rc2, rc2-stratified or exhaustive."),
    ] = "rc2",
) -> None:
    """Solve a weighted MaxSAT file and print the lines of the MaxSAT Evaluation.

    c: solver and time.
    o: the cost, in the units of the file.
    s: OPTIMUM FOUND, or UNSATISFIABLE with exit code 1.
    v: the labels of variables 1, 2, ... as digits, 1 for true.
    This is the Evaluation's short form, in use since 2020.
    """
    from maieutic.errors import UnsatisfiableError
    from maieutic.solvers import load_solver, read_wcnf

    algorithm = load_solver(solver)
    problem = read_wcnf(file, rescale=False)
    start = time.perf_counter()
    try:
        solution = algorithm.solve(problem)
    except UnsatisfiableError:
        typer.echo("s UNSATISFIABLE")
        raise typer.Exit(1) from None
    typer.echo(f"c solver {solver}, {time.perf_counter() - start:.3f} s")
    typer.echo(f"o {_exact_sum([problem.soft[i].weight for i in problem.violated(solution.labels)])}")
    typer.echo("s OPTIMUM FOUND" if solution.optimal else "s SATISFIABLE")
    typer.echo("v " + "".join("01"[label] for label in solution.labels))


def _exact_sum(weights: Sequence[float]) -> str:
    """The sum of the numbers as the file writes them: of long integers, and of decimals like 0.1."""
    with localcontext(prec=MAX_DIGITS):
        return f"{sum((Decimal(str(weight)) for weight in weights), Decimal(0)).normalize():f}"
