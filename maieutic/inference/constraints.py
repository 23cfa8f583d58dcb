"""Constraints: the soft clauses of an inference, and the one place where they become a MaxSAT problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from maieutic.inference.graph import BeliefGraph, Literal, Relation
from maieutic.solvers import SoftClause, Solution, WeightedCNF
from maieutic.tree import ROOT

__all__ = ["Constraint", "Encoding", "clause_of", "relation_constraints", "variables_of"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """One soft clause and where it comes from.

    Attributes:
        kind: "belief" (the source should hold), "entailment" (source → target), "contradiction" (not
            both), "tree" (a child speaks for or against its parent), "chain" (what a chain of
            thought concludes of Q), "bias" (Q's form that is commoner
            among the statements people ask about).
        target: None for a belief or a bias.
        weight: > 0, nats for joint inference, the reference's units for vote.
    """

    kind: OneOf["belief", "entailment", "contradiction", "tree", "chain", "bias"]
    source: Literal
    target: Literal | None
    weight: float

    @property
    def clause(self) -> tuple[Literal, ...]:
        """The disjunction. Belief: (a); a contradicts b: (¬a ∨ ¬b); anything else: a implies b, (¬a ∨ b)."""
        if self.target is None:
            return (self.source,)
        return (~self.source, ~self.target if self.kind == "contradiction" else self.target)

    @property
    def ids(self) -> frozenset[str]:
        """The propositions that it is about."""
        return frozenset(literal.id for literal in self.clause)

    @property
    def touches_root(self) -> bool:
        """Whether it is about Q."""
        return ROOT in self.ids


@dataclass(frozen=True)
class Encoding:
    """Constraints as a weighted CNF. Joint inference, flips and the WCNF export all use this one.

    Attributes:
        problem: soft clauses in the order of the constraints; a hard unit clause for what must hold.
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
    ) -> Encoding:
        """Encode the constraints.

        Args:
            ids: the propositions that are variables.
            held: literals that must hold.
            merged: groups of literals that are one.

        >>> one, other = Literal("QT0"), Literal("QF0")
        >>> Encoding.of(["Q", "QT0", "QT1", "QF0"], [], merged=[(one, ~other)]).variables
        {'Q': 1, 'QT0': 2, 'QT1': 3, 'QF0': -2}
        """
        variables = variables_of(ids, merged)
        hard = tuple((literal,) for literal in dict.fromkeys(_dimacs(h, variables) for h in held))
        soft = tuple(SoftClause(clause_of(c, variables), c.weight) for c in constraints)
        count = max(map(abs, variables.values()), default=0)
        return cls(WeightedCNF(hard=hard, soft=soft, variables=count), variables)

    def labels(self, solution: Solution) -> dict[str, bool]:
        """The truth value of each proposition's statement."""
        return {node_id: solution.labels[abs(v) - 1] == (v > 0) for node_id, v in self.variables.items()}


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
