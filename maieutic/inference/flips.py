"""What would change an answer: the lightest set of constraints without which the opposite is as good.

Removing a set R flips the answer if the best labelling of what is left with Q the other way costs no more
than the best one with Q as it is. This is a problem on two levels, since the second labelling is chosen
against R. It is solved exactly by cutting planes: a mixed integer program (HiGHS) finds the lightest R,
together with a flipped labelling, that beats all labellings met so far; the MaxSAT solver looks for one
that R does not beat; it joins the program; and so on. The program's optimum never exceeds the true one, so
the first R that stands is the lightest.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from maieutic.errors import MaieuticError
from maieutic.inference.base import Verdict
from maieutic.solvers import Solver, WeightedCNF, load_solver
from maieutic.tree import ROOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.answer import Answer

__all__ = ["Flip", "flip", "with_flip"]

ROUNDS = 500  # labellings met, at most; a tree of sixteen propositions takes a few dozen
SECONDS = 60.0  # at most, in all; sixteen propositions that all hang together take about one
TOLERANCE = 1e-6  # of the costs' scale: what the program takes for equal


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
        MaieuticError: a solver failed, or it takes more than :data:`SECONDS`.
    """
    end = time.monotonic() + SECONDS
    encoding = verdict.encoding
    problem, root = encoding.problem, encoding.variables[ROOT]
    answer = root if verdict.answer else -root
    program = _Program.of(problem, -answer)
    scale = max(1.0, sum(item.weight for item in problem.soft))
    cuts: list[tuple[bool, ...]] = []
    for _ in range(ROUNDS):
        removed = program.lightest(cuts, end - time.monotonic()) if cuts else frozenset()
        left = tuple(item for index, item in enumerate(problem.soft) if index not in removed)
        rest = WeightedCNF(hard=problem.hard, soft=left, variables=problem.variables)
        same = solver.solve(rest.assuming(answer))
        other = solver.solve(rest.assuming(-answer))
        if other.cost <= same.cost + TOLERANCE * scale:
            order = sorted(removed, key=lambda index: -problem.soft[index].weight)
            return Flip(tuple(order), sum(problem.soft[index].weight for index in order))
        if same.labels in cuts:
            break  # rounding: the program believes that it has beaten this one
        cuts.append(same.labels)
    raise MaieuticError("what would change the answer was not found; try again with other weights")


def with_flip(answer: Answer) -> Answer:
    """The answer with the ``flip`` of its verdict; one without P(true), as of vote, stays as it is.

    Raises:
        MaieuticError: a solver failed.
    """
    if answer.verdict.margin_unit != "nats":
        return answer
    lightest = flip(answer.verdict, load_solver("rc2-stratified"))
    return replace(answer, verdict=replace(answer.verdict, flip=lightest.removed))


@dataclass(frozen=True)
class _Program:
    """Columns: a label for each variable, "removed" and "paid" for each clause.

    Rows: paid ≥ 1 − the clause's true literals − removed; then one row for each labelling met.
    """

    problem: WeightedCNF
    weights: NDArray[np.float64]
    rows: NDArray[np.float64]
    least: NDArray[np.float64]
    bounds: Bounds

    @classmethod
    def of(cls, problem: WeightedCNF, flipped: int) -> _Program:
        """``flipped``: the literal of Q that does not hold now."""
        n, m = problem.variables, len(problem.soft)
        rows, least = np.zeros((m, n + 2 * m)), np.ones(m)
        for index, item in enumerate(problem.soft):
            for literal in set(item.clause):
                rows[index, abs(literal) - 1] += 1.0 if literal > 0 else -1.0
                least[index] -= literal < 0
            rows[index, [n + index, n + m + index]] = 1.0
        low, high = np.zeros(n + 2 * m), np.ones(n + 2 * m)
        for literal in (flipped, *(clause[0] for clause in problem.hard)):
            low[abs(literal) - 1] = high[abs(literal) - 1] = float(literal > 0)
        weights = np.array([item.weight for item in problem.soft])
        return cls(problem, weights, rows, least, Bounds(low, high))

    def lightest(self, met: list[tuple[bool, ...]], seconds: float) -> frozenset[int]:
        """The lightest set of clauses without which a flipped labelling beats all that were met."""
        n, m = self.problem.variables, len(self.weights)
        cuts, ends = np.zeros((len(met), n + 2 * m)), np.zeros(len(met))
        for row, labels in enumerate(met):
            violated = list(self.problem.violated(labels))
            cuts[row, n + m :] = self.weights  # paid by the flipped labelling …
            cuts[row, [n + index for index in violated]] += self.weights[violated]
            ends[row] = self.weights[violated].sum()  # … at most what this one pays of what is left
        cost = np.concatenate([np.zeros(n), self.weights, np.zeros(m)])
        with _silenced():
            found = milp(
                cost,
                integrality=np.concatenate([np.ones(n + m), np.zeros(m)]),
                bounds=self.bounds,
                constraints=[
                    LinearConstraint(self.rows, self.least, np.inf),
                    LinearConstraint(cuts, -np.inf, ends),
                ],
                options={"mip_rel_gap": 0.0, "time_limit": max(0.1, seconds)},
            )
        if not found.success:
            raise MaieuticError(f"what would change the answer was not found ({found.message})")
        return frozenset(np.flatnonzero(found.x[n : n + m] > 0.5).tolist())


@contextmanager
def _silenced() -> Iterator[None]:
    """Nothing reaches the process's standard output: HiGHS prints lines there, whatever its options."""
    if os.name != "posix":
        yield
        return
    flush = ctypes.CDLL(None).fflush
    if sys.stdout is not None:
        sys.stdout.flush()
    flush(None)
    try:
        kept = os.dup(1)
    except OSError:  # standard output is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        flush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
