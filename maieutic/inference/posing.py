"""The trees of one or more claims as one MaxSAT problem, and the decision between alternatives in it.

A question is the problem with one claim. In a problem of several, the ids of a claim's tree begin with the id
of the claim instead of Q: ``C2`` is the second claim and ``C2T0`` its first explanation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maieutic.errors import UnsatisfiableError
from maieutic.inference.constraints import Constraint, Encoding, Rule
from maieutic.inference.graph import BeliefGraph, Combined, Form, Literal, Relation
from maieutic.solvers import Solution, Solver
from maieutic.solvers.calls import solve
from maieutic.solvers.components import components
from maieutic.tree import ROOT, Tree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maieutic.solvers import WeightedCNF

__all__ = [
    "NO_TIES",
    "Decision",
    "Part",
    "Posed",
    "Ties",
    "decide",
    "exact_marginals",
    "namer",
    "renamed",
    "renamed_graph",
    "union",
]

ROUNDING = 1e-9  # of P: evidence that cancels out is a tie, which the first alternative wins


@dataclass(frozen=True)
class Part:
    """A claim with its tree, as it takes part in a problem.

    Attributes:
        graph: of :func:`maieutic.relate.relate` for the tree alone, with the tree's own ids.
        id: what stands in place of Q in the ids of the tree.
    """

    tree: Tree
    graph: BeliefGraph
    id: str = ROOT


@dataclass(frozen=True, slots=True)
class Ties:
    """What connects the claims of a problem, by their names in it.

    Attributes:
        constraints: soft clauses.
        held: literals that must hold; ``rules``: further hard constraints.
    """

    constraints: tuple[Constraint, ...] = ()
    held: tuple[Literal, ...] = ()
    rules: tuple[Rule, ...] = ()


NO_TIES = Ties()


@dataclass(frozen=True)
class Posed:
    """A MaxSAT problem, with what its parts mean.

    Attributes:
        held: literals with a hard clause; ``merged``: groups of literals that share a variable; ``rules``:
            further hard constraints.
    """

    encoding: Encoding
    constraints: tuple[Constraint, ...]
    held: tuple[Literal, ...]
    merged: tuple[tuple[Literal, ...], ...]
    rules: tuple[Rule, ...] = ()

    def p_labels(self, p: Sequence[float]) -> dict[str, float]:
        """P(statement is true) of each proposition, from those of the variables."""
        return {node_id: _p(p[abs(v) - 1], v) for node_id, v in self.encoding.variables.items()}

    def dimacs(self, literal: Literal) -> int:
        """The literal as the encoding numbers it."""
        variable = self.encoding.variables[literal.id]
        return variable if literal.positive else -variable


@dataclass(frozen=True)
class Decision:
    """The choice between alternatives of which exactly one holds.

    Attributes:
        chosen: place of the alternative that is held true.
        solution: the best labelling with it; ``costs`` are those of the best labelling with each alternative,
            infinite for one that the hard clauses exclude.
        p_labels: P(statement is true) of every proposition; None where one is not known exactly.
        optimal: whether all these labellings are proven the cheapest.
    """

    chosen: int
    solution: Solution
    costs: tuple[float, ...]
    p_labels: dict[str, float] | None
    optimal: bool

    @property
    def margin(self) -> float:
        """Extra cost of the best other alternative, in nats; 0 where one is the better."""
        rest = [cost for place, cost in enumerate(self.costs) if place != self.chosen]
        return max(0.0, min(rest, default=math.inf) - self.solution.cost)


def decide(
    posed: Posed,
    alternatives: Sequence[Literal],
    solver: Solver,
    p: NDArray[np.float64] | None = None,
    *,
    by_probability: bool = True,
) -> Decision:
    """Choose between alternatives, exactly.

    Args:
        alternatives: exactly one of them holds (Q and ¬Q, say). The first wins a tie.
        p: the exact marginals of the problem, where they are known already (:func:`exact_marginals`).
        by_probability: take the likeliest alternative, over all labellings, where that is known; else the one
            of the best labelling.

    Raises:
        UnsatisfiableError: the hard clauses exclude every alternative.
        MaieuticError: the solver failed.
    """
    problem = posed.encoding.problem
    p = exact_marginals(problem) if p is None else p
    literals = [posed.dimacs(literal) for literal in alternatives]
    known = not any(math.isnan(p[abs(literal) - 1]) for literal in literals)
    solutions = [_solved(solver, problem.assuming(literal)) for literal in literals]
    costs = tuple(math.inf if one is None else one.cost for one in solutions)
    worth = [-cost for cost in costs]
    if known and by_probability:
        worth = [_p(float(p[abs(literal) - 1]), literal) for literal in literals]
    chosen = next(place for place, value in enumerate(worth) if value >= max(worth) - ROUNDING)
    solution = solutions[chosen]
    if solution is None:
        raise UnsatisfiableError(
            "the hard constraints exclude every alternative; remove some", subject="hard"
        )
    p_labels = None if any(map(math.isnan, p.tolist())) else posed.p_labels(p.tolist())
    optimal = all(one is None or one.optimal for one in solutions)
    return Decision(chosen, solution, costs, p_labels, optimal)


def exact_marginals(problem: WeightedCNF) -> NDArray[np.float64]:
    """P(variable is true), independent part by part; NaN in the parts that are too dense to sum exactly.

    Returns:
        float64 (variables,), in [0, 1] or NaN.

    Raises:
        UnsatisfiableError: the hard clauses contradict each other.
    """
    import numpy as np  # noqa: PLC0415 - keeps `import maieutic` light

    from maieutic.solvers.marginals import marginals  # noqa: PLC0415

    found = np.full(problem.variables, np.nan)
    for part in components(problem):
        p = marginals(part.problem)
        if p is not None:
            found[np.array(part.variables) - 1] = p
    return found


def renamed(constraint: Constraint, name: Callable[[Literal], Literal]) -> Constraint:
    """The constraint between the propositions of other names."""
    target = None if constraint.target is None else name(constraint.target)
    other = None if constraint.other is None else name(constraint.other)
    return replace(constraint, source=name(constraint.source), target=target, other=other)


def renamed_graph(graph: BeliefGraph, name: Callable[[Literal], Literal]) -> BeliefGraph:
    """The graph with other names."""
    forms = tuple(Form(name(f.literal), f.text, f.belief, f.counter, f.integral) for f in graph.forms)
    return BeliefGraph(
        forms,
        tuple(_relation(name(r.source), name(r.target), r) for r in graph.relations),
        tuple(
            Combined(name(c.source), name(c.other), name(c.target), c.contradiction, c.neutral, c.entailment)
            for c in graph.combined
        ),
    )


def union(graphs: Sequence[BeliefGraph]) -> BeliefGraph:
    """One graph of the forms and relations of all; what several have, such as assumptions, is there once."""
    if len(graphs) == 1:
        return graphs[0]
    forms = {form.literal: form for graph in graphs for form in graph.forms}
    relations = {(r.source, r.target): r for graph in graphs for r in graph.relations}
    combined = {(c.source, c.other, c.target): c for graph in graphs for c in graph.combined}
    return BeliefGraph(tuple(forms.values()), tuple(relations.values()), tuple(combined.values()))


def _relation(source: Literal, target: Literal, relation: Relation) -> Relation:
    return Relation(source, target, relation.contradiction, relation.neutral, relation.entailment)


def namer(part_id: str, kept: Iterable[str] = ()) -> Callable[[Literal], Literal]:
    """Literals of a tree → the same in a problem, where the part's id stands for Q.

    Args:
        kept: ids that stay, such as those of assumptions.
    """
    own = frozenset(kept)

    def name(literal: Literal) -> Literal:
        if part_id == ROOT or literal.id in own:
            return literal
        return Literal(part_id + literal.id.removeprefix(ROOT), literal.positive)

    return name


def _solved(solver: Solver, problem: WeightedCNF) -> Solution | None:
    """The best labelling; None where the hard clauses exclude any."""
    try:
        return solve(solver, problem)
    except UnsatisfiableError:
        return None


def _p(p_variable: float, literal: int) -> float:
    return float(p_variable if literal > 0 else 1.0 - p_variable)
