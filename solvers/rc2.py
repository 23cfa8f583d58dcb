"""RC2: core-guided weighted MaxSAT with relaxable cardinality constraints, through python-sat.

The algorithm assumes that every soft clause holds and calls a SAT solver. While the call fails, it
takes the unsatisfiable core, adds the core's smallest weight to the cost, and relaxes the core so that
one more of its clauses may be violated (a totalizer counts them). The first satisfying model is optimal.

References:
    A. Ignatiev, A. Morgado, J. Marques-Silva. "RC2: an Efficient MaxSAT Solver". Journal on
    Satisfiability, Boolean Modeling and Computation 11, 2019, pp. 53–64.
    A. Morgado, C. Dodaro, J. Marques-Silva. "Core-Guided MaxSAT with Soft Cardinality
    Constraints". CP 2014, pp. 564–573. (The algorithm, there called OLL.)
    C. Ansótegui, M. Bonet, J. Gabàs, J. Levy. "Improving SAT-Based Weighted MaxSAT Solvers". CP
    2012, pp. 86–101. (Stratification: heaviest clauses first.)

Three mutually exclusive statements; accepting the heaviest one costs the other two:

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

    RC2 receives the clauses in the problem's order, so it chooses among equally good labellings in
    the same way in every run. Variables that occur in no clause are labelled false.

    Attributes:
        stratified: add the soft clauses by descending weight, with core exhaustion and core
            reduction, as RC2-B did in the MaxSAT Evaluation. Where all weights differ, plain RC2
            splits them repeatedly and may take minutes on sixteen variables; the stratified solver
            took at most a third of a second on the same problems.
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
            raise UnsatisfiableError("the hard clauses contradict each other; remove some", subject="hard")
        true = {literal for literal in model if literal > 0}
        labels = [variable in true for variable in range(1, problem.variables + 1)]
        weights = zip(problem.soft, problem.integer_weights, strict=True)
        cost += sum(weight for item, weight in weights if not item.clause)
        return scored(problem, labels, float(Fraction(cost, problem.denominator)), True, self.name)

    def _engine(self, formula: WCNF) -> pysat_rc2.RC2:
        if self.stratified and formula.soft:  # RC2Stratified needs at least one soft clause
            return pysat_rc2.RC2Stratified(formula, adapt=True, exhaust=True, minz=True)
        return pysat_rc2.RC2(formula)


def _formula(problem: WeightedCNF) -> WCNF:
    """The problem in python-sat's form, with fresh lists, since RC2 appends selectors to them.

    RC2 adds and compares weights, which would round floats, so the weights are exact integers. RC2
    does not accept empty soft clauses; they are omitted, and their weight is a constant of the cost.
    """
    formula = WCNF()
    formula.extend([list(clause) for clause in problem.hard if clause])
    for item, weight in zip(problem.soft, problem.integer_weights, strict=True):
        if item.clause:
            formula.append(list(item.clause), weight=weight)
    formula.nv = problem.variables
    return formula
