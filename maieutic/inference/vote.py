"""Vote: the reference implementation's inference. MaxSAT labels the explanations, which then vote on Q.

Relations weigh 1, beliefs (p − p̄)/(p + p̄). Several labellings are often equally good, and the vote depends
on which one the solver returns; :data:`maieutic.inference.base.DEFAULT_SOLVER` chooses as the reference does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from maieutic.inference.constraints import (
    Constraint,
    Verdict,
    labels_by_id,
    problem_from,
    relations,
    touches_root,
    variables_of,
)
from maieutic.relate import Form, forms_of
from maieutic.solvers import Solver
from maieutic.tree import ROOT, Proposition, Tree

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["vote"]

UNKNOWN_BELIEF = 0.5  # an unknown belief favours neither side


def vote(tree: Tree, graph: BeliefGraph, solver: Solver, held: tuple[str, ...]) -> Verdict:
    if tree.kind == "empty":
        return Verdict(answer=True, margin=0.0, margin_unit="votes", labels={}, votes={})
    if tree.kind == "one-node":
        return _root_belief(tree.root)
    forms = forms_of(tree)
    variables = variables_of(form.proposition for form in forms)
    constraints = (
        *_vote_beliefs(forms),
        *(c for c in relations(graph, lambda _: 1.0) if not touches_root(c)),
    )
    problem = problem_from(constraints, variables, held)
    best = solver.solve(problem)
    labels = labels_by_id(best, variables)
    votes = {f.name: _ballot(graph, f) for f in forms if labels[f.proposition] == f.positive}
    total = sum(votes.values())
    return Verdict(
        answer=total >= 0,
        margin=float(abs(total)),
        margin_unit="votes",
        labels={ROOT: total >= 0, **labels},
        constraints=constraints,
        violated=problem.violated(best.labels),
        cost=best.cost,
        lower_bound=best.lower_bound,
        optimal=best.optimal,
        votes=votes,
        held=held,
    )


def _root_belief(root: Proposition) -> Verdict:
    p = UNKNOWN_BELIEF if root.p_true is None else root.p_true
    p_negation = UNKNOWN_BELIEF if root.p_true_negation is None else root.p_true_negation
    answer = p >= p_negation
    return Verdict(answer, abs(p - p_negation), "probability", {ROOT: answer}, votes={})


def _vote_beliefs(forms: tuple[Form, ...]) -> Iterator[Constraint]:
    """Integral forms hold, with weight (p − p̄)/(p + p̄); a form is its likelier side, so never < 0."""
    for form in forms:
        if not form.integral or form.belief is None or form.counter is None:
            continue
        if form.belief != form.counter:  # a file may call equal beliefs integral; they say nothing
            weight = (form.belief - form.counter) / (form.belief + form.counter)
            yield Constraint("belief", form.name, None, weight)


def _ballot(graph: BeliefGraph, form: Form) -> int:
    """+1 if it entails Q, −1 if it contradicts Q; the other way round for ¬Q."""
    value = {"entailment": 1, "neutral": 0, "contradiction": -1}
    edges = graph.adj[form.name]
    return sum(
        sign * value[edges[target]["relation"].kind]
        for target, sign in ((ROOT, 1), (f"¬{ROOT}", -1))
        if target in edges
    )
