"""Conflicts: minimal sets of claims that cannot all hold, and the cheapest claims to give up.

A conflict is a minimal unsatisfiable subset (MUS) of the claims under the relations that the verifier is
sure of and the hard constraints; the smallest come first. Propositions that are not held, such as
explanations, may have either truth value: claims conflict through them only where no truth values of theirs
fit the relations. The cheapest repair is the lightest set of claims without which the rest can hold (a
minimal correction set), found as weighted MaxSAT. Both by python-sat.

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

from maieutic.inference.constraints import Constraint, Encoding, Rule, clause_of
from maieutic.inference.graph import Literal
from maieutic.problem.base import ClaimConstraint, Problem
from maieutic.solvers import Clause, SoftClause, WeightedCNF, load_solver
from maieutic.solvers.calls import solve
from maieutic.solvers.components import Partwise

__all__ = [
    "MOST_CONFLICTS",
    "Conflicts",
    "conflicts",
    "fewest_contradicting",
    "minimal_conflicts",
    "smallest_contradiction",
]

MOST_CONFLICTS = 100  # listed at most; there may be exponentially many


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What does not hang together.

    Attributes:
        sets: minimal sets of literals that cannot all hold, the smallest first.
        more: whether there are more than are listed.
        given_up: the lightest literals without which the rest can hold; ``weight``: what they weigh together.
        through: for each set the ids of other propositions by whose relations its members conflict.
        ignored: relations that were left out, since heavier ones and the rules exclude them whatever holds.
    """

    sets: tuple[tuple[Literal, ...], ...]
    more: bool
    given_up: tuple[Literal, ...]
    weight: float
    through: tuple[tuple[str, ...], ...] = ()
    ignored: int = 0


def conflicts(
    weights: Mapping[Literal, float],
    relations: Iterable[Constraint],
    rules: Iterable[Rule] = (),
    most: int = MOST_CONFLICTS,
    merged: Sequence[Sequence[Literal]] = (),
) -> Conflicts:
    """The conflicts between literals, and the cheapest repair.

    Args:
        weights: what is held, and what giving it up costs, > 0; facts get a weight above the sum of the
            others.
        relations: taken for certain, the heaviest first; one that those before exclude is left out.
        rules: hard constraints, which can hold together.
        merged: groups of literals that are one.

    >>> a, b, c = map(Literal, ("C1", "C2", "C3"))
    >>> both = [Constraint("entailment", a, b, 1.0), Constraint("contradiction", b, c, 1.0)]
    >>> found = conflicts({a: 1.0, b: 2.0, c: 1.5}, both)
    >>> [[str(one) for one in each] for each in found.sets], [str(one) for one in found.given_up]
    ([['C1', 'C3'], ['C2', 'C3']], ['C3'])
    """
    held = list(weights)
    listed = sorted(relations, key=lambda relation: -relation.weight)
    encoding, sure = _posed(held, listed, list(rules), merged)
    hard = (*encoding.problem.hard, *(clause_of(relation, encoding.variables) for relation in sure))
    literals = [encoding.variables[one.id] * (1 if one.positive else -1) for one in held]
    minimal = islice(minimal_conflicts(hard, [(literal,) for literal in literals]), most + 1)
    found = [tuple(held[place] for place in each) for each in sorted(minimal, key=lambda s: (len(s), s))]
    ignored = len(listed) - len(sure)
    if not found:
        return Conflicts((), False, (), 0.0, (), ignored)
    soft = tuple(SoftClause((lit,), weights[one]) for lit, one in zip(literals, held, strict=True))
    problem = WeightedCNF(hard, soft, encoding.problem.variables)
    lost = problem.violated(solve(Partwise(load_solver("rc2-stratified")), problem).labels)
    given_up = tuple(held[index] for index in lost)
    weight = sum(weights[one] for one in given_up)
    through = tuple(_through(each, sure, encoding) for each in found[:most])
    return Conflicts(tuple(found[:most]), len(found) > most, given_up, weight, through, ignored)


def _posed(
    held: Sequence[Literal],
    relations: Sequence[Constraint],
    rules: Sequence[Rule],
    merged: Sequence[Sequence[Literal]],
) -> tuple[Encoding, list[Constraint]]:
    """The rules, and the relations that can hold under them and those before."""
    groups = (held, *(one.clause for one in relations), *(rule.literals for rule in rules), *merged)
    ids = dict.fromkeys(literal.id for group in groups for literal in group)
    encoding = Encoding.of(ids, (), merged=merged, rules=rules)
    hard = encoding.problem.hard
    clauses = [clause_of(relation, encoding.variables) for relation in relations]
    if _can_hold((*hard, *clauses)):
        return encoding, list(relations)
    from pysat.solvers import Solver as SatSolver  # noqa: PLC0415 - python-sat is slow to load

    kept = []
    with SatSolver("cadical195", bootstrap_with=[list(clause) for clause in hard]) as sat:
        for relation, clause in zip(relations, clauses, strict=True):
            if any(sat.solve(assumptions=[literal]) for literal in clause):
                sat.add_clause(list(clause))
                kept.append(relation)
    return encoding, kept


def _through(
    literals: Sequence[Literal], relations: Sequence[Constraint], encoding: Encoding
) -> tuple[str, ...]:
    """The propositions beside these literals in the fewest relations by which they conflict."""
    own = {literal.id for literal in literals}
    units = ((encoding.variables[one.id] * (1 if one.positive else -1),) for one in literals)
    hard = (*encoding.problem.hard, *units)
    if not _can_hold(hard):  # by the rules alone
        return ()
    among = [relation for relation in relations if relation.ids <= own]
    for some in (among, relations):
        clauses = [clause_of(relation, encoding.variables) for relation in some]
        fewest = next(minimal_conflicts(hard, clauses), None)
        if fewest is not None:
            others = (sorted(some[place].ids - own) for place in fewest)
            return tuple(dict.fromkeys(one for each in others for one in each))
    return ()


def _can_hold(clauses: Iterable[Clause]) -> bool:
    from pysat.solvers import Solver as SatSolver  # noqa: PLC0415 - python-sat is slow to load

    with SatSolver("cadical195", bootstrap_with=[list(clause) for clause in clauses]) as sat:
        return bool(sat.solve())


def smallest_contradiction(problem: Problem) -> tuple[ClaimConstraint, ...]:
    """The fewest hard constraints of a problem that cannot all hold; () where all can."""
    ids = [claim.id for claim in problem.claims]
    found = fewest_contradicting(ids, [one.rule for one in problem.constraints])
    return tuple(problem.constraints[place] for place in found)


def fewest_contradicting(ids: Sequence[str], rules: Sequence[Rule]) -> tuple[int, ...]:
    """Places of the fewest rules over these propositions that cannot all hold; () where all can."""
    groups: list[list[Clause]] = []
    last = len(ids)
    hard: list[Clause] = []
    for rule in rules:
        clauses = _clauses(ids, rule, last)
        last = max([last, *(abs(literal) for clause in clauses for literal in clause)])
        groups.append(clauses)
    selected: list[Clause] = []
    for clauses in groups:
        last += 1
        selected.append((last,))
        hard += [(*clause, -last) for clause in clauses]
    return next(minimal_conflicts(hard, selected), ())


def minimal_conflicts(hard: Sequence[Clause], soft: Sequence[Clause]) -> Iterator[tuple[int, ...]]:
    """Minimal sets of places in ``soft`` that cannot all hold under ``hard``, the smallest first.

    The hard clauses can be satisfied. Nothing comes out where all of ``soft`` can hold.
    """
    from pysat.examples.optux import OptUx  # noqa: PLC0415 - python-sat is slow to load
    from pysat.formula import WCNF  # noqa: PLC0415

    if _can_hold((*hard, *soft)):
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
