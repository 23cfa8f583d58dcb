"""Constraints: the soft clauses of an inference, and the one place where they become a MaxSAT problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal as OneOf
from typing import TypeAlias

from maieutic.inference.graph import BeliefGraph, Literal, Relation
from maieutic.solvers import Clause, SoftClause, Solution, WeightedCNF
from maieutic.tree import ROOT

__all__ = [
    "Constraint",
    "Encoding",
    "Rule",
    "clause_of",
    "relation_constraints",
    "rule_clauses",
    "variables_of",
]

RuleKind: TypeAlias = OneOf["clause", "at-most-one", "exactly-one"]

PAIRWISE = 5  # literals of the largest group in which every two exclude each other by a clause of their own


@dataclass(frozen=True, slots=True)
class Constraint:
    """One soft clause and where it comes from.

    Attributes:
        kind: "belief" (the source should hold), "entailment" (source → target), "contradiction" (not
            both), "tree" (a child speaks for or against its parent), "chain" (what a chain of
            thought concludes of Q), "bias" (Q's form that is commoner
            among the statements people ask about), "claim" (what a text claims is likely true), "names" (an
            explanation that names the target speaks for it), "memory" (what a memory holds true and false
            speaks for the source).
        target: None for a belief, a chain, a bias or a claim.
        weight: > 0, nats for joint inference, the reference's units for vote.
        other: a second source of an entailment or a contradiction: the two sources together have it.
    """

    kind: OneOf["belief", "entailment", "contradiction", "tree", "chain", "bias", "claim", "names", "memory"]
    source: Literal
    target: Literal | None
    weight: float
    other: Literal | None = None

    @property
    def clause(self) -> tuple[Literal, ...]:
        """The disjunction.

        Belief: (a); a contradicts b: (¬a ∨ ¬b); anything else: a implies b, (¬a ∨ b). With a second source c,
        ¬c is a third literal.
        """
        if self.target is None:
            return (self.source,)
        second = () if self.other is None else (~self.other,)
        return (~self.source, *second, ~self.target if self.kind == "contradiction" else self.target)

    @property
    def ids(self) -> frozenset[str]:
        """The propositions that it is about."""
        return frozenset(literal.id for literal in self.clause)

    @property
    def touches_root(self) -> bool:
        """Whether it is about Q."""
        return ROOT in self.ids


@dataclass(frozen=True, slots=True)
class Rule:
    """A hard constraint: a clause, or a group of which at most one, or exactly one, literal holds."""

    kind: RuleKind
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class Encoding:
    """Constraints as a weighted CNF. Joint inference, flips and the WCNF export all use this one.

    Attributes:
        problem: soft clauses in the order of the constraints; a hard unit clause for what must hold, then the
            rules. Variables beyond those of the propositions belong to the encoding of long groups.
        variables: proposition id → the literal of its statement. Variables count from 1 in the order of
            the ids; merged propositions share one, negated where one equals the other's negation.
    """

    problem: WeightedCNF
    variables: Mapping[str, int]

    @classmethod
    def of(
        cls,
        ids: Iterable[str],
        constraints: Iterable[Constraint],
        held: Iterable[Literal] = (),
        merged: Sequence[Sequence[Literal]] = (),
        rules: Iterable[Rule] = (),
    ) -> Encoding:
        """Encode the constraints.

        Args:
            ids: the propositions that are variables.
            held: literals that must hold.
            merged: groups of literals that are one.
            rules: further hard constraints between them.

        >>> one, other = Literal("QT0"), Literal("QF0")
        >>> Encoding.of(["Q", "QT0", "QT1", "QF0"], [], merged=[(one, ~other)]).variables
        {'Q': 1, 'QT0': 2, 'QT1': 3, 'QF0': -2}
        """
        variables = variables_of(ids, merged)
        hard: tuple[Clause, ...] = tuple(
            (literal,) for literal in dict.fromkeys(_dimacs(h, variables) for h in held)
        )
        soft = tuple(SoftClause(clause_of(c, variables), c.weight) for c in constraints)
        count = max(map(abs, variables.values()), default=0)
        for rule in rules:
            literals = [_dimacs(literal, variables) for literal in rule.literals]
            clauses, count = rule_clauses(literals, rule.kind, count)
            hard += clauses
        return cls(WeightedCNF(hard=hard, soft=soft, variables=count), variables)

    def labels(self, solution: Solution) -> dict[str, bool]:
        """The truth value of each proposition's statement."""
        return {node_id: solution.labels[abs(v) - 1] == (v > 0) for node_id, v in self.variables.items()}


def rule_clauses(literals: Sequence[int], kind: RuleKind, last: int) -> tuple[tuple[Clause, ...], int]:
    """The clauses of a rule over DIMACS literals, and the last variable in use after it.

    Of up to :data:`PAIRWISE` literals every two exclude each other. Beyond that a ladder of variables says
    "one of the first i holds" (Sinz 2005), so that no variable is in many clauses and sums stay narrow.
    """
    least: tuple[Clause, ...] = () if kind == "at-most-one" else (tuple(literals),)
    if kind == "clause":
        return least, last
    if len(literals) <= PAIRWISE:
        return (*least, *((-one, -other) for one, other in combinations(literals, 2))), last
    ladder = list(range(last + 1, last + len(literals)))  # ladder[i]: one of literals[: i + 1] holds
    clauses: list[Clause] = [(-literals[0], ladder[0]), (literals[0], -ladder[0])]
    for literal, before, now in zip(literals[1:], ladder, [*ladder[1:], 0], strict=True):
        clauses.append((-literal, -before))
        if now:
            clauses += [(-literal, now), (-before, now), (literal, before, -now)]
    if least:
        clauses.append((ladder[-1], literals[-1]))
    return tuple(clauses), ladder[-1]


def relation_constraints(graph: BeliefGraph, strength: Callable[[Relation], float]) -> Iterator[Constraint]:
    """The relations that are not neutral, as constraints weighed by their strength, where that is > 0."""
    for relation in graph.relations:
        if relation.kind != "neutral" and (weight := strength(relation)) > 0.0:
            yield Constraint(relation.kind, relation.source, relation.target, weight)


def clause_of(constraint: Constraint, variables: Mapping[str, int]) -> tuple[int, ...]:
    """The constraint's clause in DIMACS literals."""
    return tuple(_dimacs(literal, variables) for literal in constraint.clause)


def variables_of(ids: Iterable[str], merged: Sequence[Sequence[Literal]]) -> dict[str, int]:
    """Proposition id → the literal of its statement, as :attr:`Encoding.variables`."""
    group_of = {literal.id: group for group in merged for literal in group}
    variables: dict[str, int] = {}
    count = 0
    for node_id in ids:
        group = group_of.get(node_id, ())
        twin = next((literal for literal in group if literal.id in variables), None)
        if twin is None:
            count += 1
            variables[node_id] = count
        else:
            shared = _dimacs(twin, variables)
            variables[node_id] = shared if Literal(node_id) in group else -shared
    return variables


def _dimacs(literal: Literal, variables: Mapping[str, int]) -> int:
    variable = variables[literal.id]
    return variable if literal.positive else -variable
