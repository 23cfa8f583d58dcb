"""``maieutic solve``: solve a weighted MaxSAT file; output as in the MaxSAT Evaluation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.cli.completion import SOLVERS, one_of
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.solvers.certify import Certificate

__all__ = ["solve"]

MAX_DIGITS = 1000  # more than any sum of doubles needs, from 10^308 down to 10^-324


def solve(
    file: Annotated[Path, typer.Argument(help="WCNF file, old or 2022 form; may end in .gz or .xz.")],
    solver: Annotated[
        str,
        typer.Option("--solver", autocompletion=one_of(SOLVERS), help="rc2, rc2-stratified or exhaustive."),
    ] = "rc2",
    certify: Annotated[
        bool,
        typer.Option(
            "--certify",
            help="Check the solution independently: its cost, and by another SAT solver and encoding that "
            "nothing costs less. Exit code 0 only if both hold.",
        ),
    ] = False,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof",
            metavar="FILE",
            show_default=False,
            help="With --certify: write the DRAT proof that nothing costs less, its CNF beside it (.cnf).",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite output files that exist.")] = False,
) -> None:
    """Solve a weighted MaxSAT file and print the lines of the MaxSAT Evaluation.

    c: solver and time.
    o: the cost, in the units of the file.
    s: OPTIMUM FOUND, or UNSATISFIABLE with exit code 1.
    v: the labels of variables 1, 2, ... as digits, 1 for true.
    This is the Evaluation's short form, in use since 2020. With --certify two more comments say whether the
    cost is right and whether nothing costs less.
    """
    from maieutic.cli.outputs import try_output
    from maieutic.errors import UnsatisfiableError
    from maieutic.solvers import load_solver, read_wcnf
    from maieutic.solvers.certify import verify

    if proof is not None and not certify:
        raise InputError("--proof needs --certify; give both", subject="--proof")
    algorithm = load_solver(solver)
    for path in _proof_files(proof):
        try_output("--proof", path, force=force, reads=(file,))
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
    if certify:
        certificate = verify(problem, solution, proof=proof is not None)
        _print_certificate(certificate)
        _write_proof(certificate, proof, force=force)
        if not certificate.holds:
            raise typer.Exit(1)


def _proof_files(proof: Path | None) -> list[Path]:
    """The proof and its CNF."""
    return [] if proof is None else [proof, proof.with_name(f"{proof.name}.cnf")]


def _print_certificate(certificate: Certificate) -> None:
    from maieutic.solvers.certify import CHECKER

    cost = "the cost is right" if certificate.cost_holds else "THE COST IS WRONG"
    size = f"{certificate.variables} variables, {certificate.clauses} clauses"
    optimal = "nothing costs less" if certificate.optimal else "SOMETHING COSTS LESS"
    typer.echo(f"c certificate: {cost}")
    typer.echo(f"c certificate: {optimal} ({CHECKER}, adders, {size})")


def _write_proof(certificate: Certificate, proof: Path | None, *, force: bool) -> None:
    from maieutic.cli.outputs import write_output

    if certificate.optimal:
        for path, text in zip(_proof_files(proof), (certificate.proof, certificate.cnf), strict=False):
            write_output(path, text.encode(), force=force)


def _exact_sum(weights: Sequence[float]) -> str:
    """The sum of the numbers as the file writes them: of long integers, and of decimals like 0.1."""
    with localcontext(prec=MAX_DIGITS):
        return f"{sum((Decimal(str(weight)) for weight in weights), Decimal(0)).normalize():f}"
