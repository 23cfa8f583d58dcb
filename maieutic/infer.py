"""Belief graph → weighted MaxSAT → a truth value for every proposition, the answer, its margin.

Two inferences (paper, section 3.3; the project's ARCHITECTURE.md tells where they differ):

``joint`` (default): Q is a variable like the others, tied to them by the verifier in both directions
and by the tree itself; the answer is Q's label. Weights are in nats.

``vote``: the reference implementation's. MaxSAT labels the explanations; those labelled true then vote
on Q. Relations weigh 1, beliefs (p − p̄)/(p + p̄).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from maieutic.errors import InputError
from maieutic.relate import Form, Relation, forms_of
from maieutic.solvers import SoftClause, Solution, Solver, WeightedCNF
from maieutic.tree import ROOT, Proposition, Tree

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = [
    "DEFAULT_SOLVER",
    "INFERENCES",
    "Constraint",
    "Inference",
    "JointWeights",
    "Verdict",
    "check_inference",
    "clause_of",
    "infer",
]

Inference = Literal["joint", "vote"]
INFERENCES: tuple[Inference, ...] = ("joint", "vote")

# Vote's answer hangs on the choice among equally good labellings: plain RC2 chooses as the reference
# does. The graded weights of joint are all different, which plain RC2 is slow on.
DEFAULT_SOLVER: Mapping[Inference, str] = {"joint": "rc2-stratified", "vote": "rc2"}

UNKNOWN_BELIEF = 0.5  # an unknown belief favours neither side


@dataclass(frozen=True, slots=True)
class JointWeights:
    """The constants of joint inference.

    A probability p becomes a weight by its log-odds, ln(p / (1 − p)), the cost in nats of being wrong
    about it if all evidence were independent. It is not, and verifiers and language models are
    overconfident, so every log-odds is clipped, and each kind of constraint has its own scale. The
    scales are set by hand, not fitted.

    Attributes:
        clip: largest log-odds of one constraint, nats; ln(0.95 / 0.05) ≈ 2.94, no single piece of
            evidence counts as more than 95 % sure.
        belief: scale of what the model believes of a proposition, Q included: P(true | E) against
            P(true | ¬E).
        relation: scale of what the verifier says of a pair. 1/4, since the verifier is asked four
            times how a proposition and Q go together (both directions, Q and ¬Q).
        tree: weight, nats, of "what the True prompt gave speaks for its parent, what the False prompt
            gave against it": a hint, as good as 62 : 38.
    """

    clip: float = math.log(0.95 / 0.05)
    belief: float = 1.0
    relation: float = 0.25
    tree: float = 0.5

    def __post_init__(self) -> None:
        for name in ("clip", "belief", "relation", "tree"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"joint weight {name!r} must be a finite number ≥ 0, not {value!r}")

    def log_odds(self, p: float, p_other: float) -> float:
        """ln(p / p_other), clipped to ± ``clip``; 0 when both are 0."""
        if p == p_other:
            return 0.0
        if min(p, p_other) <= 0.0:
            return math.copysign(self.clip, p - p_other)
        return max(-self.clip, min(self.clip, math.log(p / p_other)))


@dataclass(frozen=True, slots=True)
class Constraint:
    """One soft clause and where it comes from.

    Attributes:
        kind: "belief" (one form should hold), "entailment" (source → target), "contradiction"
            (not both), "tree" (a child speaks for or against its parent).
        source: a form's name; ``target`` likewise, None for a belief.
        weight: > 0, nats for joint inference, the reference's units for vote.
    """

    kind: Literal["belief", "entailment", "contradiction", "tree"]
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


def check_inference(name: str) -> Inference:
    """The inference of that name.

    Raises:
        InputError: there is none.
    """
    for inference in INFERENCES:
        if inference == name:
            return inference
    raise InputError(f"inference must be one of {', '.join(INFERENCES)}, not {name!r}")


def infer(
    tree: Tree,
    graph: BeliefGraph,
    inference: Inference,
    solver: Solver,
    weights: JointWeights = JointWeights(),
    *,
    decided: bool = False,
) -> Verdict:
    """Answer one tree from its belief graph (:func:`maieutic.relate.relate`).

    With ``decided`` every explanation keeps the side that the model finds likelier, where both beliefs
    are known, and only the others and Q are left to weigh.

    Raises:
        MaieuticError: the solver failed.
    """
    held = tuple(form.name for form in forms_of(tree) if form.known) if decided else ()
    if inference == "joint":
        return _joint(tree, graph, solver, weights, held)
    return _vote(tree, graph, solver, held)


# -- joint ---------------------------------------------------------------------------------------------


def _joint(
    tree: Tree, graph: BeliefGraph, solver: Solver, weights: JointWeights, held: tuple[str, ...]
) -> Verdict:
    variables = _variables(tree)
    constraints = tuple(
        constraint
        for constraint in (
            *_joint_beliefs(tree, weights),
            *_relations(graph, lambda relation: _graded(relation, weights)),
            *_tree_edges(tree, weights),
        )
        if constraint.weight > 0
    )
    problem = _problem(constraints, variables, held)
    if_true = solver.solve(problem.assuming(variables[ROOT]))
    if_false = solver.solve(problem.assuming(-variables[ROOT]))
    answer = if_true.cost <= if_false.cost  # a tie is answered true, as in the reference
    best, other = (if_true, if_false) if answer else (if_false, if_true)
    return Verdict(
        answer=answer,
        margin=other.cost - best.cost,
        margin_unit="nats",
        labels=_labels(best, variables),
        constraints=constraints,
        violated=problem.violated(best.labels),
        cost=best.cost,
        lower_bound=min(best.lower_bound, other.lower_bound),
        optimal=best.optimal and other.optimal,
    )


def _joint_beliefs(tree: Tree, weights: JointWeights) -> Iterator[Constraint]:
    """What the model believes: of Q when both beliefs are known, of the others when integral."""
    root = tree.root
    others = (node for node in tree.nodes if node.parent is not None and node.integral)
    for node in (root, *others):
        if node.p_true is None or node.p_true_negation is None:
            continue
        log_odds = weights.belief * weights.log_odds(node.p_true, node.p_true_negation)
        name = node.id if log_odds > 0 else f"¬{node.id}"
        yield Constraint("belief", name, None, abs(log_odds))


def _graded(relation: Relation, weights: JointWeights) -> float:
    """Log-odds of the likeliest relation against the rest; below even odds it counts for nothing."""
    p = max(relation.entailment, relation.contradiction)
    return weights.relation * max(0.0, weights.log_odds(p, 1.0 - p))


def _tree_edges(tree: Tree, weights: JointWeights) -> Iterator[Constraint]:
    for node in tree.nodes:
        if node.parent is not None:
            target = node.parent if node.side else f"¬{node.parent}"
            yield Constraint("tree", node.id, target, weights.tree)


# -- vote ----------------------------------------------------------------------------------------------


def _vote(tree: Tree, graph: BeliefGraph, solver: Solver, held: tuple[str, ...]) -> Verdict:
    if tree.kind == "empty":
        return Verdict(answer=True, margin=0.0, margin_unit="votes", labels={}, votes={})
    if tree.kind == "one-node":
        return _root_belief(tree.root)
    variables = _variables(tree, with_root=False)
    forms = forms_of(tree)
    constraints = (
        *_vote_beliefs(forms),
        *(c for c in _relations(graph, lambda _: 1.0) if not _touches_root(c)),
    )
    problem = _problem(constraints, variables, held)
    best = solver.solve(problem)
    labels = _labels(best, variables)
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


# -- both ----------------------------------------------------------------------------------------------


def _relations(graph: BeliefGraph, weigh: Callable[[Relation], float]) -> Iterator[Constraint]:
    for source, target, data in graph.edges(data=True):
        relation: Relation = data["relation"]
        if relation.kind != "neutral":
            yield Constraint(relation.kind, source, target, weigh(relation))


def _touches_root(constraint: Constraint) -> bool:
    return bool({constraint.source, constraint.target} & {ROOT, f"¬{ROOT}"})


def _variables(tree: Tree, *, with_root: bool = True) -> dict[str, int]:
    """Proposition id → variable, from 1, in the order of the tree; the root comes first."""
    ids = [node.id for node in tree.nodes if node.parent is not None]
    if with_root:
        ids.insert(0, ROOT)
    return {node_id: number for number, node_id in enumerate(ids, start=1)}


def _problem(
    constraints: tuple[Constraint, ...], variables: Mapping[str, int], held: tuple[str, ...]
) -> WeightedCNF:
    hard = tuple((_literal(name, variables),) for name in held)
    soft = tuple(SoftClause(clause_of(c, variables), c.weight) for c in constraints)
    return WeightedCNF(hard=hard, soft=soft, variables=len(variables))


def clause_of(constraint: Constraint, variables: Mapping[str, int]) -> tuple[int, ...]:
    """The soft clause of a constraint, as literals.

    Belief: (a); a contradicts b: (¬a ∨ ¬b); anything else: a implies b, (¬a ∨ b).

    Args:
        variables: proposition id → variable.
    """
    source = _literal(constraint.source, variables)
    if constraint.target is None:
        return (source,)
    target = _literal(constraint.target, variables)
    return (-source, -target if constraint.kind == "contradiction" else target)


def _literal(name: str, variables: Mapping[str, int]) -> int:
    return -variables[name[1:]] if name.startswith("¬") else variables[name]


def _labels(solution: Solution, variables: Mapping[str, int]) -> dict[str, bool]:
    return {node_id: solution.labels[v - 1] for node_id, v in variables.items()}
