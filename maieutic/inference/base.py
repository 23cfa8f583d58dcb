"""The inference seam: which pairs the verifier must score for a tree, and tree + graph → verdict.

An inference is a frozen object whose fields are its settings. What it cannot do has no field. A new one is
one file and one line in :data:`maieutic.inference.INFERENCES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal as OneOf
from typing import Protocol

from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint, Encoding, Rule
from maieutic.inference.graph import BeliefGraph, Form, Literal
from maieutic.inference.premises import joined
from maieutic.inference.recalled import Recalled
from maieutic.tree import Probability, Tree

__all__ = ["NO_SETTING", "Inference", "MarginUnit", "PairPlan", "Verdict"]

NO_SETTING = {"setting": False}  # metadata of fields that are no settings of a benchmark's method

MarginUnit = OneOf["nats", "votes", "probability", "strength"]


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What an inference needs of the verifier for one tree.

    Attributes:
        graph: the forms that take part, with the relations that are known without the verifier.
        pairs: ordered pairs of forms to score.
        triples: two forms that are one premise together, and a third to score it with.
    """

    graph: BeliefGraph
    pairs: tuple[tuple[Form, Form], ...] = ()
    triples: tuple[tuple[Form, Form, Form], ...] = ()

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Premise and hypothesis of each pair, then of each triple."""
        triples = [(joined(one.text, other.text), target.text) for one, other, target in self.triples]
        return [*((source.text, target.text) for source, target in self.pairs), *triples]


@dataclass(frozen=True)
class Verdict:
    """The result of an inference on one tree.

    Attributes:
        inference: its name.
        answer: the label of Q.
        margin: distance from the opposite answer, ≥ 0; 0 is a coin toss.
        margin_unit: "nats" (joint: extra cost of the best labelling with Q flipped, 0 where that one is the
            better one), "votes" (vote: size
            of the sum), "probability" (vote on a one-node tree: difference of the two beliefs),
            "strength" (argue: distance of Q's strength from ½).
        labels: truth value of each proposition's *statement*, by id, assumptions included; ties other
            than Q's are the solver's.
        constraints: all soft clauses; ``violated`` are indices of those that the labels break.
        cost: weight of the violated constraints, the least with this answer; ``lower_bound`` ≤ cost, equal
            when ``optimal``.
        solver: name of the MaxSAT solver, "" where none was needed.
        variables: ids of the propositions that the solver labelled, in their order.
        votes: vote only: what each form labelled true says of Q (−2 … 2).
        strengths: argue only: final strength of each proposition's statement, by id, in [0, 1].
        p_true: joint only: P(Q is true) marginalised over all labellings, in [0, 1]; None where the
            problem is too large and dense for exact marginals. ``p_labels``: the same of each
            proposition's statement, by id.
        unsure: the answer is less probable than ``Joint.abstain_below``, or the model judged nothing.
        assumptions: what the user takes for certain, and facts of a memory.
        recalled: what a memory brings besides.
        held: literals with a hard clause.
        merged: groups of literals that share a variable (:mod:`maieutic.inference.merge`).
        rules: further hard constraints, such as remembered choices.
        flip: indices of the lightest set of constraints without which the opposite answer is at least as
            good (:mod:`maieutic.inference.flips`), the heaviest first; None where it was not computed.
    """

    inference: str
    answer: bool
    margin: float
    margin_unit: MarginUnit
    labels: Mapping[str, bool]
    constraints: tuple[Constraint, ...] = ()
    violated: tuple[int, ...] = ()
    cost: float = 0.0
    lower_bound: float = 0.0
    optimal: bool = True
    solver: str = ""
    variables: tuple[str, ...] = ()
    votes: Mapping[Literal, int] | None = None
    strengths: Mapping[str, Probability] | None = None
    p_true: Probability | None = None
    p_labels: Mapping[str, Probability] | None = None
    unsure: bool = False
    assumptions: tuple[Assumption, ...] = ()
    recalled: tuple[Recalled, ...] = ()
    held: tuple[Literal, ...] = ()
    merged: tuple[tuple[Literal, ...], ...] = ()
    rules: tuple[Rule, ...] = ()
    flip: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        """One line, without the labels and the constraints."""
        counts = f"{len(self.constraints)} constraints, {len(self.violated)} violated"
        return f"<Verdict {self.inference}: {self.summary}, {counts}>"

    @property
    def summary(self) -> str:
        """The answer and how sure it is, in a few words: "true, P(true) 0.81, margin 1.47 nats"."""
        p = "" if self.p_true is None else f", P(true) {self.p_true:.2f}"
        unsure = ", unsure" if self.unsure else ""
        return f"{str(self.answer).lower()}{unsure}{p}, margin {self.margin:.2f} {self.margin_unit}"

    @property
    def encoding(self) -> Encoding:
        """The MaxSAT problem that was solved."""
        return Encoding.of(self.variables, self.constraints, self.held, self.merged, self.rules)

    @property
    def confidence(self) -> float | None:
        """P(the answer), in [0, 1]; None where P(true) is. Below ½ only for an answer by labelling."""
        if self.p_true is None:
            return None
        return self.p_true if self.answer else 1.0 - self.p_true

    @property
    def broken(self) -> tuple[Constraint, ...]:
        """The violated constraints."""
        return tuple(self.constraints[index] for index in self.violated)

    def holds(self, literal: Literal) -> bool:
        """Whether the literal is true under the labels."""
        return literal.holds(self.labels[literal.id])

    def twin(self, node_id: str) -> Literal | None:
        """The literal of an earlier proposition that this one was merged with, if any."""
        for first, *others in self.merged:
            for literal in others:
                if literal.id == node_id:
                    return first if literal.positive else ~first
        return None

    @property
    def clashes(self) -> tuple[Constraint, ...]:
        """Violated relations between assumptions: the verifier holds that they do not fit together."""
        ids = {assumption.id for assumption in self.assumptions}
        return tuple(constraint for constraint in self.broken if constraint.ids <= ids)


class Inference(Protocol):
    """From a tree and its belief graph to a verdict."""

    @property
    def name(self) -> str:
        """Its name in options, records and answers."""
        ...

    @property
    def uses_verifier(self) -> bool:
        """Whether it has pairs scored at all."""
        ...

    def plan(self, tree: Tree) -> PairPlan:
        """The forms that take part and the pairs that the verifier must score."""
        ...

    def infer(self, tree: Tree, graph: BeliefGraph) -> Verdict:
        """Answer a tree.

        Args:
            graph: of :func:`maieutic.relate.relate` for this tree and inference.

        Raises:
            InputError: the settings contradict the tree (an assumption is the statement asked about).
            MaieuticError: the solver failed.
        """
        ...
