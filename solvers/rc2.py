"""RC2: core-guided weighted MaxSAT with relaxable cardinality constraints, through python-sat.

The solver assumes every soft clause true and asks a SAT solver. As long as that fails, it takes the
unsatisfiable core, charges the core's smallest weight to the cost, and lets one more clause of the
core be violated (a totalizer counts them). The first satisfiable call is an optimum.

References:
    A. Ignatiev, A. Morgado, J. Marques-Silva. "RC2: an Efficient MaxSAT Solver". Journal on
    Satisfiability, Boolean Modeling and Computation 11, 2019, pp. 53–64.
    A. Morgado, C. Dodaro, J. Marques-Silva. "Core-Guided MaxSAT with Soft Cardinality
    Constraints". CP 2014, pp. 564–573. (The algorithm, there called OLL.)
    C. Ansótegui, M. Bonet, J. Gabàs, J. Levy. "Improving SAT-Based Weighted MaxSAT Solvers". CP
    2012, pp. 86–101. (Stratification: the heaviest clauses first.)

Three statements of which no two agree; keeping the dearest one costs the other two:

>>> from maieutic.solvers.problem import SoftClause, WeightedCNF
>>> units = tuple(SoftClause((v,), w) for v, w in [(1, 0.5), (2, 2.0), (3, 0.25)])
>>> RC2().solve(WeightedCNF(hard=((-1, -2), (-1, -3), (-2, -3)), soft=units))
Solution(labels=(False, True, False), cost=0.75, lower_bound=0.75, optimal=True)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pysat.examples import rc2 as pysat_rc2
from pysat.formula import WCNF

from maieutic.errors import UnsatisfiableError
from maieutic.solvers.problem import Solution, WeightedCNF, scored

__all__ = ["RC2"]


@dataclass(frozen=True)
class RC2:
    """python-sat's RC2; exact for any float weights.

    The clauses go to it in the problem's order, so the choice among equally good labellings is
    RC2's own on that order, the same in every run. Variables in no clause are labelled false.

    Attributes:
        stratified: bring the soft clauses in by weight, the heaviest first, with the core
            exhaustion and reduction of the MaxSAT Evaluation's RC2-B. Plain RC2 splits a core's
            weights again and again where they all differ, and may take minutes on a problem of
            sixteen variables; stratified it took at most a third of a second on the same ones.
    """

    stratified: bool = False

    @property
    def name(self) -> str:
        """ "rc2" or "rc2-stratified"."""
        return "rc2-stratified" if self.stratified else "rc2"

    def solve(self, problem: WeightedCNF) -> Solution:
        """A cheapest labelling that satisfies the hard clauses; worst case exponential time.

        Raises:
            UnsatisfiableError: the hard clauses contradict each other.
        """
        with self._engine(_formula(problem)) as engine:
            model = None if () in problem.hard else engine.compute()
            cost = engine.cost
        if model is None:
            raise UnsatisfiableError("the hard clauses contradict each other: remove some of them")
        true = {literal for literal in model if literal > 0}
        labels = [variable in true for variable in range(1, problem.variables + 1)]
        weights = zip(problem.soft, problem.integer_weights, strict=True)
        cost += sum(weight for item, weight in weights if not item.clause)
        return scored(problem, labels, float(Fraction(cost, problem.denominator)), True, self.name)

    def _engine(self, formula: WCNF) -> pysat_rc2.RC2:
        if self.stratified and formula.soft:  # the stratified one cannot do without soft clauses
            return pysat_rc2.RC2Stratified(formula, adapt=True, exhaust=True, minz=True)
        return pysat_rc2.RC2(formula)


def _formula(problem: WeightedCNF) -> WCNF:
    """The problem as python-sat takes it: own lists, since RC2 appends selectors to them.

    RC2 adds and compares weights, which floats would round: it gets exact integers. Empty soft
    clauses, which it cannot take, are left out; their weight is a constant of the cost.
    """
    formula = WCNF()
    formula.extend([list(clause) for clause in problem.hard if clause])
    for item, weight in zip(problem.soft, problem.integer_weights, strict=True):
        if item.clause:
            formula.append(list(item.clause), weight=weight)
    formula.nv = problem.variables
    return formula
