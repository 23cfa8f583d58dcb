"""The solution of a problem: all claims over one belief graph, solved once, exactly.

Groups of which exactly one claim is true are decided by probability, as a question is; a problem with one
claim is a question. The labels of everything else are the best labelling with these decisions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from maieutic.errors import InputError, UnsatisfiableError
from maieutic.inference import Joint
from maieutic.inference.constraints import Constraint
from maieutic.inference.graph import BeliefGraph, Literal
from maieutic.inference.posing import (
    Decision,
    Part,
    Posed,
    decide,
    exact_marginals,
    namer,
    renamed_graph,
    union,
)
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.nli.base import Verifier
from maieutic.problem.base import Problem
from maieutic.problem.conflicts import smallest_contradiction
from maieutic.problem.ties import TieConfig, plan_ties, ties_of
from maieutic.progress import Progress, reported
from maieutic.relate import relate_plans
from maieutic.solvers import Solution, margin
from maieutic.solvers.calls import solve
from maieutic.solvers.certify import Certificate
from maieutic.solvers.certify import verify as verify_solution
from maieutic.solvers.components import Component, Partwise, components
from maieutic.usage import Usage

__all__ = ["MOST_MARGINS", "Settled", "check_consistent", "settle", "verify"]

MOST_MARGINS = 64  # claims whose margin stands in for P(true); each takes a MaxSAT call


@dataclass(frozen=True)
class Settled:
    """A solved problem.

    Attributes:
        graph: the forms of all claims and their relations, inside trees and across them.
        posed: the MaxSAT problem, and ``solution`` the labelling of its variables.
        labels: truth value of each claim and each proposition in their trees, by id.
        p_true: P(claim is true) in [0, 1]; a claim whose part of the problem is too dense to sum exactly is
            missing. Of the first :data:`MOST_MARGINS` of these ``margins`` has the extra cost, in nats, of
            the best labelling with the other label.
        decisions: of each group of which exactly one claim is true, in the order of ``Problem.groups``.
        usage: pairs that the verifier scored; ``left_out`` counts those that exceeded the budget.
    """

    problem: Problem
    graph: BeliefGraph
    posed: Posed
    solution: Solution
    labels: Mapping[str, bool]
    p_true: Mapping[str, float]
    margins: Mapping[str, float]
    decisions: tuple[Decision, ...]
    solver: str
    usage: Usage
    left_out: int = 0

    def __repr__(self) -> str:
        """One line."""
        true = sum(self.labels[claim.id] for claim in self.problem.claims)
        return (
            f"<Settled {true} of {len(self.problem.claims)} claims true, cost {self.solution.cost:.2f} nats>"
        )

    @property
    def exact(self) -> bool:
        """Whether P(true) of every claim is known exactly; else margins stand in for some."""
        return len(self.p_true) == len(self.problem.claims)

    @property
    def violated(self) -> tuple[Constraint, ...]:
        """The soft constraints that the labels violate."""
        indices = self.posed.encoding.problem.violated(self.solution.labels)
        return tuple(self.posed.constraints[index] for index in indices)

    def distribution(self, group: int = 0) -> Mapping[str, float] | None:
        """P(this claim is the true one) for the claims of a group of which exactly one is true.

        None where it is not known exactly. The probabilities sum to 1, since the claims exclude each other.
        """
        claims = self.problem.groups[group].claims
        if not all(claim in self.p_true for claim in claims):
            return None
        return {claim: self.p_true[claim] for claim in claims}

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Id → statement of every proposition of the problem, of assumptions and of what a memory brings."""
        texts = {form.literal.id: form.text for form in self.graph.forms if form.literal.positive}
        texts |= self.problem.statements
        for claim in self.problem.claims:
            texts |= {claim.id + node.id.removeprefix("Q"): node.statement for node in claim.tree.nodes}
        return texts

    @cached_property
    def parts(self) -> Mapping[int, Component]:
        """Variable → the independent part of the problem that it is in."""
        return {
            variable: part for part in components(self.posed.encoding.problem) for variable in part.variables
        }


def settle(
    problem: Problem,
    verifier: Verifier | None,
    joint: Joint,
    config: TieConfig = TieConfig(),  # noqa: B008 - frozen
    progress: Progress | None = None,
) -> Settled:
    """Relate and solve all claims together.

    Args:
        verifier: None where joint inference uses none: beliefs and hard constraints alone decide.
        joint: joint inference; its assumptions take part too.

    Raises:
        InputError: the hard constraints contradict each other; the message names the fewest that do.
        MaieuticError: the verifier or the solver failed.
    """
    check_consistent(problem)
    weights = joint.weights or DEFAULT_WEIGHTS
    plans = [joint.plan(claim.tree) for claim in problem.claims]
    ties = plan_ties(problem, config)
    if verifier is not None and joint.uses_verifier:
        *trees, across = relate_plans([*plans, ties.plan], verifier, progress)
        graphs, usage = [each.graph for each in trees], sum((each.usage for each in trees), across.usage)
        between = across.graph
    else:
        graphs, between, usage = [plan.graph for plan in plans], ties.plan.graph, Usage()
    parts = [Part(c.tree, graph, c.id) for c, graph in zip(problem.claims, graphs, strict=True)]
    posed = joint.pose(parts, ties_of(problem, between, weights, config))
    kept = joint.shared_ids
    graph = union([between, *(renamed_graph(part.graph, namer(part.id, kept)) for part in parts)])
    with reported(progress, "solution", None, questions=1, items=len(parts)):
        return _solved(problem, posed, joint, graph, (usage, ties.left_out))


def _solved(
    problem: Problem, posed: Posed, joint: Joint, graph: BeliefGraph, related: tuple[Usage, int]
) -> Settled:
    solver = Partwise(joint.solver)
    alternatives: list[Sequence[Literal]] = [[*map(Literal, group.claims)] for group in problem.groups]
    if not alternatives and len(problem.claims) == 1 and not problem.facts:
        alternatives = [(Literal(problem.claims[0].id), ~Literal(problem.claims[0].id))]
    marginal = exact_marginals(posed.encoding.problem)
    decisions: list[Decision] = []
    held = posed
    for choice in alternatives:
        by_probability = joint.answer_by == "probability"
        p = None if decisions else marginal
        decisions.append(decide(held, choice, solver, p, by_probability=by_probability))
        held = _holding(held, choice[decisions[-1].chosen])
    solution = decisions[-1].solution if decisions else solve(solver, posed.encoding.problem)
    p_labels = posed.p_labels(marginal.tolist())
    claims = [claim.id for claim in problem.claims]
    unknown = [claim for claim in claims if math.isnan(p_labels[claim])]
    return Settled(
        problem,
        graph,
        posed,
        solution,
        posed.encoding.labels(solution),
        {claim: p_labels[claim] for claim in claims if claim not in unknown},
        _margins(posed, unknown[:MOST_MARGINS], joint),
        tuple(decisions),
        joint.solver.name,
        *related,
    )


def check_consistent(problem: Problem) -> None:
    """Refuse hard constraints that contradict each other.

    Raises:
        InputError: with the fewest of them that do; ``subject`` is the claim that the last is about.
    """
    contradiction = smallest_contradiction(problem)
    if contradiction:
        listed = "; ".join(one.describe(problem.statements) for one in contradiction)
        raise InputError(f"these cannot all hold, remove one: {listed}", subject=contradiction[-1].ids[0])


def verify(problem: Problem, settled: Settled, *, proof: bool = False) -> Certificate:
    """Check the labels of a solved problem independently of the solver that found them.

    The cost is computed again, and another SAT solver shows on another encoding that no labelling with the
    same decisions costs less.

    Raises:
        InputError: the solution is that of another problem.
    """
    if settled.problem != problem:
        raise InputError("the solution is that of another problem; settle this one", subject="settled")
    held = settled.posed
    choices = [[*map(Literal, group.claims)] for group in problem.groups]
    for choice, decision in zip(choices, settled.decisions, strict=False):
        held = _holding(held, choice[decision.chosen])
    if not choices and settled.decisions:
        claim = Literal(problem.claims[0].id)
        held = _holding(held, claim if settled.decisions[0].chosen == 0 else ~claim)
    return verify_solution(held.encoding.problem, settled.solution, proof=proof)


def _holding(posed: Posed, literal: Literal) -> Posed:
    """The problem with one more literal that must hold."""
    encoding = posed.encoding
    assumed = encoding.problem.assuming(posed.dimacs(literal))
    return replace(posed, encoding=replace(encoding, problem=assumed))


def _margins(posed: Posed, claims: Sequence[str], joint: Joint) -> dict[str, float]:
    """Extra cost of the other label of each claim, in its part of the problem; infinite where it is fixed."""
    parts = components(posed.encoding.problem) if claims else []
    where = {variable: part for part in parts for variable in part.variables}
    best: dict[int, Solution] = {}  # of each part, by its first variable
    margins: dict[str, float] = {}
    for claim in claims:
        variable = abs(posed.encoding.variables[claim])
        part = where[variable]
        first, place = part.variables[0], part.variables.index(variable) + 1
        if first not in best:
            best[first] = solve(joint.solver, part.problem)
        try:
            margins[claim] = margin(part.problem, place, joint.solver, best[first])
        except UnsatisfiableError:
            margins[claim] = math.inf
    return margins
