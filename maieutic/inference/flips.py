"""What would change an answer: the lightest set of constraints without which the opposite is as good.

Removing a set R flips the answer if the best labelling of what is left with Q the other way costs no more
than the best one with Q as it is. Write V(s) for the constraints that a labelling s violates. For the flipped
labelling s, R can only help inside V(s), and it must satisfy, for every labelling t with Q as it is,

    weight of R − V(t)  ≥  cost(s) − cost(t).

Three exact steps find the lightest R:

1. The flipped labellings come cheapest first, and only those whose V(s) contains no earlier one's (minimal
   correction sets, enumerated with MaxSAT): a superset needs no lighter R.
2. For each s, branch and bound finds the lightest R inside V(s) that satisfies the inequality for all t
   found so far. A MaxSAT call looks for a t that violates it; its inequality joins the others; and so on.
3. R weighs at least cost(s) − cost of the best labelling with Q as it is. The search ends when that reaches
   the weight of the best R so far.

Reference: A. Morgado, M. Liffiton, J. Marques-Silva. "MaxSAT-Based MCS Enumeration". HVC 2012, pp. 86–101.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from maieutic.errors import MaieuticError, UnsatisfiableError
from maieutic.inference.base import Verdict
from maieutic.solvers import Solver, WeightedCNF, load_solver
from maieutic.solvers.calls import solve
from maieutic.tree import ROOT

if TYPE_CHECKING:
    from maieutic.answer import Answer

__all__ = ["Flip", "flip", "with_flip"]

SECONDS = 60.0  # at most, in all; sixteen propositions take a tenth of a second
TOLERANCE = 1e-6  # of the sum of all weights: costs and weights that are closer count as equal


@dataclass(frozen=True, slots=True)
class Flip:
    """What an answer stands on.

    Attributes:
        removed: indices of the constraints without which the opposite answer is at least as good; empty if
            it is as good already.
        weight: what they weigh together, nats; no other such set weighs less.
    """

    removed: tuple[int, ...]
    weight: float


def flip(verdict: Verdict, solver: Solver) -> Flip:
    """The lightest set of constraints whose removal flips a joint verdict.

    Raises:
        UnsatisfiableError: what is held leaves Q no other label.
        MaieuticError: a solver failed, or the search takes more than :data:`SECONDS`.
    """
    encoding = verdict.encoding
    problem, root = encoding.problem, encoding.variables[ROOT]
    answer = root if verdict.answer else -root
    tolerance = TOLERANCE * max(1.0, sum(item.weight for item in problem.soft))
    search = _Search(problem, answer, solver, tolerance, time.monotonic() + SECONDS)
    rivals = [search.best_rival(frozenset())]
    best = Flip((), math.inf)
    for labelling in _minimal_corrections(problem.assuming(-answer), solver):
        if labelling.cost - rivals[0].cost >= best.weight - tolerance:
            break
        best = search.lightest(labelling, rivals, best)
    order = sorted(best.removed, key=lambda index: -problem.soft[index].weight)
    return Flip(tuple(order), sum(problem.soft[index].weight for index in order))


def with_flip(answer: Answer) -> Answer:
    """The answer with the ``flip`` of its verdict; one of another inference than joint stays as it is.

    Raises:
        MaieuticError: a solver failed.
    """
    if answer.verdict.margin_unit != "nats":
        return answer
    lightest = flip(answer.verdict, load_solver("rc2-stratified"))
    return replace(answer, verdict=replace(answer.verdict, flip=lightest.removed))


@dataclass(frozen=True, slots=True)
class _Labelling:
    """The soft clauses that a labelling violates, by index, and what they weigh together."""

    violated: frozenset[int]
    cost: float


@dataclass(frozen=True, slots=True)
class _Search:
    """What stays the same during a search.

    Attributes:
        kept: the literal of Q that holds now.
        tolerance: differences that count as none, in the unit of the weights.
        end: when the search gives up, on the clock of ``time.monotonic``.
    """

    problem: WeightedCNF
    kept: int
    solver: Solver
    tolerance: float
    end: float

    def best_rival(self, removed: frozenset[int]) -> _Labelling:
        """The best labelling with Q as it is once these clauses are gone; its cost counts them all."""
        left = tuple(item for index, item in enumerate(self.problem.soft) if index not in removed)
        labels = solve(self.solver, replace(self.problem, soft=left).assuming(self.kept)).labels
        return _Labelling(frozenset(self.problem.violated(labels)), self.problem.cost(labels))

    def lightest(self, labelling: _Labelling, rivals: list[_Labelling], best: Flip) -> Flip:
        """The lightest R for one flipped labelling, or ``best`` where that is as light.

        Rivals that are found on the way are added to ``rivals``: they count for other labellings too.
        """
        while True:
            removed = self._cover(labelling, rivals, best.weight)
            if removed is None:
                return best
            if time.monotonic() > self.end:
                raise _out_of_time()
            rival = self.best_rival(removed)
            left, other = (self._weight(one.violated - removed) for one in (labelling, rival))
            if left <= other + self.tolerance:
                return Flip(tuple(removed), self._weight(removed))
            rivals.append(rival)

    def _weight(self, clauses: Iterable[int]) -> float:
        return math.fsum(self.problem.soft[index].weight for index in clauses)

    def _cover(
        self, labelling: _Labelling, rivals: Sequence[_Labelling], limit: float
    ) -> frozenset[int] | None:
        """The lightest set, below ``limit``, with which the labelling beats all these rivals.

        Depth-first, the heaviest clauses first; None if there is none.
        """
        weights = {index: self.problem.soft[index].weight for index in labelling.violated}
        order = sorted(weights, key=lambda index: (-weights[index], index))
        # gains[k][r]: what removing the k-th clause gains on rival r; rest[k][r]: all from the k-th on.
        gains = [[0.0 if i in rival.violated else weights[i] for rival in rivals] for i in order]
        rest = list(accumulate(reversed(gains), _sum, initial=[0.0] * len(rivals)))[::-1]
        slack = self.tolerance / 2  # less than `lightest` allows, so that no rival is found twice
        best, least = None, limit
        stack = [(0, 0.0, [labelling.cost - rival.cost for rival in rivals], frozenset[int]())]
        while stack:
            if time.monotonic() > self.end:
                raise _out_of_time()
            place, weight, missing, removed = stack.pop()
            if weight + max(0.0, *missing) >= least - self.tolerance:
                continue
            if max(missing) <= slack:
                best, least = removed, weight
            elif all(lack <= gain + slack for lack, gain in zip(missing, rest[place], strict=True)):
                index = order[place]
                stack.append((place + 1, weight, missing, removed))
                fewer = [lack - gain for lack, gain in zip(missing, gains[place], strict=True)]
                stack.append((place + 1, weight + weights[index], fewer, removed | {index}))
        return best


def _minimal_corrections(problem: WeightedCNF, solver: Solver) -> Iterator[_Labelling]:
    """Labellings, the cheapest first, none of which violates all that an earlier one violates.

    Raises:
        UnsatisfiableError: there is no labelling at all.
    """
    solution = solve(solver, problem)
    while True:
        violated = problem.violated(solution.labels)
        yield _Labelling(frozenset(violated), solution.cost)
        # One of the clauses has to hold, that is, one of all their literals.
        literals = dict.fromkeys(literal for index in violated for literal in problem.soft[index].clause)
        problem = replace(problem, hard=(*problem.hard, tuple(literals)))
        try:
            solution = solve(solver, problem)
        except UnsatisfiableError:
            return


def _out_of_time() -> MaieuticError:
    return MaieuticError(
        f"what would change the answer was not found within {SECONDS:g} seconds;"
        " ask without it, or grow a smaller tree",
        subject="flip",
    )


def _sum(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(one, other, strict=True)]
