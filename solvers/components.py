"""The independent parts of a problem: variables that no chain of clauses connects.

The cheapest labelling of a problem is that of its parts, side by side, and so are its marginals.

>>> from maieutic.solvers.problem import SoftClause
>>> soft = (SoftClause((1,), 3.0), SoftClause((-1, 3), 2.0), SoftClause((-2,), 1.0))
>>> [(part.variables, part.problem.soft[0].clause) for part in components(WeightedCNF(soft=soft))]
[((1, 3), (1,)), ((2,), (-1,))]
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from maieutic.solvers.calls import solve
from maieutic.solvers.problem import Clause, SoftClause, Solution, Solver, WeightedCNF, scored

__all__ = ["Component", "Partwise", "components"]


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a problem, as a problem of its own.

    Attributes:
        variables: those of the whole, ascending; the part's variable i is ``variables[i - 1]``.
    """

    problem: WeightedCNF
    variables: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Partwise:
    """Solves each part of a problem on its own with another solver, and puts the labels together."""

    inner: Solver

    @property
    def name(self) -> str:
        """The name of the solver of the parts."""
        return self.inner.name

    def solve(self, problem: WeightedCNF) -> Solution:
        """A cheapest labelling, as cheap as the solver of the parts finds one.

        Raises:
            UnsatisfiableError: the hard clauses contradict each other.
        """
        labels = [False] * problem.variables
        bound, optimal = 0.0, True
        parts = components(problem) or [Component(problem, ())]
        for part in parts:
            solution = solve(self.inner, part.problem)
            for variable, label in zip(part.variables, solution.labels, strict=True):
                labels[variable - 1] = label
            bound += solution.lower_bound
            optimal &= solution.optimal
        return scored(problem, labels, bound, optimal, self.name)


def components(problem: WeightedCNF) -> list[Component]:
    """The parts, by their first variable; a variable without clauses is a part of its own.

    Empty clauses, hard or soft, belong to the first part.
    """
    parent = list(range(problem.variables + 1))
    clauses = (*problem.hard, *(item.clause for item in problem.soft))
    for clause in clauses:
        for literal in clause:
            parent[_find(parent, abs(literal))] = _find(parent, abs(clause[0]))
    members: dict[int, list[int]] = defaultdict(list)
    for variable in range(1, problem.variables + 1):
        members[_find(parent, variable)].append(variable)
    first = next(iter(members), 0)
    hard: dict[int, list[Clause]] = defaultdict(list)
    soft: dict[int, list[SoftClause]] = defaultdict(list)
    for clause in problem.hard:
        hard[_find(parent, abs(clause[0])) if clause else first].append(clause)
    for item in problem.soft:
        soft[_find(parent, abs(item.clause[0])) if item.clause else first].append(item)
    return [_part(hard[root], soft[root], tuple(variables)) for root, variables in members.items()]


def _part(hard: list[Clause], soft: list[SoftClause], variables: tuple[int, ...]) -> Component:
    place = {variable: index for index, variable in enumerate(variables, 1)}

    def moved(clause: Clause) -> Clause:
        return tuple(place[abs(literal)] if literal > 0 else -place[abs(literal)] for literal in clause)

    items = tuple(SoftClause(moved(item.clause), item.weight) for item in soft)
    return Component(WeightedCNF(tuple(map(moved, hard)), items, len(variables)), variables)


def _find(parent: list[int], item: int) -> int:
    """The representative of an item's set, with the path to it halved."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item
