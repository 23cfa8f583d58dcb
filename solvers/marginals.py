"""Exact marginals: how likely each variable is true when a labelling's log-probability is minus its cost.

A problem whose weights are nats is also a log-linear model, P(labels) ∝ exp(−cost). Where the best
labelling says what is true, the marginals say how sure that is. They are computed by variable elimination
(a bucket tree, Dechter 1999) in the order of fewest neighbours; the work grows with 2 to the power of the
order's induced width, not of the number of variables.

A belief of 2 nats in the first of two variables that exclude each other, the second believed with 1:

>>> from maieutic.solvers.problem import SoftClause
>>> problem = WeightedCNF(soft=(SoftClause((1,), 2.0), SoftClause((2,), 1.0), SoftClause((-1, -2), 9.0)))
>>> [round(float(p), 3) for p in marginals(problem)]
[0.665, 0.245]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import ProblemError, UnsatisfiableError
from maieutic.solvers.energy import Energy, energy
from maieutic.solvers.problem import Clause, WeightedCNF

__all__ = ["MAX_WIDTH", "marginals"]

Table: TypeAlias = NDArray[np.float64]

MAX_WIDTH = 20
"""Largest induced width that is tried: tables of 2²¹ doubles, half a second."""


def marginals(problem: WeightedCNF, max_width: int = MAX_WIDTH) -> Table | None:
    """P(variable is true) for every variable, or None where the problem is too dense to say exactly.

    Args:
        problem: soft clauses of at most two literals, weights in nats; hard clauses of one literal.
        max_width: most variables that a table may range over.

    Returns:
        float64 (variables,), each in [0, 1]; None if the elimination order's width exceeds ``max_width``.

    Raises:
        ProblemError: a clause is longer than that.
        UnsatisfiableError: two hard clauses contradict each other.
    """
    fixed = _fixed(problem.hard)
    form = energy(problem).given(fixed)
    buckets = _buckets(form, [v for v in range(problem.variables) if v not in fixed])
    if max((len(bucket) - 1 for bucket in buckets), default=0) > max_width:
        return None
    found = np.array([float(fixed.get(v, False)) for v in range(problem.variables)])
    for variable, p in _eliminate(form, buckets).items():
        found[variable] = p
    return found


def _fixed(hard: Sequence[Clause]) -> dict[int, bool]:
    fixed: dict[int, bool] = {}
    for index, clause in enumerate(hard):
        if len(set(clause)) != 1:
            raise ProblemError(
                f"hard clause {clause}: marginals need hard clauses of one literal; use a solver instead",
                subject=f"hard[{index}]",
            )
        variable = abs(clause[0]) - 1
        if fixed.setdefault(variable, clause[0] > 0) != (clause[0] > 0):
            raise UnsatisfiableError(
                f"the hard clauses want variable {variable + 1} both true and false: drop one of them",
                subject=f"hard[{index}]",
            )
    return fixed


def _buckets(form: Energy, variables: Sequence[int]) -> list[tuple[int, ...]]:
    """An elimination order: each variable, then its neighbours at that time, in the order of elimination."""
    neighbours = {v: {o for o, weight in form.pairs[v].items() if weight != 0.0} for v in variables}
    found = []
    while neighbours:
        variable = min(neighbours, key=lambda v: (len(neighbours[v]), v))
        around = neighbours.pop(variable)
        for other in around:
            neighbours[other] |= around
            neighbours[other] -= {variable, other}
        found.append((variable, around))
    place = {variable: index for index, (variable, _) in enumerate(found)}
    return [(variable, *sorted(around, key=place.__getitem__)) for variable, around in found]


def _eliminate(form: Energy, buckets: Sequence[tuple[int, ...]]) -> dict[int, float]:
    """Sum the variables out one by one, then go back: P(v, neighbours) = P(v | neighbours)·P(neighbours)."""
    messages: dict[int, list[tuple[tuple[int, ...], Table]]] = {bucket[0]: [] for bucket in buckets}
    conditional: dict[int, Table] = {}
    for bucket in buckets:
        variable, *around = bucket
        table = np.zeros((2,) * len(bucket))
        table[1] -= form.linear[variable] + _sums([form.pairs[variable].get(o, 0.0) for o in around])
        for scope, message in messages.pop(variable):
            table += _spread(message, scope, bucket)
        message, conditional[variable] = _summed_out(table)
        if around:
            messages[around[0]].append((tuple(around), message))
    joint: dict[int, tuple[tuple[int, ...], Table]] = {}
    found: dict[int, float] = {}
    for bucket in reversed(buckets):
        variable, *around = bucket
        outside = np.ones(())
        if around:
            scope, probabilities = joint[around[0]]
            summed = tuple(axis for axis, other in enumerate(scope) if other not in around)
            outside = probabilities.sum(axis=summed)
        true = conditional[variable] * outside
        joint[variable] = (bucket, np.stack([outside - true, true]))
        found[variable] = min(1.0, max(0.0, float(true.sum())))
    return found


def _sums(weights: Sequence[float]) -> Table:
    """Σ weights[i]·sᵢ for every s; float64 (2, 2, …), one axis a weight."""
    table = np.zeros(1)
    for weight in reversed(weights):
        table = np.concatenate([table, table + weight])
    return table.reshape((2,) * len(weights))


def _spread(table: Table, scope: Sequence[int], bucket: Sequence[int]) -> Table:
    """The table with an axis for every variable of the bucket, of length 1 where it has none."""
    return table.reshape(tuple(2 if variable in scope else 1 for variable in bucket))


def _summed_out(table: Table) -> tuple[Table, Table]:
    """ln(eᵃ + eᵇ) and eᵇ / (eᵃ + eᵇ), a and b being the two halves of the table."""
    difference = table[1] - table[0]
    ratio = np.exp(-np.abs(difference))  # of the smaller to the larger, so that nothing overflows
    total = 1.0 + ratio
    message = np.maximum(table[0], table[1]) + np.log(total)
    return message, np.where(difference >= 0, 1.0, ratio) / total
