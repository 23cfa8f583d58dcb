"""Conflicts: minimal sets of claims that cannot all hold, and the cheapest claims to give up.

A conflict is a minimal unsatisfiable subset (MUS) of the claims under the relations that the verifier is sure
of and the hard constraints; the smallest come first. The cheapest repair is the lightest set of claims
without which the rest can hold (a minimal correction set), found as weighted MaxSAT. Both by python-sat.

References:
    A. Ignatiev, A. Previti, M. Liffiton, J. Marques-Silva. "Smallest MUS Extraction with Minimal Hitting Set
    Dualization". CP 2015, pp. 173–182. (OptUx; with blocked hitting sets it enumerates.)
    M. Liffiton, K. Sakallah. "Algorithms for Computing Minimal Unsatisfiable Subsets of Constraints". Journal
    of Automated Reasoning 40, 2008, pp. 1–33. (A correction set hits every MUS.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from maieutic.inference.constraints import Constraint, Encoding, Rule
from maieutic.inference.graph import Literal
from maieutic.problem.base import ClaimConstraint, Problem
from maieutic.solvers import Clause, SoftClause, WeightedCNF, load_solver
from maieutic.solvers.calls import solve
from maieutic.solvers.components import Partwise

__all__ = ["MOST_CONFLICTS", "Conflicts", "conflicts", "minimal_conflicts", "smallest_contradiction"]

MOST_CONFLICTS = 100  # listed at most; there may be exponentially many


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What does not hang together.

    Attributes:
        sets: minimal sets of literals that cannot all hold, the smallest first.
        more: whether there are more than are listed.
        given_up: the lightest literals without which the rest can hold; ``weight``: what they weigh together.
    """

    sets: tuple[tuple[Literal, ...], ...]
    more: bool
    given_up: tuple[Literal, ...]
    weight: float


def conflicts(
    weights: Mapping[Literal, float],
    relations: Iterable[Constraint],
    rules: Iterable[Rule] = (),
    most: int = MOST_CONFLICTS,
) -> Conflicts:
    """The conflicts between literals, and the cheapest repair.

    Args:
        weights: what is held, and what giving it up costs, > 0; facts get a weight above the sum of the
            others.
        relations: taken for certain.
        rules: hard constraints.

    >>> a, b, c = map(Literal, ("C1", "C2", "C3"))
    >>> both = [Constraint("entailment", a, b, 1.0), Constraint("contradiction", b, c, 1.0)]
    >>> found = conflicts({a: 1.0, b: 2.0, c: 1.5}, both)
    >>> [[str(one) for one in each] for each in found.sets], [str(one) for one in found.given_up]
    ([['C1', 'C3'], ['C2', 'C3']], ['C3'])
    """
    held = list(weights)
    certain = [Rule("clause", relation.clause) for relation in relations]
    ids = dict.fromkeys(literal.id for literal in held)
    ids |= dict.fromkeys(literal.id for rule in (*certain, *rules) for literal in rule.literals)
    encoding = Encoding.of(ids, (), rules=(*certain, *rules))
    hard = encoding.problem.hard
    literals = [encoding.variables[one.id] * (1 if one.positive else -1) for one in held]
    minimal = islice(minimal_conflicts(hard, [(literal,) for literal in literals]), most + 1)
    found = [tuple(held[place] for place in each) for each in sorted(minimal, key=lambda s: (len(s), s))]
    if not found:
        return Conflicts((), False, (), 0.0)
    soft = tuple(SoftClause((lit,), weights[one]) for lit, one in zip(literals, held, strict=True))
    problem = WeightedCNF(hard, soft, encoding.problem.variables)
    lost = problem.violated(solve(Partwise(load_solver("rc2-stratified")), problem).labels)
    given_up = tuple(held[index] for index in lost)
    weight = sum(weights[one] for one in given_up)
    return Conflicts(tuple(found[:most]), len(found) > most, given_up, weight)


def smallest_contradiction(problem: Problem) -> tuple[ClaimConstraint, ...]:
    """The fewest hard constraints of a problem that cannot all hold; () where all can."""
    ids = [claim.id for claim in problem.claims]
    groups: list[list[Clause]] = []
    last = len(ids)
    hard: list[Clause] = []
    for constraint in problem.constraints:
        clauses = _clauses(ids, constraint.rule, last)
        last = max([last, *(abs(literal) for clause in clauses for literal in clause)])
        groups.append(clauses)
    selected: list[Clause] = []
    for clauses in groups:
        last += 1
        selected.append((last,))
        hard += [(*clause, -last) for clause in clauses]
    first = next(minimal_conflicts(hard, selected), ())
    return tuple(problem.constraints[place] for place in first)


def minimal_conflicts(hard: Sequence[Clause], soft: Sequence[Clause]) -> Iterator[tuple[int, ...]]:
    """Minimal sets of places in ``soft`` that cannot all hold under ``hard``, the smallest first.

    The hard clauses can be satisfied. Nothing comes out where all of ``soft`` can hold.
    """
    from pysat.examples.optux import OptUx  # noqa: PLC0415 - python-sat is slow to load
    from pysat.formula import WCNF  # noqa: PLC0415
    from pysat.solvers import Solver as SatSolver  # noqa: PLC0415

    with SatSolver("cadical195", bootstrap_with=[list(clause) for clause in (*hard, *soft)]) as sat:
        if sat.solve():
            return
    formula = WCNF()
    formula.extend([list(clause) for clause in hard])
    formula.extend([list(clause) for clause in soft], weights=[1] * len(soft))
    with OptUx(formula) as search:
        for found in search.enumerate():
            yield tuple(sorted(place - 1 for place in found))


def _clauses(ids: Sequence[str], rule: Rule, last: int) -> list[Clause]:
    """The clauses of a rule over the claims; its own variables come after ``last``."""
    encoding = Encoding.of(ids, (), rules=(rule,))
    shift = last - len(ids)

    def moved(literal: int) -> int:
        if abs(literal) <= len(ids):
            return literal
        return literal + shift if literal > 0 else literal - shift

    return [tuple(map(moved, clause)) for clause in encoding.problem.hard]
