"""The cost of a pairwise problem as a quadratic form over 0/1 variables.

A clause is violated when all its literals are false, and each literal is false with s or 1 − s. The cost of a
clause of at most two literals is its weight times that product, so that all clauses together cost

    constant + Σᵢ linear[i]·sᵢ + Σ_{i<j} pairs[i][j]·sᵢ·sⱼ

This is the quadratic pseudo-Boolean function of a weighted 2-CNF (Boros and Hammer,
Pseudo-Boolean optimization, 2002).

Two statements that exclude each other, the first believed more:

>>> from maieutic.solvers.problem import SoftClause
>>> soft = (SoftClause((1,), 3.0), SoftClause((2,), 2.0), SoftClause((-1, -2), 9.0))
>>> energy(WeightedCNF(soft=soft))
Energy(constant=5.0, linear=(-3.0, -2.0), pairs=({1: 9.0}, {0: 9.0}))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from maieutic.errors import ProblemError
from maieutic.solvers.problem import WeightedCNF

__all__ = ["Energy", "energy"]


@dataclass(frozen=True, slots=True)
class Energy:
    """A quadratic form in the variables 0 … n − 1, in the unit of the weights.

    Attributes:
        constant: the cost of the labelling that is false everywhere.
        linear: one coefficient a variable.
        pairs: for each variable, the other variable → their coefficient; symmetric.
    """

    constant: float
    linear: tuple[float, ...]
    pairs: tuple[Mapping[int, float], ...]

    def given(self, fixed: Mapping[int, bool]) -> Energy:
        """The form once these variables have their values: no term mentions them any more."""
        true = [variable for variable, value in fixed.items() if value]
        within = sum(self.pairs[one].get(other, 0.0) for one in true for other in true if one < other)
        linear = [
            0.0 if variable in fixed else value + sum(row.get(other, 0.0) for other in true)
            for variable, (value, row) in enumerate(zip(self.linear, self.pairs, strict=True))
        ]
        pairs = [
            {} if variable in fixed else {other: w for other, w in row.items() if other not in fixed}
            for variable, row in enumerate(self.pairs)
        ]
        constant = self.constant + sum(self.linear[variable] for variable in true) + within
        return Energy(constant, tuple(linear), tuple(pairs))


def energy(problem: WeightedCNF) -> Energy:
    """The cost of the problem's soft clauses; equal to :meth:`WeightedCNF.cost` for every labelling.

    Raises:
        ProblemError: a soft clause has more than two different literals.
    """
    constant, linear = 0.0, [0.0] * problem.variables
    pairs: list[dict[int, float]] = [{} for _ in range(problem.variables)]
    for index, item in enumerate(problem.soft):
        literals = tuple(set(item.clause))
        if len(literals) > 2:
            raise ProblemError(
                f"soft[{index}] = {item.clause} has {len(literals)} literals, but a quadratic form takes at"
                " most two: split the clause, or solve the problem with 'rc2'",
                subject=f"soft[{index}]",
            )
        if len(literals) == 2 and literals[0] == -literals[1]:
            continue  # a tautology is never violated
        # Each literal is false with base + slope·s.
        false = [(abs(x) - 1, *((1.0, -1.0) if x > 0 else (0.0, 1.0))) for x in literals]
        constant += item.weight * math.prod(base for _, base, _ in false)
        if len(false) == 1:
            ((i, _, slope),) = false
            linear[i] += item.weight * slope
        elif false:
            (i, i_base, i_slope), (j, j_base, j_slope) = false
            linear[i] += item.weight * i_slope * j_base
            linear[j] += item.weight * i_base * j_slope
            weight = pairs[i].get(j, 0.0) + item.weight * i_slope * j_slope
            pairs[i][j] = pairs[j][i] = weight
    return Energy(constant, tuple(linear), tuple(pairs))
