"""Certificates: a solution checked by means that share nothing with the solver that found it.

The labels' cost is computed again, exactly. That nothing is cheaper is shown by CaDiCaL, another SAT solver
than the one inside RC2, on another encoding: hard clauses and "cost below this" as a pseudo-Boolean
constraint (:mod:`maieutic.solvers.below`) are unsatisfiable. CaDiCaL writes a DRAT proof of it, which
checkers such as drat-trim verify against the CNF.

>>> from maieutic.solvers.problem import SoftClause
>>> problem = WeightedCNF(hard=((-1, -2),), soft=(SoftClause((1,), 3.0), SoftClause((2,), 2.0)))
>>> verify(problem, Solution((True, False), 2.0, 2.0, optimal=True)).holds
True
>>> verify(problem, Solution((False, True), 3.0, 3.0, optimal=True)).cheaper
(True, False)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from maieutic.solvers.below import below
from maieutic.solvers.problem import COST_TOLERANCE, Solution, WeightedCNF

__all__ = ["CHECKER", "Certificate", "verify"]

CHECKER = "cadical195"  # CaDiCaL 1.9.5; RC2 calls Glucose


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was found out about a solution.

    Attributes:
        cost: of the labels, computed again, in the unit of the weights; None where they are no labelling of
            the problem or violate a hard clause.
        cost_holds: whether that is the cost that the solution claims.
        cheaper: labels that cost less; None where none do.
        variables, clauses: size of the CNF that says "costs less".
        cnf: that CNF in DIMACS, and ``proof`` that it is unsatisfiable in DRAT; "" where not asked for.
    """

    cost: float | None
    cost_holds: bool
    cheaper: tuple[bool, ...] | None
    variables: int
    clauses: int
    cnf: str = ""
    proof: str = ""

    @property
    def optimal(self) -> bool:
        """Whether it was shown that nothing costs less."""
        return self.cost is not None and self.cheaper is None

    @property
    def holds(self) -> bool:
        """Whether the solution is what it claims to be: its cost, and that nothing is cheaper."""
        return self.cost_holds and self.optimal


def verify(problem: WeightedCNF, solution: Solution, *, proof: bool = False) -> Certificate:
    """Check a solution.

    Args:
        proof: whether to keep the CNF and the proof.
    """
    labels = tuple(solution.labels)
    if len(labels) != problem.variables or not problem.satisfies_hard(labels):
        return Certificate(None, False, None, 0, 0)
    exact = Fraction(
        sum(problem.integer_weights[index] for index in problem.violated(labels)), problem.denominator
    )
    cost_holds = math.isclose(float(exact), solution.cost, rel_tol=COST_TOLERANCE)
    clauses = below(problem, exact)
    model, lines = _decide(clauses, proof=proof)
    cheaper = None if model is None else tuple(v in model for v in range(1, problem.variables + 1))
    variables = max((abs(literal) for clause in clauses for literal in clause), default=0)
    cnf = _dimacs(clauses, variables) if proof else ""
    return Certificate(float(exact), cost_holds, cheaper, variables, len(clauses), cnf, lines)


def _decide(clauses: list[list[int]], *, proof: bool) -> tuple[set[int] | None, str]:
    """The true literals of a model, or None where there is none; and the proof of that."""
    from pysat.solvers import Solver as SatSolver  # noqa: PLC0415 - python-sat is slow to load

    if [] in clauses:
        return None, "0\n" if proof else ""
    with SatSolver(CHECKER, with_proof=proof) as solver:
        solver.append_formula(clauses)
        if solver.solve():
            return set(solver.get_model()), ""
        return None, "\n".join(solver.get_proof()) + "\n" if proof else ""


def _dimacs(clauses: list[list[int]], variables: int) -> str:
    rows = (" ".join(map(str, (*clause, 0))) for clause in clauses)
    return "\n".join((f"p cnf {variables} {len(clauses)}", *rows)) + "\n"
