"""Vote: the reference implementation's inference. MaxSAT labels the explanations, which then vote on Q.

Relations weigh 1, beliefs (p − p̄)/(p + p̄). Several labellings are often equally good, and the vote depends
on which one the solver returns; plain RC2 chooses as the reference implementation does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations

from maieutic.inference.base import NO_SETTING, PairPlan, Verdict
from maieutic.inference.constraints import Constraint, Encoding, relation_constraints
from maieutic.inference.graph import NOT_Q, BeliefGraph, Form, Literal, Q, Relation, forms_of, root_forms
from maieutic.solvers import Solver, load_solver
from maieutic.solvers.calls import check_solver, solve
from maieutic.tree import ROOT, Proposition, Tree

__all__ = ["Vote", "ballot"]

UNKNOWN_BELIEF = 0.5  # an unknown belief favours neither side
_VALUE = {"entailment": 1, "neutral": 0, "contradiction": -1}


@dataclass(frozen=True)
class Vote:
    """Settings of vote inference; the two after ``solver`` are ablations.

    Attributes:
        solver: labels the explanations.
        use_verifier: False scores no pairs. The edges of the tree stand for relations: what the True
            prompt gave entails its parent, what the False prompt gave contradicts it.
        decided: True keeps every explanation on the side that the model finds likelier, where both beliefs
            are known; relations among explanations are not scored.

    Raises:
        InputError: the solver is none.
    """

    solver: Solver = field(default_factory=lambda: load_solver("rc2"), metadata=NO_SETTING)
    use_verifier: bool = True
    decided: bool = field(default=False, metadata=NO_SETTING)

    def __post_init__(self) -> None:
        check_solver(self.solver)

    @property
    def name(self) -> str:
        """ "vote"."""
        return "vote"

    @property
    def uses_verifier(self) -> bool:
        """Whether pairs are scored."""
        return self.use_verifier

    def plan(self, tree: Tree) -> PairPlan:
        """All ordered pairs of explanations, and each explanation to Q and ¬Q."""
        forms, roots = forms_of(tree), root_forms(tree)
        graph = BeliefGraph((*roots, *forms))
        if not self.use_verifier:
            return PairPlan(graph.with_relations(_tree_relations(tree, forms)))
        among = () if self.decided else permutations(forms, 2)
        to_root = ((form, root) for root in roots for form in forms)
        return PairPlan(graph, (*among, *to_root))

    def infer(self, tree: Tree, graph: BeliefGraph) -> Verdict:
        """See :class:`maieutic.inference.base.Inference`."""
        if tree.kind == "empty":
            return Verdict(self.name, answer=True, margin=0.0, margin_unit="votes", labels={}, votes={})
        if tree.kind == "one-node":
            return _root_belief(self.name, tree.root)
        forms = forms_of(tree)
        held = tuple(form.literal for form in forms if form.known) if self.decided else ()
        relations = (c for c in relation_constraints(graph, lambda _: 1.0) if not c.touches_root)
        constraints = (*_beliefs(forms), *relations)
        ids = tuple(form.literal.id for form in forms)
        encoding = Encoding.of(ids, constraints, held)
        best = solve(self.solver, encoding.problem)
        labels = encoding.labels(best)
        votes = {f.literal: ballot(graph, f.literal) for f in forms if f.literal.holds(labels[f.literal.id])}
        total = sum(votes.values())
        return Verdict(
            self.name,
            answer=total >= 0,
            margin=float(abs(total)),
            margin_unit="votes",
            labels={ROOT: total >= 0, **labels},
            constraints=constraints,
            violated=encoding.problem.violated(best.labels),
            cost=best.cost,
            lower_bound=best.lower_bound,
            optimal=best.optimal,
            solver=self.solver.name,
            variables=ids,
            votes=votes,
            held=held,
        )


def _root_belief(name: str, root: Proposition) -> Verdict:
    p = UNKNOWN_BELIEF if root.p_true is None else root.p_true
    p_negation = UNKNOWN_BELIEF if root.p_true_negation is None else root.p_true_negation
    answer = p >= p_negation
    return Verdict(name, answer, abs(p - p_negation), "probability", {ROOT: answer}, votes={})


def _beliefs(forms: tuple[Form, ...]) -> Iterator[Constraint]:
    """Integral forms hold, with weight (p − p̄)/(p + p̄). A form is its likelier side, so this is ≥ 0."""
    for form in forms:
        if not form.integral or form.belief is None or form.counter is None:
            continue
        if form.belief != form.counter:  # a file may call equal beliefs integral; they say nothing
            weight = (form.belief - form.counter) / (form.belief + form.counter)
            yield Constraint("belief", form.literal, None, weight)


def ballot(graph: BeliefGraph, literal: Literal) -> int:
    """+1 if it entails Q, −1 if it contradicts Q; the other way round for ¬Q."""
    return sum(
        sign * _VALUE[graph.by_pair[literal, root].kind]
        for root, sign in ((Q, 1), (NOT_Q, -1))
        if (literal, root) in graph.by_pair
    )


def _tree_relations(tree: Tree, forms: tuple[Form, ...]) -> Iterator[Relation]:
    """The tree's own edges as certain relations."""
    positive = {form.literal.id: form.literal.positive for form in forms}
    for node in tree.nodes:
        if node.parent is None or not positive[node.id]:
            continue  # what is believed to be false speaks for nothing
        parent_holds = positive.get(node.parent, True)
        agrees = node.side == parent_holds
        parent = Literal(node.parent, parent_holds)
        yield Relation(Literal(node.id), parent, float(not agrees), 0.0, float(agrees))
