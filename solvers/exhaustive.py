"""Exhaustive search: the reference against which every other solver is tested.

It scores all 2ⁿ labellings in blocks, with one numpy operation per literal, and prunes nothing.

>>> from maieutic.solvers.problem import SoftClause, WeightedCNF
>>> units = tuple(SoftClause((v,), w) for v, w in [(1, 0.5), (2, 2.0), (3, 0.25)])
>>> Exhaustive().solve(WeightedCNF(hard=((-1, -2), (-1, -3), (-2, -3)), soft=units))
Solution(labels=(False, True, False), cost=0.75, lower_bound=0.75, optimal=True)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from maieutic.errors import ProblemError, UnsatisfiableError
from maieutic.solvers.problem import Clause, Solution, WeightedCNF, scored

__all__ = ["EXHAUSTIVE_VARIABLES", "Exhaustive"]

EXHAUSTIVE_VARIABLES = 20
"""Largest number of variables: 2²⁰ labellings take a fraction of a second per hundred clauses."""

BLOCK = 1 << 16
"""Labellings scored at once. The arrays of one block take a few MiB at most."""

Bits: TypeAlias = npt.NDArray[np.bool_]
Costs: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Exhaustive:
    """Scores every labelling of at most ``EXHAUSTIVE_VARIABLES`` variables.

    Of equally cheap labellings it returns the first in counting order, where variable 1 is the
    lowest bit and false comes before true: (False, False) < (True, False) < (False, True).
    """

    name: str = "exhaustive"

    def solve(self, problem: WeightedCNF) -> Solution:
        """A cheapest labelling that satisfies the hard clauses; O(2ⁿ · literals) time.

        Raises:
            ProblemError: the problem has more than ``EXHAUSTIVE_VARIABLES`` variables.
            UnsatisfiableError: the hard clauses contradict each other.
        """
        if problem.variables > EXHAUSTIVE_VARIABLES:
            raise ProblemError(
                f"{problem.variables} variables: exhaustive search takes at most {EXHAUSTIVE_VARIABLES};"
                " use the solver 'rc2'",
                subject="variables",
            )
        best: tuple[int, int] | None = None  # (cost, code): the smaller code wins a tie
        count = 1 << problem.variables
        for start in range(0, count, BLOCK):
            candidate = _best_of(problem, np.arange(start, min(start + BLOCK, count)))
            if candidate is not None and (best is None or candidate < best):
                best = candidate
        if best is None:
            raise UnsatisfiableError("the hard clauses contradict each other; remove some", subject="hard")
        cost, code = best
        labels = [bool(code >> bit & 1) for bit in range(problem.variables)]
        return scored(problem, labels, float(Fraction(cost, problem.denominator)), True, self.name)


def _best_of(problem: WeightedCNF, codes: npt.NDArray[np.int64]) -> tuple[int, int] | None:
    """Smallest (cost times denominator, code) among the codes; None if all violate a hard clause.

    Costs are exact: 64-bit integers if the sum of the weights fits, else Python integers.
    """
    possible = np.ones(len(codes), dtype=np.bool_)
    for clause in problem.hard:
        possible &= _holds(clause, codes)
    codes = codes[possible]
    if not len(codes):
        return None
    weights = problem.integer_weights
    costs: Costs = np.zeros(len(codes), dtype=np.int64 if sum(weights) < 1 << 63 else object)
    for item, weight in zip(problem.soft, weights, strict=True):
        costs[~_holds(item.clause, codes)] += weight
    first = int(costs.argmin())
    return int(costs[first]), int(codes[first])


def _holds(clause: Clause, codes: npt.NDArray[np.int64]) -> Bits:
    """Whether each code satisfies the clause; shape (codes,). Bit v - 1 of a code labels variable v."""
    holds = np.zeros(len(codes), dtype=np.bool_)
    for literal in clause:
        holds |= (codes >> (abs(literal) - 1) & 1) == (literal > 0)
    return holds
