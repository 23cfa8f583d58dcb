"""Answer: what the user gets. The verdict on one question with everything that led to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from maieutic.errors import InputError
from maieutic.files.json_text import dump_json, parse_json
from maieutic.inference.assumptions import Assumption
from maieutic.inference.base import Constraint, Inference, Verdict
from maieutic.relate import Relation, bare_graph, opposite
from maieutic.tree import ROOT, Discard, Probability, Proposition, Tree, taking_part

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["Answer", "Edge", "Models", "Seconds"]


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of the belief graph, by the names of its two forms."""

    source: str
    target: str
    relation: Relation


@dataclass(frozen=True, slots=True)
class Models:
    """The names of what produced an answer; ``lm`` is None for a tree grown elsewhere."""

    lm: str | None
    verifier: str
    solver: str


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds of each step. Questions that advanced together share a step's time equally."""

    elicit: float = 0.0
    relate: float = 0.0
    solve: float = 0.0


@dataclass(frozen=True)
class Answer:
    """The answer to one question, how far it is from the opposite one, and why.

    Attributes:
        question: as asked; ``statement`` is the declarative form that ``answer`` is about.
        answer: whether the statement is held true.
        margin: ≥ 0, 0 is a coin toss; in ``margin_unit`` (see :class:`maieutic.inference.base.Verdict`).
        labels: truth value of each proposition's statement, by id; of assumptions too.
        tree: the propositions, pruned; ``edges``: what the verifier said of their pairs.
        constraints: the soft clauses; ``violated`` are indices of those the labels break.
        cost: weight of the violated ones; no labelling costs less than ``lower_bound``.
        votes: of vote inference, else None.
        p_true: P(statement is true) under the weights, in [0, 1], over all labellings; ``p_labels`` the
            same of each proposition's statement, by id. None for vote inference, and where a tree is too
            large and dense to sum exactly (then the margin alone tells how firm the answer is).
        flip: indices of the lightest set of constraints without which the opposite answer is at least as
            good (:mod:`maieutic.inference.flips`), the heaviest first; None where it was not asked for.
        assumptions: what the user took for certain.
        held: forms that had to hold (hard clauses), by name; ``merged``: groups of forms that were one.
        unsure: the answer is less likely than was asked for.

    Raises:
        InputError: labels, constraints, edges, votes, held or merged name what is not in the tree.
    """

    question: str
    statement: str
    answer: bool
    margin: float
    margin_unit: Literal["nats", "votes", "probability"]
    inference: Inference
    labels: Mapping[str, bool]
    tree: Tree
    edges: tuple[Edge, ...]
    constraints: tuple[Constraint, ...]
    violated: tuple[int, ...]
    cost: float
    lower_bound: float
    optimal: bool
    models: Models
    seconds: Seconds = field(default=Seconds())
    votes: Mapping[str, int] | None = None
    p_true: Probability | None = None
    p_labels: Mapping[str, Probability] | None = None
    unsure: bool = False
    flip: tuple[int, ...] | None = None
    assumptions: tuple[Assumption, ...] = ()
    held: tuple[str, ...] = ()
    merged: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        known = {node.id for node in (self.tree.root, *self.tree.nodes, *self.tree.pruned)}
        known |= {assumption.id for assumption in self.assumptions}
        forms = {f"{sign}{node_id}" for node_id in known for sign in ("", "¬")}
        used = {name for c in self.constraints for name in (c.source, c.target) if name is not None}
        named = {name for edge in self.edges for name in (edge.source, edge.target)} | used
        named |= {*(self.votes or {}), *self.held, *(name for group in self.merged for name in group)}
        if stray := sorted(named - forms):
            raise InputError(f"{stray[0]} is named in the answer but not in its tree")
        used |= set(self.held)
        if len({assumption.id for assumption in self.assumptions}) < len(self.assumptions):
            raise InputError("assumptions: two have the same id")
        if self.inference == "joint" and ROOT not in self.labels:
            raise InputError(f"labels: {ROOT} has none")
        if unlabelled := sorted({name.removeprefix("¬") for name in used} - self.labels.keys()):
            raise InputError(f"labels: {unlabelled[0]} has none but takes part in a constraint")
        if stray := sorted(self.labels.keys() - known):
            raise InputError(f"labels: {stray[0]} is not in the tree")
        if stray := sorted((self.p_labels or {}).keys() - known):
            raise InputError(f"p_labels: {stray[0]} is not in the tree")
        for name, places in (("violated", self.violated), ("flip", self.flip)):
            if places and not 0 <= min(places) <= max(places) < len(self.constraints):
                raise InputError(f"{name}: a number is not that of a constraint")

    @classmethod
    def of(
        cls,
        tree: Tree,
        graph: BeliefGraph,
        verdict: Verdict,
        inference: Inference,
        models: Models,
        seconds: Seconds,
        *,
        abstain_below: float = 0.0,
    ) -> Answer:
        """Put together what the four steps gave.

        Args:
            abstain_below: the answer is unsure if it is less likely than this.
        """
        p = verdict.p_true
        return cls(
            question=tree.question,
            statement=tree.statement,
            answer=verdict.answer,
            margin=verdict.margin,
            margin_unit=verdict.margin_unit,
            inference=inference,
            labels=dict(verdict.labels),
            tree=tree,
            edges=tuple(Edge(a, b, data["relation"]) for a, b, data in graph.edges(data=True)),
            constraints=verdict.constraints,
            violated=verdict.violated,
            cost=verdict.cost,
            lower_bound=verdict.lower_bound,
            optimal=verdict.optimal,
            models=models,
            seconds=seconds,
            votes=verdict.votes,
            p_true=verdict.p_true,
            p_labels=verdict.p_labels,
            unsure=p is not None and (p if verdict.answer else 1.0 - p) < abstain_below,
            assumptions=verdict.assumptions,
            held=verdict.held,
            merged=verdict.merged,
        )

    @cached_property
    def graph(self) -> BeliefGraph:
        """The belief graph, a ``networkx.DiGraph`` (see :mod:`maieutic.relate`)."""
        graph = bare_graph(self.tree, pruned=self._pruned_took_part, assumptions=self.assumptions)
        for edge in self.edges:
            graph.add_edge(edge.source, edge.target, relation=edge.relation)
        return graph

    @property
    def confidence(self) -> float | None:
        """P(the answer), in [0, 1]; None where P(true) is. Seldom, in a close call, it is below 1/2."""
        if self.p_true is None:
            return None
        return self.p_true if self.answer else 1.0 - self.p_true

    @cached_property
    def propositions(self) -> tuple[Proposition, ...]:
        """The root, then all that took part: the tree's, pruned ones if they did, and assumptions.

        An assumption is given as a proposition ("A1", …) without parent and beliefs.
        """
        assumed = (Proposition(a.id, None, a.statement, "") for a in self.assumptions)
        return (self.tree.root, *taking_part(self.tree, pruned=self._pruned_took_part), *assumed)

    @property
    def _pruned_took_part(self) -> bool:
        return any(node.id in self.labels for node in self.tree.pruned if node.parent is not None)

    def same_as(self, node_id: str) -> str | None:
        """The form of an earlier proposition that this one was merged with, if any."""
        for group in self.merged:
            for form in group[1:]:
                if form.removeprefix("¬") == node_id:
                    return group[0] if form == node_id else opposite(group[0])
        return None

    @cached_property
    def clashes(self) -> tuple[Constraint, ...]:
        """Relations between assumptions that the verifier has and the user denies."""
        ids = {assumption.id for assumption in self.assumptions}
        broken = (self.constraints[index] for index in self.violated)
        return tuple(
            c for c in broken if {name.removeprefix("¬") for name in (c.source, c.target or "")} <= ids
        )

    @property
    def discarded(self) -> tuple[Discard, ...]:
        """What the model said that was not used, and why."""
        return self.tree.discarded

    @property
    def discard_counts(self) -> Mapping[str, int]:
        """How many texts were discarded for each reason, the most frequent first."""
        return dict(Counter(item.reason for item in self.discarded).most_common())

    def to_json(self) -> str:
        """The answer as one line of JSON."""
        return dump_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Answer:
        """The inverse of :meth:`to_json`.

        Raises:
            InputError: the text is not an answer; the message names the field.
        """
        return parse_json(cls, text)
