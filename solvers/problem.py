"""Weighted partial MaxSAT: the problem, its solution, and what any solver must satisfy.

A problem has hard clauses, which every solution satisfies, and soft clauses, each with the price of
violating it. A best solution is a labelling of the variables whose violated soft clauses have the
smallest total weight. Costs have the unit of the weights (nats, votes, …); nothing rescales them.

Two statements that exclude each other, the first believed more:

>>> problem = WeightedCNF(hard=((-1, -2),), soft=(SoftClause((1,), 3.0), SoftClause((2,), 2.0)))
>>> problem.cost((True, False)), problem.satisfies_hard((True, True))
(2.0, False)
>>> margin(problem, 1)
1.0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from maieutic.errors import MaieuticError, ProblemError, UnsatisfiableError

__all__ = [
    "MAX_VARIABLES",
    "Clause",
    "SoftClause",
    "Solution",
    "Solver",
    "WeightedCNF",
    "margin",
    "scored",
]

Clause: TypeAlias = tuple[int, ...]
"""A disjunction of DIMACS literals: v says that variable v is true, -v that it is false; v >= 1."""

MAX_VARIABLES = 100_000_000
"""SAT solvers hold literals in 32 bits and allocate per variable: a larger one is a slip."""

COST_TOLERANCE = 1e-9
"""Relative difference between a claimed and a recomputed cost that passes as rounding: a sum of n
positive doubles is off by at most about n·2⁻⁵³, which is less than this for millions of clauses."""


@dataclass(frozen=True)
class SoftClause:
    """A clause that may be violated, at the price ``weight`` (finite, > 0, in the caller's unit).

    The empty clause is always violated: it adds its weight to the cost of every labelling.
    """

    clause: Clause
    weight: float


@dataclass(frozen=True)
class WeightedCNF:
    """A weighted partial MaxSAT problem over the variables 1..``variables``.

    Repeated clauses, repeated literals and tautologies are allowed and mean what they say.

    Args:
        hard: clauses that must hold. An empty one makes the problem unsatisfiable.
        soft: clauses that should hold. Integer weights are kept as integers, of any size.
        variables: how many variables there are; 0, the default, takes the largest that is named.

    Raises:
        ProblemError: a literal is 0, not an integer or beyond ``variables``; a weight is not finite
            or not > 0; the weights add up to more than a double can hold.
    """

    hard: tuple[Clause, ...] = ()
    soft: tuple[SoftClause, ...] = ()
    variables: int = 0

    def __post_init__(self) -> None:
        # Own copies as tuples: a caller's list must not change the problem later.
        soft = tuple(SoftClause(tuple(item.clause), item.weight) for item in self.soft)
        object.__setattr__(self, "hard", tuple(tuple(clause) for clause in self.hard))
        object.__setattr__(self, "soft", soft)
        if type(self.variables) is not int or not 0 <= self.variables <= MAX_VARIABLES:
            raise ProblemError(f"variables={self.variables!r}: give a count from 0 to {MAX_VARIABLES}")
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
        """The smallest power of two that turns every weight into an integer (1 without any)."""
        return max((item.weight.as_integer_ratio()[1] for item in self.soft), default=1)

    @property
    def integer_weights(self) -> tuple[int, ...]:
        """The soft weights times ``denominator``, exactly.

        Every double is an integer over a power of two, so nothing is rounded; weights hundreds of
        orders of magnitude apart only make the integers long.
        """
        denominator = self.denominator
        ratios = (item.weight.as_integer_ratio() for item in self.soft)
        return tuple(above * (denominator // below) for above, below in ratios)

    def assuming(self, *literals: int) -> WeightedCNF:
        """The same problem with each literal as a further hard unit clause.

        Raises:
            ProblemError: a literal is 0 or its variable is not one of the problem's.
        """
        for literal in literals:
            self._check_literal(literal)
        return replace(self, hard=self.hard + tuple((literal,) for literal in literals))

    def violated(self, labels: Sequence[bool]) -> tuple[int, ...]:
        """Indices into ``soft`` of the clauses that the labels (one per variable) violate."""
        self._check_labels(labels)
        return tuple(i for i, item in enumerate(self.soft) if not _holds(item.clause, labels))

    def cost(self, labels: Sequence[bool]) -> float:
        """Total weight of the violated soft clauses, in the unit of the weights.

        The sum is rounded once, at its end, so the order of the clauses does not change it.
        """
        return math.fsum(self.soft[index].weight for index in self.violated(labels))

    def satisfies_hard(self, labels: Sequence[bool]) -> bool:
        """Whether the labels (one per variable) satisfy every hard clause."""
        self._check_labels(labels)
        return all(_holds(clause, labels) for clause in self.hard)

    def _check_labels(self, labels: Sequence[bool]) -> None:
        if len(labels) != self.variables:
            raise ProblemError(
                f"{len(labels)} labels for {self.variables} variables: give one label per variable"
            )

    def _check_literal(self, literal: int) -> None:
        if type(literal) is not int or not 1 <= abs(literal) <= self.variables:
            raise ProblemError(
                f"literal {literal!r}: give v or -v for a variable v from 1 to {self.variables}"
            )


@dataclass(frozen=True)
class Solution:
    """A labelling that satisfies the hard clauses, and what is known about it.

    Args:
        labels: one truth value per variable; variable v is ``labels[v - 1]``.
        cost: total weight of the violated soft clauses, in the unit of the weights.
        lower_bound: no labelling costs less than this; equals ``cost`` when optimal.
        optimal: whether the solver proved that nothing is cheaper.
    """

    labels: tuple[bool, ...]
    cost: float
    lower_bound: float
    optimal: bool


class Solver(Protocol):
    """Anything that solves weighted MaxSAT and returns its answer through :func:`scored`."""

    @property
    def name(self) -> str:
        """The name it goes by in options and reports."""
        ...

    def solve(self, problem: WeightedCNF) -> Solution:
        """A best labelling of the problem.

        Raises:
            UnsatisfiableError: the hard clauses contradict each other.
        """
        ...


def scored(
    problem: WeightedCNF, labels: Sequence[bool], lower_bound: float, optimal: bool, solver: str
) -> Solution:
    """The solution with these labels, its cost computed here and not taken from the solver.

    Args:
        problem: the problem as the caller posed it, before any encoding.
        labels: one truth value per variable.
        lower_bound: the cost the solver proved to be the least possible.
        optimal: whether the solver claims that the labels attain it.
        solver: who made the claim, for the message.

    Raises:
        MaieuticError: the labels break a hard clause, or their cost contradicts the claim. That is
            a defect of the solver, never of the input.
    """
    labels = tuple(bool(label) for label in labels)
    if len(labels) != problem.variables or not problem.satisfies_hard(labels):
        raise MaieuticError(
            f"solver {solver!r} returned labels that do not satisfy the hard clauses;"
            " this is a defect of the solver: report it with the problem, and use another meanwhile"
        )
    cost = problem.cost(labels)
    slack = COST_TOLERANCE * max(cost, lower_bound)
    if lower_bound - cost > slack or (optimal and cost - lower_bound > slack):
        raise MaieuticError(
            f"solver {solver!r} claimed the cost {lower_bound!r} but its labels cost {cost!r};"
            " this is a defect of the solver: report it with the problem, and use another meanwhile"
        )
    return Solution(labels, cost, cost if optimal else min(lower_bound, cost), optimal)


def margin(
    problem: WeightedCNF, literal: int, solver: Solver | None = None, best: Solution | None = None
) -> float:
    """How much dearer the best solution becomes when the literal must take its other value.

    Args:
        problem: the problem.
        literal: v or -v; both give the same margin, since either flips the same variable.
        solver: who solves it; RC2 unless given.
        best: the problem's best solution, where it is already known; saves one of two solves.

    Returns:
        A cost difference >= 0 in the unit of the weights. 0 is a coin toss; ``math.inf`` says that
        the hard clauses leave the literal no other value.

    Raises:
        ProblemError: the literal is 0 or beyond the problem's variables.
        UnsatisfiableError: the problem itself has no solution.
    """
    problem._check_literal(literal)
    if solver is None:
        # Deferred: python-sat loads only where RC2 is used, and rc2 imports this module.
        from maieutic.solvers.rc2 import RC2  # noqa: PLC0415

        solver = RC2()
    best = _checked(problem, best or solver.solve(problem), solver)
    variable = abs(literal)
    flipped = problem.assuming(-variable if best.labels[variable - 1] else variable)
    try:
        other = _checked(flipped, solver.solve(flipped), solver)
    except UnsatisfiableError:
        return math.inf
    return max(0.0, other.cost - best.cost)


def _checked(problem: WeightedCNF, solution: Solution, solver: Solver) -> Solution:
    """The solution, scored again: a solver from outside need not have done so."""
    return scored(problem, solution.labels, solution.lower_bound, solution.optimal, solver.name)


def _holds(clause: Clause, labels: Sequence[bool]) -> bool:
    return any(bool(labels[abs(literal) - 1]) == (literal > 0) for literal in clause)


def _largest_variable(clause: Clause, limit: int, where: str) -> int:
    """The largest variable of a clause (0 for the empty one), all its literals checked."""
    for literal in clause:
        if type(literal) is not int:
            raise ProblemError(f"{where} = {clause}: literal {literal!r} is not an int; convert it")
        if literal == 0:
            raise ProblemError(f"{where} = {clause}: there is no literal 0; variables count from 1")
        if abs(literal) > limit:
            raise ProblemError(
                f"{where} = {clause}: literal {literal} is beyond the {limit} variables;"
                " renumber the variables or raise their count"
            )
    return max(map(abs, clause), default=0)


def _check_weight(weight: float, where: str) -> None:
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight) or weight <= 0:
        raise ProblemError(
            f"{where} has the weight {weight!r}: a weight is a finite number > 0;"
            " drop the clause if it should not count, negate it if the weight is < 0"
        )


def _check_total(soft: tuple[SoftClause, ...]) -> None:
    try:
        math.fsum(item.weight for item in soft)
    except OverflowError as error:
        raise ProblemError("the weights add up to more than a double can hold: divide them all") from error
