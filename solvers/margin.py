"""The margin of a variable: how much more the optimum costs if it must take its other value.

Two mutually exclusive statements, the first with the stronger belief:

>>> from maieutic.solvers.problem import SoftClause
>>> margin(WeightedCNF(hard=((-1, -2),), soft=(SoftClause((1,), 3.0), SoftClause((2,), 2.0))), 1)
1.0
"""

from __future__ import annotations

import math

from maieutic.errors import UnsatisfiableError
from maieutic.solvers.calls import rescored, solve
from maieutic.solvers.problem import Solution, Solver, WeightedCNF

__all__ = ["margin"]


def margin(
    problem: WeightedCNF, literal: int, solver: Solver | None = None, best: Solution | None = None
) -> float:
    """How much more the optimum costs if the literal must take its other value.

    Args:
        problem: the problem.
        literal: v or -v; both give the same margin, since both flip the same variable.
        solver: the solver to use; RC2 by default.
        best: the problem's optimal solution, if already known; saves one of two solver calls.

    Returns:
        A cost difference >= 0 in the unit of the weights. 0 means that both values are equally good;
        ``math.inf`` means that the hard clauses exclude the other value.

    Raises:
        ProblemError: the literal is 0 or beyond the problem's variables.
        UnsatisfiableError: the problem has no solution.
    """
    problem.check_literal(literal)
    if solver is None:
        from maieutic.solvers.rc2 import RC2  # noqa: PLC0415 - python-sat is slow to load

        solver = RC2()
    best = solve(solver, problem) if best is None else rescored(problem, best, solver)
    variable = abs(literal)
    flipped = problem.assuming(-variable if best.labels[variable - 1] else variable)
    try:
        other = solve(solver, flipped)
    except UnsatisfiableError:
        return math.inf
    return max(0.0, other.cost - best.cost)
