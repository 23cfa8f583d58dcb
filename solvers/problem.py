"""Weighted partial MaxSAT: the problem, its solution and the solver protocol.

A problem has hard clauses, which every solution satisfies, and soft clauses, each with the weight that
violating it costs. An optimal solution is a labelling of the variables whose violated soft clauses have
the smallest total weight. Costs have the unit of the weights (nats, votes, …) and are never rescaled.

Two mutually exclusive statements, the first with the stronger belief:

>>> problem = WeightedCNF(hard=((-1, -2),), soft=(SoftClause((1,), 3.0), SoftClause((2,), 2.0)))
>>> problem.cost((True, False)), problem.satisfies_hard((True, True))
(2.0, False)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from maieutic.errors import MaieuticError, ProblemError

__all__ = [
    "MAX_VARIABLES",
    "Clause",
    "SoftClause",
    "Solution",
    "Solver",
    "WeightedCNF",
    "scored",
]

Clause: TypeAlias = tuple[int, ...]
"""A disjunction of DIMACS literals: v means that variable v is true, -v that it is false; v >= 1."""

MAX_VARIABLES = 100_000_000
"""Largest variable: SAT solvers store literals in 32 bits and allocate memory per variable."""

COST_TOLERANCE = 1e-9
"""Largest relative difference between a claimed and a recomputed cost that counts as rounding. A sum of n
positive doubles has a relative error of at most about n·2⁻⁵³, less than this for millions of clauses."""


@dataclass(frozen=True)
class SoftClause:
    """A clause that may be violated at the cost ``weight`` (finite, > 0, in the caller's unit).

    The empty clause is always violated: it adds its weight to the cost of every labelling.
    """

    clause: Clause
    weight: float


@dataclass(frozen=True)
class WeightedCNF:
    """A weighted partial MaxSAT problem over the variables 1..``variables``.

    Repeated clauses, repeated literals and tautologies are allowed; every repeated soft clause counts.

    Args:
        hard: clauses that must hold. An empty one makes the problem unsatisfiable.
        soft: clauses that should hold. Integer weights stay integers of any size.
        variables: number of variables; 0 (the default) means the largest variable in a clause.

    Raises:
        ProblemError: a literal is 0, not an integer or beyond ``variables``; a weight is not finite
            or not > 0; the sum of the weights overflows a double. ``subject`` is the clause (as in
            ``soft[1]``) or the argument.
    """

    hard: tuple[Clause, ...] = ()
    soft: tuple[SoftClause, ...] = ()
    variables: int = 0

    def __post_init__(self) -> None:
        # Copy to tuples, so that a later change to a caller's list does not change the problem.
        soft = tuple(SoftClause(tuple(item.clause), item.weight) for item in self.soft)
        object.__setattr__(self, "hard", tuple(tuple(clause) for clause in self.hard))
        object.__setattr__(self, "soft", soft)
        if type(self.variables) is not int or not 0 <= self.variables <= MAX_VARIABLES:
            raise ProblemError(
                f"variables={self.variables!r}: give a count from 0 to {MAX_VARIABLES}", subject="variables"
            )
        limit = self.variables or MAX_VARIABLES
        largest = 0
        for index, clause in enumerate(self.hard):
            largest = max(largest, _largest_variable(clause, limit, f"hard[{index}]"))
        for index, item in enumerate(soft):
            largest = max(largest, _largest_variable(item.clause, limit, f"soft[{index}]"))
            _check_weight(item.weight, f"soft[{index}]")
        object.__setattr__(self, "variables", self.variables or largest)
        _check_total(soft)

    @property
    def denominator(self) -> int:
        """The smallest power of two that makes every weight an integer; 1 if there are no weights."""
        return max((item.weight.as_integer_ratio()[1] for item in self.soft), default=1)

    @property
    def integer_weights(self) -> tuple[int, ...]:
        """The soft weights times ``denominator``, exactly.

        Every double is an integer divided by a power of two, so nothing is rounded. Weights of very
        different magnitude only make the integers long.
        """
        denominator = self.denominator
        ratios = (item.weight.as_integer_ratio() for item in self.soft)
        return tuple(numerator * (denominator // divisor) for numerator, divisor in ratios)

    def assuming(self, *literals: int) -> WeightedCNF:
        """The same problem with each literal added as a hard unit clause.

        Raises:
            ProblemError: a literal is 0 or beyond the problem's variables.
        """
        for literal in literals:
            self.check_literal(literal)
        return replace(self, hard=self.hard + tuple((literal,) for literal in literals))

    def violated(self, labels: Sequence[bool]) -> tuple[int, ...]:
        """Indices into ``soft`` of the clauses that the labels (one per variable) violate."""
        self._check_labels(labels)
        return tuple(i for i, item in enumerate(self.soft) if not _holds(item.clause, labels))

    def cost(self, labels: Sequence[bool]) -> float:
        """Total weight of the violated soft clauses, in the unit of the weights.

        The sum is rounded only once, so it does not depend on the order of the clauses.
        """
        return math.fsum(self.soft[index].weight for index in self.violated(labels))

    def satisfies_hard(self, labels: Sequence[bool]) -> bool:
        """Whether the labels (one per variable) satisfy every hard clause."""
        self._check_labels(labels)
        return all(_holds(clause, labels) for clause in self.hard)

    def _check_labels(self, labels: Sequence[bool]) -> None:
        if len(labels) != self.variables:
            raise ProblemError(
                f"{len(labels)} labels for {self.variables} variables; give one label per variable",
                subject="labels",
            )

    def check_literal(self, literal: int) -> None:
        """Raise ProblemError if the literal is 0 or beyond the problem's variables."""
        if type(literal) is not int or not 1 <= abs(literal) <= self.variables:
            raise ProblemError(
                f"literal {literal!r}: give v or -v for a variable v from 1 to {self.variables}",
                subject="literal",
            )


@dataclass(frozen=True)
class Solution:
    """A labelling that satisfies the hard clauses, with its cost and a bound on the optimum.

    Args:
        labels: one truth value per variable; variable v is ``labels[v - 1]``.
        cost: total weight of the violated soft clauses, in the unit of the weights.
        lower_bound: no labelling costs less; equals ``cost`` if optimal.
        optimal: whether the solver proved that no labelling costs less.
    """

    labels: tuple[bool, ...]
    cost: float
    lower_bound: float
    optimal: bool


class Solver(Protocol):
    """A weighted MaxSAT solver that returns its solution through :func:`scored`."""

    @property
    def name(self) -> str:
        """The solver's name in options and reports."""
        ...

    def solve(self, problem: WeightedCNF) -> Solution:
        """An optimal labelling of the problem.

        Raises:
            UnsatisfiableError: the hard clauses contradict each other.
        """
        ...


def scored(
    problem: WeightedCNF, labels: Sequence[bool], lower_bound: float, optimal: bool, solver: str
) -> Solution:
    """The solution with these labels, with the cost recomputed independently of the solver.

    Args:
        problem: the original problem, before any encoding.
        labels: one truth value per variable.
        lower_bound: the lower bound on the cost that the solver claims.
        optimal: whether the solver claims that the labels attain it.
        solver: name of the solver; the ``subject`` of the error.

    Raises:
        MaieuticError: the labels violate a hard clause, or their cost contradicts the claim. This is
            a bug in the solver, not an error in the input.
    """
    labels = tuple(bool(label) for label in labels)
    if len(labels) != problem.variables or not problem.satisfies_hard(labels):
        raise MaieuticError(
            f"solver {solver!r} returned labels that violate the hard clauses, which is a bug in the solver;"
            " report it with the problem and use another solver",
            subject=solver,
        )
    cost = problem.cost(labels)
    slack = COST_TOLERANCE * max(cost, lower_bound)
    if lower_bound - cost > slack or (optimal and cost - lower_bound > slack):
        raise MaieuticError(
            f"solver {solver!r} claimed the cost {lower_bound!r} but its labels cost {cost!r}, which is a"
            " bug in the solver; report it with the problem and use another solver",
            subject=solver,
        )
    return Solution(labels, cost, cost if optimal else min(lower_bound, cost), optimal)


def _holds(clause: Clause, labels: Sequence[bool]) -> bool:
    return any(bool(labels[abs(literal) - 1]) == (literal > 0) for literal in clause)


def _largest_variable(clause: Clause, limit: int, where: str) -> int:
    """The largest variable of a clause, 0 if it is empty; checks every literal."""
    for literal in clause:
        if type(literal) is not int:
            raise ProblemError(
                f"{where} = {clause}: literal {literal!r} is not an int; convert it", subject=where
            )
        if literal == 0:
            raise ProblemError(
                f"{where} = {clause}: literal 0 is not allowed; number the variables from 1", subject=where
            )
        if abs(literal) > limit:
            raise ProblemError(
                f"{where} = {clause}: literal {literal} is beyond the {limit} variables;"
                " renumber the variables or raise their count",
                subject=where,
            )
    return max(map(abs, clause), default=0)


def _check_weight(weight: float, where: str) -> None:
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight) or weight <= 0:
        raise ProblemError(
            f"{where} has the weight {weight!r}: a weight must be a finite number > 0;"
            " drop the clause, or negate it if the weight is < 0",
            subject=where,
        )


def _check_total(soft: tuple[SoftClause, ...]) -> None:
    try:
        math.fsum(item.weight for item in soft)
    except OverflowError as error:
        raise ProblemError(
            "the sum of the weights overflows a double; divide all weights", subject="soft"
        ) from error
