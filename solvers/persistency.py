"""Persistency: literals that some cheapest labelling makes true, found by weights alone.

A literal is fixed where making it true can never cost more than it saves: its soft units weigh at least as
much as those of its negation and all other clauses with its negation together. Fixing it satisfies or
shortens clauses, so that others follow. What is left is solved by another solver, for memories of a hundred
thousand propositions part by part (:class:`maieutic.solvers.components.Partwise`).

References:
    P. Hammer, P. Hansen, B. Simeone. "Roof Duality, Complementation and Persistency in Quadratic 0–1
    Optimization". Mathematical Programming 28, 1984, pp. 121–155. (The term.)
    J. Desmet, M. De Maeyer, B. Hazes, I. Lasters. "The Dead-End Elimination Theorem and its Use in Protein
    Side-Chain Positioning". Nature 356, 1992, pp. 539–542. (The criterion, for any cost functions.)

>>> from maieutic.solvers.problem import SoftClause
>>> soft = (SoftClause((1,), 3.0), SoftClause((-1, 2), 2.0), SoftClause((-2,), 1.0))
>>> persistent_literals(WeightedCNF(soft=soft))
(1, 2)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from maieutic.errors import UnsatisfiableError
from maieutic.solvers.calls import solve
from maieutic.solvers.problem import Clause, SoftClause, Solution, Solver, WeightedCNF, scored

__all__ = ["Persistent", "persistent_literals"]

ROUNDING = 1e-9  # relative: sums of weights change as clauses are satisfied, each time with an error of 2⁻⁵³


@dataclass(frozen=True, slots=True)
class Persistent:
    """Fixes what is persistent, solves the rest with another solver, and puts the labels together.

    Attributes:
        literals: what is persistent in the problem, where it is known already.
    """

    inner: Solver
    literals: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """The name of the solver of the rest."""
        return self.inner.name

    def solve(self, problem: WeightedCNF) -> Solution:
        """A cheapest labelling, as cheap as the inner solver finds one for the rest.

        Raises:
            UnsatisfiableError: the hard clauses contradict each other.
        """
        literals = persistent_literals(problem) if self.literals is None else self.literals
        fixed = {abs(literal): literal > 0 for literal in literals}
        rest, free = _rest(problem, fixed)
        solution = solve(self.inner, rest)
        labels = [fixed.get(variable, False) for variable in range(1, problem.variables + 1)]
        for variable, label in zip(free, solution.labels, strict=True):
            labels[variable - 1] = label
        bound = problem.cost(labels) - solution.cost + solution.lower_bound
        return scored(problem, labels, bound, solution.optimal, self.name)


def persistent_literals(problem: WeightedCNF) -> tuple[int, ...]:
    """Literals that hold in one and the same cheapest labelling, those of hard units among them.

    Raises:
        UnsatisfiableError: two hard units contradict each other.
    """
    search = _Search(problem)
    while search.queue:
        search.step()
    return tuple(variable if label else -variable for variable, label in sorted(search.fixed.items()))


@dataclass
class _Search:
    """Which clauses are open, and what the literals weigh in them."""

    problem: WeightedCNF
    fixed: dict[int, bool] = field(default_factory=dict)
    queue: deque[int] = field(default_factory=deque)

    def __post_init__(self) -> None:
        hard = [tuple(dict.fromkeys(clause)) for clause in self.problem.hard]
        soft = [tuple(dict.fromkeys(item.clause)) for item in self.problem.soft]
        self.clauses: list[Clause] = [*hard, *soft]
        self.weights = [float("inf")] * len(hard) + [item.weight for item in self.problem.soft]
        self.open = [True] * len(self.clauses)
        self.length = [len(clause) for clause in self.clauses]
        self.having: dict[int, list[int]] = {}
        self.waiting: set[int] = set()
        for index, clause in enumerate(self.clauses):
            for literal in clause:
                self.having.setdefault(literal, []).append(index)
        for variable in range(1, self.problem.variables + 1):
            self._wait(variable)

    def step(self) -> None:
        """Look at one variable, and fix it if it is persistent."""
        variable = self.queue.popleft()
        self.waiting.discard(variable)
        if variable in self.fixed:
            return
        yes, no = self._weight(variable), self._weight(-variable)
        if yes[0] == no[0] == float("inf"):
            raise UnsatisfiableError("the hard clauses contradict each other; remove some", subject="hard")
        for literal, mine, other in ((variable, yes, no), (-variable, no, yes)):
            against = other[0] + other[1]
            if mine[0] == float("inf") or mine[0] >= against * (1.0 + ROUNDING):
                self._fix(literal)
                return

    def _weight(self, literal: int) -> tuple[float, float]:
        """What the literal's open units weigh, and its other open clauses."""
        alone = together = 0.0
        for index in self.having.get(literal, ()):
            if self.open[index]:
                if self.length[index] == 1:
                    alone += self.weights[index]
                else:
                    together += self.weights[index]
        return alone, together

    def _fix(self, literal: int) -> None:
        self.fixed[abs(literal)] = literal > 0
        for index in self.having.get(literal, ()):
            if self.open[index]:
                self.open[index] = False
                self._touch(index)
        for index in self.having.get(-literal, ()):
            if self.open[index]:
                self.length[index] -= 1
                self._touch(index)

    def _touch(self, index: int) -> None:
        """Look again at the free variables of a clause that changed."""
        for literal in self.clauses[index]:
            self._wait(abs(literal))

    def _wait(self, variable: int) -> None:
        if variable not in self.fixed and variable not in self.waiting:
            self.waiting.add(variable)
            self.queue.append(variable)


def _rest(problem: WeightedCNF, fixed: dict[int, bool]) -> tuple[WeightedCNF, list[int]]:
    """The problem of the variables that are free, which are returned, without what the fixed ones decide."""
    free = [variable for variable in range(1, problem.variables + 1) if variable not in fixed]
    place = {variable: number for number, variable in enumerate(free, 1)}

    def left(clause: Clause) -> Clause | None:
        """What is left of a clause; None where it is satisfied."""
        if any(abs(one) in fixed and fixed[abs(one)] == (one > 0) for one in clause):
            return None
        moved = (place[abs(one)] if one > 0 else -place[abs(one)] for one in clause if abs(one) not in fixed)
        return tuple(moved)

    hard = (left(clause) for clause in problem.hard)
    soft = ((left(item.clause), item.weight) for item in problem.soft)
    return (
        WeightedCNF(
            tuple(clause for clause in hard if clause is not None),
            tuple(SoftClause(clause, weight) for clause, weight in soft if clause),
            len(free),
        ),
        free,
    )
