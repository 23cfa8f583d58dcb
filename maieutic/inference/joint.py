"""Joint inference: Q is a variable like the others, tied to them by the verifier and by the tree itself.

The soft clauses state what each piece of evidence asks for; their weights are nats. MaxSAT finds the best
labelling. How sure each label is follows from exact marginals (:mod:`maieutic.solvers.marginals`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Literal as OneOf
from typing import get_args

from maieutic.errors import InputError
from maieutic.inference.assumptions import Assumption, fixed_literals
from maieutic.inference.base import NO_SETTING, PairPlan, Verdict
from maieutic.inference.constraints import Constraint, Encoding
from maieutic.inference.evidence import assumed, belief, terms_of
from maieutic.inference.graph import NOT_Q, BeliefGraph, Form, Literal, Q, forms_of, root_forms
from maieutic.inference.merge import deduplicated, merged_literals
from maieutic.inference.posing import NO_TIES, Part, Posed, Ties, decide, namer, renamed, renamed_graph, union
from maieutic.inference.premises import combined_constraints, triples
from maieutic.inference.recalled import (
    NOTHING,
    Placed,
    Recollection,
    recalled_constraints,
    recalled_pairs,
)
from maieutic.inference.weights import DEFAULT_WEIGHTS, LARGEST, JointWeights
from maieutic.solvers import Solver, load_solver
from maieutic.solvers.calls import check_solver
from maieutic.text import text_key
from maieutic.tree import ROOT, Proposition, Tree, taking_part

__all__ = ["AnswerBy", "Joint"]

AnswerBy = OneOf["probability", "labelling"]

ROOT_BELIEFS = ("root", "root_negation")  # the terms of Q that make one constraint
AMONG = ("entailment", "contradiction", "negation")  # the terms of relations between explanations


@dataclass(frozen=True)
class Joint:
    """Settings of joint inference; the two after ``solver`` are ablations.

    Attributes:
        weights: of each kind of evidence. None takes the package's own, or where a
            :class:`maieutic.Maieutic` has both bundled models, those learned for the two.
        merge: whether explanations that entail each other both ways share a variable.
        pruned: in [0, 1]. Above 0 pruned propositions take part, and constraints on them keep this share of
            their weight.
        assumptions: what is taken for certain (:func:`maieutic.inference.assumptions.assumptions_of`).
        answer_by: "probability" answers true where P(Q) ≥ ½ over all labellings; "labelling" takes the
            answer of the best one, as in the paper, and so does "probability" where P(Q) is not known.
        abstain_below: an answer less probable than this is marked unsure, in [0, 1].
        solver: finds the best labelling. The weights are all different, which plain RC2 is slow on.
        use_verifier: False scores no pairs: beliefs and the edges of the tree alone decide.
        decided: True keeps every explanation on the side that the model finds likelier, where both beliefs
            are known; relations among explanations are not scored.
        recalled: what a memory brings (:mod:`maieutic.memory`).

    Raises:
        InputError: a number is out of its range, two assumptions have the same id, or the solver is none.
    """

    weights: JointWeights | None = field(default=None, metadata=NO_SETTING)
    merge: bool = False
    pruned: float = 0.0
    assumptions: tuple[Assumption, ...] = field(default=(), metadata=NO_SETTING)
    answer_by: AnswerBy = "probability"
    abstain_below: float = 0.0
    solver: Solver = field(default_factory=lambda: load_solver("rc2-stratified"), metadata=NO_SETTING)
    use_verifier: bool = True
    decided: bool = field(default=False, metadata=NO_SETTING)
    recalled: Recollection = field(default=NOTHING, metadata=NO_SETTING)

    def __post_init__(self) -> None:
        object.__setattr__(self, "assumptions", tuple(self.assumptions))
        check_solver(self.solver)
        for name in ("pruned", "abstain_below"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"{name} must be in [0, 1], not {value!r}", subject=name)
        if self.answer_by not in get_args(AnswerBy):
            rule = '"probability" or "labelling"'
            raise InputError(f"answer_by must be {rule}, not {self.answer_by!r}", subject="answer_by")
        certain = (*self.assumptions, *self.recalled.facts)
        if len({assumption.id for assumption in certain}) < len(certain):
            raise InputError("two assumptions have the same id; number them A1, A2, …", subject="assumptions")

    @property
    def name(self) -> str:
        """ "joint"."""
        return "joint"

    @property
    def uses_verifier(self) -> bool:
        """Whether pairs are scored."""
        return self.use_verifier

    @property
    def shared_ids(self) -> tuple[str, ...]:
        """Ids that belong to no tree: of assumptions, and of what a memory brings."""
        certain = (*self.assumptions, *self.recalled.facts)
        return (*(each.id for each in certain), *(each.id for each in self.recalled.propositions))

    def plan(self, tree: Tree) -> PairPlan:
        """All ordered pairs of forms whose relation has a weight, without Q with ¬Q and empty negations."""
        weights = self.weights or DEFAULT_WEIGHTS
        explanations = forms_of(tree, pruned=self.pruned > 0)
        placed = self._placed({ROOT: tree})
        certain = (*self.assumptions, *placed.facts)
        facts = tuple(Form(Literal(a.id), a.statement) for a in certain)
        roots = root_forms(tree)
        own = (*roots, *explanations, *facts)
        graph = BeliefGraph((*own, *placed.forms))
        if not self.use_verifier:
            return PairPlan(graph)
        among = self.merge or any(getattr(weights, term) > 0.0 for term in AMONG)
        pairs = list(permutations(explanations, 2) if among and not self.decided else ())
        for root in roots if weights.at_root > 0.0 else ():
            for form in explanations:
                pairs += [(form, root), (root, form)]
        if facts:
            pairs += [pair for pair in permutations(own, 2) if {*pair} & {*facts}]
        pairs += recalled_pairs((roots[0], *explanations), placed.forms, self.recalled.each)
        taken = tuple(pair for pair in pairs if all(form.text for form in pair))
        true = [form for form, fact in zip(facts, certain, strict=True) if fact.holds]
        judged = [form for form in (*roots, *explanations) if form.text]
        return PairPlan(graph, taken, tuple(triples(true, judged)))

    def _placed(self, trees: Mapping[str, Tree]) -> Placed:
        return Placed.of(self.recalled, trees, pruned=self.pruned > 0)

    def infer(self, tree: Tree, graph: BeliefGraph) -> Verdict:
        """The likelier answer, the best labelling with it, and the probability of every label.

        Raises:
            InputError: as for :func:`maieutic.inference.assumptions.fixed_literals`.
            MaieuticError: the solver failed.
        """
        posed = self.posed(tree, graph)
        placed = self._placed({ROOT: tree})
        decided = decide(posed, (Q, NOT_Q), self.solver, by_probability=self.answer_by == "probability")
        p_labels = decided.p_labels
        verdict = Verdict(
            self.name,
            answer=decided.chosen == 0,  # a tie is answered true, as in the reference
            margin=min(decided.margin, LARGEST),  # infinite where a fact is the statement
            margin_unit="nats",
            labels=posed.encoding.labels(decided.solution),
            constraints=posed.constraints,
            violated=posed.encoding.problem.violated(decided.solution.labels),
            cost=decided.solution.cost,
            lower_bound=decided.solution.lower_bound,
            optimal=decided.optimal,
            solver=self.solver.name,
            variables=tuple(posed.encoding.variables),
            p_true=None if p_labels is None else p_labels[ROOT],
            p_labels=p_labels,
            assumptions=(*self.assumptions, *placed.facts),
            recalled=placed.propositions,
            held=posed.held,
            merged=posed.merged,
            rules=posed.rules,
        )
        confidence = verdict.confidence
        return replace(verdict, unsure=confidence is not None and confidence < self.abstain_below)

    def posed(self, tree: Tree, graph: BeliefGraph) -> Posed:
        """The MaxSAT problem of one tree: that of a problem with one claim.

        Raises:
            InputError: as for :func:`maieutic.inference.assumptions.fixed_literals`.
        """
        return self.pose((Part(tree, graph),))

    def pose(self, parts: Sequence[Part], ties: Ties = NO_TIES) -> Posed:
        """The MaxSAT problem of the trees of some claims, over one belief graph.

        Args:
            parts: of different ids.
            ties: what connects the claims with each other.

        Raises:
            InputError: as for :func:`maieutic.inference.assumptions.fixed_literals`.
        """
        weights = self.weights or DEFAULT_WEIGHTS
        ids, held, nodes, graphs = list[str](), list[Literal](), list[Proposition](), list[BeliefGraph]()
        constraints: list[Constraint] = []
        placed = self._placed({part.id: part.tree for part in parts})
        certain = (*self.assumptions, *placed.facts)
        for part in parts:
            name = namer(part.id, self.shared_ids)
            taken = taking_part(part.tree, pruned=self.pruned > 0)
            nodes += (replace(node, id=name(Literal(node.id)).id) for node in taken)
            ids += (name(Literal(node_id)).id for node_id in (ROOT, *(node.id for node in taken)))
            held += map(name, self._held(part.tree, placed))
            graphs.append(renamed_graph(part.graph, name))
            constraints += (renamed(c, name) for c in self._weighted(part.tree, part.graph, weights))
        graph = union(graphs)
        constraints += assumed(graph, certain, weights)
        constraints += recalled_constraints(graph, self.recalled, placed, weights)
        combined = (placed.named(one) for one in combined_constraints(graph, weights))
        constraints += (*(one for one in combined if one is not None), *ties.constraints)
        held = list(dict.fromkeys((*held, *placed.held, *ties.held)))
        threshold = weights.threshold if self.merge else None
        roots = [part.id for part in parts]
        merged = merged_literals(graph, threshold, held, same=_same_texts(nodes), roots=roots)
        ids += (*placed.ids, *(fact.id for fact in certain))
        rules = (*(placed.named_choice(one).rule for one in self.recalled.choices), *ties.rules)
        encoding = Encoding.of(ids, constraints, held, merged, rules)
        if merged:
            constraints = list(deduplicated(constraints, encoding.variables))
            encoding = Encoding.of(ids, constraints, held, merged, rules)
        return Posed(encoding, tuple(constraints), tuple(held), merged, rules)

    def terms(self, tree: Tree, graph: BeliefGraph) -> Iterator[tuple[str, Constraint]]:
        """Every piece of evidence as (name of its weight, clause with its strength before that weight).

        Only ``clip`` and ``threshold`` of the weights matter here: the cost is linear in the others.
        """
        weights = self.weights or DEFAULT_WEIGHTS
        pruned = {node.id for node in tree.pruned} - {ROOT}
        for term, constraint in terms_of(tree, graph, weights, self.pruned):
            share = self.pruned if constraint.ids & pruned else 1.0
            yield term, replace(constraint, weight=share * constraint.weight)

    def _weighted(self, tree: Tree, graph: BeliefGraph, weights: JointWeights) -> Iterator[Constraint]:
        """The soft clauses but those of assumptions; a clause without weight is left out."""
        odds = 0.0  # of Q, of all that the model says of Q and of ¬Q
        for term, constraint in self.terms(tree, graph):
            weight = getattr(weights, term) * constraint.weight
            if term in ROOT_BELIEFS:
                odds += weight if constraint.source.positive else -weight
            elif weight < 0:  # a bias for "false"
                yield replace(constraint, source=~constraint.source, weight=-weight)
            elif weight > 0:
                yield replace(constraint, weight=weight)
        if odds != 0.0:
            yield belief(tree.root, odds)

    def _held(self, tree: Tree, placed: Placed) -> tuple[Literal, ...]:
        decided = (form.literal for form in forms_of(tree) if form.known) if self.decided else ()
        certain = (*self.assumptions, *placed.facts)
        return (*decided, *fixed_literals(tree, certain, pruned=self.pruned > 0))


def _same_texts(nodes: Sequence[Proposition]) -> Iterator[tuple[Literal, Literal]]:
    """Pairs of explanations with the same sentence, and of one with the sentence of the other's negation."""
    known: dict[str, Literal] = {}
    for node in nodes:
        literal = Literal(node.id)
        twin = known.get(text_key(node.statement))
        if twin is not None:
            yield twin, literal
            continue
        known[text_key(node.statement)] = literal
        if node.negation:
            known.setdefault(text_key(node.negation), ~literal)
