"""The only calls of a MaxSAT solver: its solution is scored again before it is used."""

from __future__ import annotations

import math
from collections.abc import Sequence

from maieutic.errors import InputError, MaieuticError
from maieutic.solvers.problem import Solution, Solver, WeightedCNF, scored

__all__ = ["check_solver", "rescored", "solve"]


def check_solver(solver: Solver) -> None:
    """Refuse what is no solver.

    Raises:
        InputError: the name or the method is missing.
    """
    if not callable(getattr(solver, "solve", None)) or not isinstance(getattr(solver, "name", None), str):
        what = repr(solver) if isinstance(solver, str) else type(solver).__name__
        problem = f"solver must have a name and a method solve, but {what} has not"
        raise InputError(f"{problem}; see maieutic.solvers.Solver and load_solver", subject="solver")


def solve(solver: Solver, problem: WeightedCNF) -> Solution:
    """``solver.solve(problem)``, with its labels checked and their cost recomputed.

    Raises:
        UnsatisfiableError: the hard clauses contradict each other.
        MaieuticError: the result is no solution of the problem.
    """
    return rescored(problem, solver.solve(problem), solver)


def rescored(problem: WeightedCNF, solution: object, solver: Solver) -> Solution:
    """A solution that a solver claims, checked.

    Raises:
        MaieuticError: the solution has another type, a label is no truth value, a hard clause is violated,
            or the cost is not what was claimed; ``subject`` is the class and the method.
    """
    where = f"{type(solver).__name__}.solve"
    if not isinstance(solution, Solution):
        found = f"a value of type {type(solution).__name__}"
        raise MaieuticError(f"{where} returned {found}; it must return a Solution", subject=where)
    labels = solution.labels
    if not isinstance(labels, Sequence) or not all(value in (True, False) for value in labels):
        raise MaieuticError(
            f"{where} returned labels that are not truth values; give one for each variable", subject=where
        )
    if not math.isfinite(solution.cost) or not math.isfinite(solution.lower_bound):
        raise MaieuticError(f"{where} returned a cost that is not finite", subject=where)
    return scored(problem, labels, solution.lower_bound, solution.optimal, where)
