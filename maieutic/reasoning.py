"""Reasoning: everything that led to an answer. It is what pictures of answers are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from maieutic.errors import InputError
from maieutic.inference.base import Verdict
from maieutic.inference.graph import BeliefGraph
from maieutic.memory.notes import MemoryNotes
from maieutic.priors import Priors
from maieutic.text import shortened
from maieutic.tree import ROOT, GrowthStep, Proposition, Tree, taking_part
from maieutic.usage import Usage

__all__ = ["NOTHING_JUDGED", "NO_VERIFIER", "Models", "Reasoning", "Seconds"]

NOTHING_JUDGED = "the model judged nothing: it said neither true nor false, so the answer means nothing"
NO_VERIFIER = "none"  # as the verifier's name where no pairs were scored


@dataclass(frozen=True, slots=True)
class Models:
    """Names of the models.

    Attributes:
        lm: the language model; None for a tree grown elsewhere.
        verifier: "none" if unused.
        belief_source: where the language model's beliefs come from: "probabilities", "sampled:K" (estimated
            from K replies) or "stated" (by the model, in percent); None for a tree grown elsewhere.
        priors: what was subtracted from the language model's judgements of Q; None for nothing.
    """

    lm: str | None
    verifier: str
    belief_source: str | None = None
    priors: Priors | None = None


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds of each step. Questions that advance together share a step's time equally.

    Attributes:
        shared: number of questions that advanced together, over which elicit and relate are averages.
    """

    elicit: float = 0.0
    relate: float = 0.0
    solve: float = 0.0
    shared: int = 1

    @property
    def total(self) -> float:
        """Of all steps."""
        return self.elicit + self.relate + self.solve


@dataclass(frozen=True)
class Reasoning:
    """The answer to one question, how far it is from the opposite one, and why.

    :class:`maieutic.answer.Answer` is this with its JSON and its page; ``render/`` reads only this.

    Attributes:
        tree: what was grown; ``graph``: the forms and what the verifier says of their pairs.
        verdict: the labels, the answer, how sure it is, the constraints behind it.
        models: what made it; ``seconds``: how long each step took; ``usage``: tokens, calls and pairs.
        warnings: what makes the answer doubtful, one sentence each.
        steps: of anytime growth, in their order; empty for trees that were grown otherwise.
        memory: what a memory did for it; None without one.

    Raises:
        InputError: labels, constraints, relations, votes, held or merged literals name what is not in the
            tree, or two assumptions have the same id; ``subject`` is the field.
    """

    tree: Tree
    graph: BeliefGraph
    verdict: Verdict
    models: Models
    seconds: Seconds = Seconds()
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    warnings: tuple[str, ...] = ()
    steps: tuple[GrowthStep, ...] = ()
    memory: MemoryNotes | None = None

    def __post_init__(self) -> None:
        _check_names(self)
        _check_indices(self.verdict)

    def __repr__(self) -> str:
        """One line, without the tree and the constraints."""
        return f"<{type(self).__name__} {self.verdict.summary}: {shortened(self.statement)}>"

    @property
    def question(self) -> str:
        """As asked; ``statement`` is the declarative form that the answer is about."""
        return self.tree.question

    @property
    def statement(self) -> str:
        """What is held true or false."""
        return self.tree.statement

    @property
    def answer(self) -> bool:
        """Whether the statement is held true."""
        return self.verdict.answer

    @property
    def p_true(self) -> float | None:
        """P(statement is true) in [0, 1]; None for inferences that give none."""
        return self.verdict.p_true

    @property
    def confidence(self) -> float | None:
        """P(the answer) in [0, 1]; None where ``p_true`` is."""
        return self.verdict.confidence

    @property
    def margin(self) -> float:
        """Distance from the opposite answer, ≥ 0, in the verdict's ``margin_unit``; 0 is a coin toss."""
        return self.verdict.margin

    @property
    def labels(self) -> Mapping[str, bool]:
        """Truth value of each proposition's statement, by id; of assumptions too."""
        return self.verdict.labels

    @property
    def belief_source(self) -> str | None:
        """Where the language model's beliefs come from; see :class:`Models`."""
        return self.models.belief_source

    @property
    def unsure(self) -> bool:
        """Whether the answer is less probable than was asked for, or the model judged nothing."""
        return self.verdict.unsure

    @cached_property
    def propositions(self) -> tuple[Proposition, ...]:
        """The root, then all that took part: the tree's, pruned ones if they did, a memory's, assumptions.

        Those of a memory ("M1", …) and assumptions ("A1", …) have no parent; the latter have no beliefs.
        """
        labels, pruned = self.labels, self.tree.pruned
        took_part = any(node.id in labels for node in pruned if node.parent is not None)
        assumed = (Proposition(a.id, None, a.statement, "") for a in self.verdict.assumptions)
        recalled = (
            Proposition(r.id, None, r.statement, r.negation, r.p_true, r.p_true_negation)
            for r in self.verdict.recalled
        )
        return (self.tree.root, *taking_part(self.tree, pruned=took_part), *recalled, *assumed)

    @property
    def discard_counts(self) -> Mapping[str, int]:
        """How many texts were discarded for each reason, the most frequent first."""
        return dict(Counter(item.reason for item in self.tree.discarded).most_common())


def _check_names(answer: Reasoning) -> None:
    tree, verdict = answer.tree, answer.verdict
    known = {node.id for node in (tree.root, *tree.nodes, *tree.pruned)}
    assumed = {assumption.id for assumption in verdict.assumptions}
    if len(assumed) < len(verdict.assumptions):
        raise InputError("assumptions: two have the same id; number them A1, A2, …", subject="assumptions")
    known |= assumed | {one.id for one in verdict.recalled}
    used = {node_id for constraint in verdict.constraints for node_id in constraint.ids}
    held = {literal.id for literal in verdict.held}
    ruled = {literal.id for rule in verdict.rules for literal in rule.literals}
    named = {
        "graph": {form.literal.id for form in answer.graph.forms},
        "constraints": used,
        "votes": {literal.id for literal in verdict.votes or {}},
        "held": held,
        "merged": {literal.id for group in verdict.merged for literal in group},
        "rules": ruled,
        "labels": verdict.labels.keys(),
        "p_labels": (verdict.p_labels or {}).keys(),
        "strengths": (verdict.strengths or {}).keys(),
        "variables": set(verdict.variables),
    }
    for field, ids in named.items():
        if stray := sorted(ids - known):
            raise InputError(f"{field}: {stray[0]} is not in the tree", subject=field)
    if verdict.margin_unit == "nats" and ROOT not in verdict.labels:
        raise InputError(f"labels: {ROOT} has none", subject="labels")
    if unlabelled := sorted((used | held | ruled) - verdict.labels.keys()):
        raise InputError(f"labels: {unlabelled[0]} has none but has a constraint", subject="labels")
    if unnumbered := sorted((used | held | ruled) - set(verdict.variables)):
        raise InputError(f"variables: {unnumbered[0]} is missing but has a constraint", subject="variables")


def _check_indices(verdict: Verdict) -> None:
    for field, indices in (("violated", verdict.violated), ("flip", verdict.flip)):
        if indices and not 0 <= min(indices) <= max(indices) < len(verdict.constraints):
            raise InputError(f"{field}: an index is not that of a constraint", subject=field)
