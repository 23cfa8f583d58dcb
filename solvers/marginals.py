"""Exact marginals: how likely each variable is true when a labelling's log-probability is minus its cost.

A problem whose weights are nats is also a log-linear model, P(labels) ∝ exp(−cost). Where the best
labelling says what is true, the marginals say how sure that is. They are computed by variable elimination
(a bucket tree, Dechter 1999) in the order of fewest neighbours; the work grows with 2 to the power of the
order's induced width, not of the number of variables. Soft clauses of one or two literals are a quadratic
form; every other clause is a table of its own over its variables.

A belief of 2 nats in the first of two variables that exclude each other, the second believed with 1:

>>> from maieutic.solvers.problem import SoftClause
>>> problem = WeightedCNF(soft=(SoftClause((1,), 2.0), SoftClause((2,), 1.0), SoftClause((-1, -2), 9.0)))
>>> [round(float(p), 3) for p in marginals(problem)]
[0.665, 0.245]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import UnsatisfiableError
from maieutic.solvers.energy import Energy, energy
from maieutic.solvers.problem import Clause, WeightedCNF

__all__ = ["MAX_WIDTH", "marginals"]

Table: TypeAlias = NDArray[np.float64]

MAX_WIDTH = 20
"""Largest induced width that is tried: tables of 2²¹ doubles, half a second."""

PAIR = 2  # literals of the longest soft clause that the quadratic form holds


@dataclass(frozen=True, slots=True)
class _Factor:
    """A clause that the quadratic form cannot hold, over the variables that are not fixed.

    Attributes:
        false: variable (from 0) → the value with which its literal is false; the clause is violated where
            every variable has that value.
        penalty: nats; infinite for a hard clause.
    """

    false: dict[int, bool]
    penalty: float

    def table(self, scope: Sequence[int]) -> Table:
        """Minus the penalty where the clause is violated, 0 elsewhere; one axis a variable of the scope."""
        table = np.zeros((2,) * len(scope))
        table[tuple(int(self.false[variable]) for variable in scope)] = -self.penalty
        return table


def marginals(problem: WeightedCNF, max_width: int = MAX_WIDTH) -> Table | None:
    """P(variable is true) for every variable, or None where the problem is too dense to say exactly.

    Args:
        problem: weights in nats.
        max_width: most variables that a table may range over.

    Returns:
        float64 (variables,), each in [0, 1]; None if the elimination order's width exceeds ``max_width``.

    Raises:
        UnsatisfiableError: the hard clauses contradict each other.
    """
    fixed = _fixed(problem.hard)
    short = tuple(item for item in problem.soft if len(item.clause) <= PAIR or len(set(item.clause)) <= PAIR)
    pairwise = problem if len(short) == len(problem.soft) else replace(problem, soft=short, hard=())
    form = energy(pairwise).given(fixed)
    factors = list(_factors(problem, fixed))
    buckets = _buckets(form, factors, [v for v in range(problem.variables) if v not in fixed])
    if max((len(bucket) - 1 for bucket in buckets), default=0) > max_width:
        return None
    found = np.array([float(fixed.get(v, False)) for v in range(problem.variables)])
    for variable, p in _eliminate(form, factors, buckets).items():
        found[variable] = p
    return found


def _fixed(hard: Sequence[Clause]) -> dict[int, bool]:
    """The variables that hard clauses of one literal fix."""
    fixed: dict[int, bool] = {}
    for index, clause in enumerate(hard):
        if not clause:
            raise UnsatisfiableError(f"hard[{index}] is empty: remove it", subject=f"hard[{index}]")
        if len(set(clause)) != 1:
            continue
        variable = abs(clause[0]) - 1
        if fixed.setdefault(variable, clause[0] > 0) != (clause[0] > 0):
            raise UnsatisfiableError(
                f"the hard clauses want variable {variable + 1} both true and false: drop one of them",
                subject=f"hard[{index}]",
            )
    return fixed


def _factors(problem: WeightedCNF, fixed: dict[int, bool]) -> Iterator[_Factor]:
    """The clauses of the problem that are neither fixed nor in the quadratic form."""
    clauses = [(clause, np.inf) for clause in problem.hard if len(set(clause)) > 1]
    clauses += [
        (s.clause, s.weight) for s in problem.soft if len(s.clause) > PAIR and len(set(s.clause)) > PAIR
    ]
    for clause, penalty in clauses:
        false = {abs(literal) - 1: literal < 0 for literal in clause}
        tautology = any(false[abs(literal) - 1] != (literal < 0) for literal in clause)
        if tautology or any(v in fixed and fixed[v] != value for v, value in false.items()):
            continue
        free = {v: value for v, value in false.items() if v not in fixed}
        if not free and penalty == np.inf:
            raise UnsatisfiableError(
                f"the hard clause {clause} contradicts hard clauses of one literal: drop one", subject="hard"
            )
        if free:
            yield _Factor(free, penalty)


def _buckets(form: Energy, factors: Sequence[_Factor], variables: Sequence[int]) -> list[tuple[int, ...]]:
    """An elimination order: each variable, then its neighbours at that time, in the order of elimination."""
    neighbours = {v: {o for o, weight in form.pairs[v].items() if weight != 0.0} for v in variables}
    for factor in factors:
        for variable in factor.false:
            neighbours[variable] |= factor.false.keys() - {variable}
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


def _eliminate(
    form: Energy, factors: Sequence[_Factor], buckets: Sequence[tuple[int, ...]]
) -> dict[int, float]:
    """Sum the variables out one by one, then go back: P(v, neighbours) = P(v | neighbours)·P(neighbours)."""
    place = {bucket[0]: index for index, bucket in enumerate(buckets)}
    messages: dict[int, list[tuple[tuple[int, ...], Table]]] = {variable: [] for variable in place}
    for factor in factors:
        scope = tuple(sorted(factor.false, key=place.__getitem__))
        messages[scope[0]].append((scope, factor.table(scope)))
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
        elif message == -np.inf:
            raise UnsatisfiableError("the hard clauses contradict each other; remove some", subject="hard")
    return _marginalised(buckets, conditional)


def _marginalised(buckets: Sequence[tuple[int, ...]], conditional: dict[int, Table]) -> dict[int, float]:
    """P(v is true) of every variable, from P(v is true | neighbours), in the reverse order of elimination."""
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
    """ln(eᵃ + eᵇ) and eᵇ / (eᵃ + eᵇ), a and b being the two halves of the table; ½ where both are −∞."""
    larger = np.maximum(table[0], table[1])
    impossible = larger == -np.inf
    base = np.where(impossible, 0.0, larger)
    ratio = np.exp(np.minimum(table[0], table[1]) - base)  # of the smaller to the larger: nothing overflows
    total = 1.0 + ratio
    likelier = np.where(table[1] >= table[0], 1.0, ratio) / total
    return np.where(impossible, -np.inf, base + np.log(total)), np.where(impossible, 0.5, likelier)
