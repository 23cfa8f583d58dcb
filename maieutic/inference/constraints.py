"""Constraints and verdicts: what both inferences give the solver, and what they report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from maieutic.relate import Relation
from maieutic.solvers import SoftClause, Solution, WeightedCNF
from maieutic.tree import ROOT

if TYPE_CHECKING:
    from maieutic.inference.assumptions import Assumption
    from maieutic.relate import BeliefGraph

__all__ = [
    "Constraint",
    "Verdict",
    "clause_of",
    "labels_by_id",
    "problem_from",
    "relations",
    "touches_root",
    "variables_of",
]


@dataclass(frozen=True, slots=True)
class Constraint:
    """One soft clause and where it comes from.

    Attributes:
        kind: "belief" (one form should hold), "entailment" (source → target), "contradiction"
            (not both), "tree" (a child speaks for or against its parent), "bias" (Q's form that is
            commoner among the statements people ask about).
        source: a form's name; ``target`` likewise, None for a belief or a bias.
        weight: > 0, nats for joint inference, the reference's units for vote.
    """

    kind: Literal["belief", "entailment", "contradiction", "tree", "bias"]
    source: str
    target: str | None
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What inference found.

    Attributes:
        answer: the label of Q.
        margin: how far the answer is from the opposite one, ≥ 0; 0 is a coin toss, answered true.
        margin_unit: "nats" (joint: extra cost of the best labelling with Q flipped), "votes" (vote: size
            of the sum), "probability" (vote on a one-node tree: difference of the two beliefs).
        labels: truth value of each proposition's *statement*, by id; ties other than Q's are the solver's.
        constraints: all soft clauses; ``violated`` are indices into it.
        cost: weight of the violated constraints; ``lower_bound`` ≤ cost, equal when ``optimal``.
        votes: vote inference only, what each form labelled true says of Q (−2 … 2).
        p_true: joint inference only, P(Q is true) over all labellings, in [0, 1]; None where the tree is
            too large and dense to sum exactly.
        p_labels: likewise of each proposition's statement, by id.
        assumptions: what was taken for certain.
        held: the forms that had to hold, by name; none of them is a soft clause.
        merged: groups of forms that were one variable (:mod:`maieutic.inference.merge`).
    """

    answer: bool
    margin: float
    margin_unit: Literal["nats", "votes", "probability"]
    labels: Mapping[str, bool]
    constraints: tuple[Constraint, ...] = ()
    violated: tuple[int, ...] = ()
    cost: float = 0.0
    lower_bound: float = 0.0
    optimal: bool = True
    votes: Mapping[str, int] | None = None
    p_true: float | None = None
    p_labels: Mapping[str, float] | None = None
    assumptions: tuple[Assumption, ...] = ()
    held: tuple[str, ...] = ()
    merged: tuple[tuple[str, ...], ...] = ()


def relations(graph: BeliefGraph, weigh: Callable[[Relation], float]) -> Iterator[Constraint]:
    """The verifier's relations but the neutral ones and those that weigh nothing."""
    for source, target, data in graph.edges(data=True):
        relation: Relation = data["relation"]
        if relation.kind != "neutral" and (weight := weigh(relation)) > 0.0:
            yield Constraint(relation.kind, source, target, weight)


def touches_root(constraint: Constraint) -> bool:
    return bool({constraint.source, constraint.target} & {ROOT, f"¬{ROOT}"})


def variables_of(ids: Iterable[str], merged: Sequence[Sequence[str]] = ()) -> dict[str, int]:
    """Proposition id → the literal of its statement; variables count from 1, in the order of the ids.

    Args:
        merged: groups of forms that are one; all but the first to come get its variable, or its negation.

    >>> variables_of(["Q", "QT0", "QT1", "QF0"], [("QT0", "¬QF0")])
    {'Q': 1, 'QT0': 2, 'QT1': 3, 'QF0': -2}
    """
    group_of = {form.removeprefix("¬"): group for group in merged for form in group}
    found: dict[str, int] = {}
    variable = 0
    for node_id in ids:
        group = group_of.get(node_id, ())
        twin = next((form for form in group if form.removeprefix("¬") in found), None)
        if twin is None:
            variable += 1
            found[node_id] = variable
        else:
            literal = _literal(twin, found)
            found[node_id] = literal if node_id in group else -literal
    return found


def problem_from(
    constraints: Iterable[Constraint], variables: Mapping[str, int], held: Iterable[str]
) -> WeightedCNF:
    hard = tuple((literal,) for literal in dict.fromkeys(_literal(name, variables) for name in held))
    soft = tuple(SoftClause(clause_of(c, variables), c.weight) for c in constraints)
    return WeightedCNF(hard=hard, soft=soft, variables=max(map(abs, variables.values()), default=0))


def clause_of(constraint: Constraint, variables: Mapping[str, int]) -> tuple[int, ...]:
    """The soft clause of a constraint, as literals.

    Belief: (a); a contradicts b: (¬a ∨ ¬b); anything else: a implies b, (¬a ∨ b).

    Args:
        variables: as from :func:`variables_of`.
    """
    source = _literal(constraint.source, variables)
    if constraint.target is None:
        return (source,)
    target = _literal(constraint.target, variables)
    return (-source, -target if constraint.kind == "contradiction" else target)


def _literal(name: str, variables: Mapping[str, int]) -> int:
    return -variables[name[1:]] if name.startswith("¬") else variables[name]


def labels_by_id(solution: Solution, variables: Mapping[str, int]) -> dict[str, bool]:
    return {node_id: solution.labels[abs(v) - 1] == (v > 0) for node_id, v in variables.items()}
