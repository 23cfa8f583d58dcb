"""Maieutic prompting (Jung et al. 2022): trees of explanations and an inference; ablations are settings.

To compare two inferences on the same trees: ``vote.conclude([o.reasoning.tree for o in outcomes], models)``
after ``outcomes = joint.run(texts, models)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from maieutic.answer import Answer
from maieutic.benchmarks.methods.base import Outcome
from maieutic.benchmarks.methods.settings import FLAT
from maieutic.bundled import AGORA, bundled_weights
from maieutic.config import ElicitConfig
from maieutic.elicit import Growth
from maieutic.errors import InputError
from maieutic.inference import INFERENCES, Inference, Joint, Vote
from maieutic.inference.weights import DEFAULT_WEIGHTS, read_weights
from maieutic.lm.base import LanguageModel
from maieutic.lm.calls import choose
from maieutic.models import LoadedModels
from maieutic.nli.remembered import RememberingVerifier
from maieutic.pipeline import Maieutic
from maieutic.prompts import PromptSet
from maieutic.tree import Tree
from maieutic.usage import Usage

__all__ = ["EvidenceKind", "MaieuticMethod"]

EvidenceKind = Literal["all", "beliefs", "likelihood"]

UNSURE = "unsure: the answer is less probable than abstain_below"


@dataclass(frozen=True)
class MaieuticMethod:
    """Grows a tree of explanations for both sides and gives the most consistent answer.

    Joint inference gives P(true) and a margin in nats, vote a margin in votes, argue a margin in strength.
    The details ``nodes``, ``integral`` and ``pruned`` count the propositions that inference receives,
    ``discarded`` counts discarded texts.

    Attributes:
        inference: joint, vote (as in the reference implementation) or argue; its settings follow.
        elicit: how trees grow; the names of its settings stand without a prefix.
        integrity: false prunes nothing and counts every proposition with known beliefs as integral; where
            the tree grows does not change.
        evidence: all; beliefs (known beliefs alone label the explanations, relations among explanations are
            not scored, and the labelled explanations decide Q); likelihood (no beliefs are read, so the tree
            grows in full and nothing is pruned; an explanation has the belief L/(L + L'), where L is the
            probability of its words after the prompt that gave it and L' that after the prompt of the other
            side; it has none if L ≤ L').
        weights: weights file of joint inference (maieutic calibrate); agora for those of the bundled
            models; empty for those that suit the models.
    """

    inference: Inference = field(default_factory=Joint, metadata={"choices": INFERENCES})
    elicit: ElicitConfig = field(default=ElicitConfig(), metadata=FLAT)
    integrity: bool = True
    evidence: EvidenceKind = "all"
    weights: str = ""

    def __post_init__(self) -> None:
        if self.evidence not in get_args(EvidenceKind):
            options = ", ".join(get_args(EvidenceKind))
            raise InputError(f"evidence must be {options}, not {self.evidence!r}", subject="evidence")
        for name, given, able in (
            ("weights", self.weights != "", Joint),
            ("evidence", self.evidence == "beliefs", Joint | Vote),
        ):
            if given and not isinstance(self.inference, able):
                problem = f"{self.inference.name} inference has no {name}={getattr(self, name)}"
                raise InputError(f"{problem}; use joint, or leave it out", subject=name)
        _ = self.configured_inference  # an invalid weights file is reported before models load

    @property
    def uses_verifier(self) -> bool:
        return self.inference.uses_verifier

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("declare", "negate", "direct", "belief", "verdict", "explain")

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        models = replace(models, verifier=RememberingVerifier(models.verifier))  # growing asks for most pairs
        maieutic = self._maieutic(models, models.suited(self.configured_inference, self.configured_elicit))
        return self._concluded(maieutic.grow(texts), maieutic)

    def conclude(self, trees: Iterable[Tree | Growth], models: LoadedModels) -> list[Outcome]:
        """Answer trees that were grown before; see :meth:`maieutic.pipeline.Maieutic.conclude`.

        The settings of growth do not apply. Only ``evidence=likelihood`` calls the language model.
        """
        return self._concluded(trees, self._maieutic(models, self.configured_inference))

    def _concluded(self, trees: Iterable[Tree | Growth], maieutic: Maieutic) -> list[Outcome]:
        growths = (item if isinstance(item, Growth) else Growth(item) for item in trees)
        shown = [self._shown(growth, maieutic.lm, maieutic.prompts) for growth in growths]
        return [_outcome(answer) for answer in maieutic.conclude(shown)]

    def _maieutic(self, models: LoadedModels, inference: Inference) -> Maieutic:
        return Maieutic(
            models.lm,
            models.verifier,
            prompts=models.prompts,
            elicit=self.configured_elicit,
            inference=inference,
            progress=models.progress,
        )

    @property
    def configured_elicit(self) -> ElicitConfig:
        """The settings of growth, with what ``evidence=likelihood`` changes."""
        if self.evidence != "likelihood":
            return self.elicit
        return replace(self.elicit, growth="reference", read_beliefs=False, priors=False)

    @cached_property
    def configured_inference(self) -> Inference:
        """The inference with the weights of the file and with the ablations of ``evidence``."""
        inference = self.inference
        if isinstance(inference, Joint) and self.weights:
            file = bundled_weights() if self.weights == AGORA else Path(self.weights)
            inference = replace(inference, weights=read_weights(file))
        if isinstance(inference, Joint) and self.evidence == "likelihood":
            # Q's belief was not read, which differs from an unknown belief.
            inference = replace(inference, weights=replace(inference.weights or DEFAULT_WEIGHTS, root=0.0))
        if isinstance(inference, Joint | Vote) and self.evidence == "beliefs":
            inference = replace(inference, decided=True)
        return inference

    def _shown(self, growth: Growth, lm: LanguageModel, prompts: PromptSet) -> Growth:
        """The tree that inference receives under the ablations, with the cost of making it."""
        if self.evidence == "likelihood":
            tree, usage = _by_likelihood(_unpruned(growth.tree), lm, prompts)
            return replace(growth, tree=tree, usage=growth.usage + usage)
        return growth if self.integrity else replace(growth, tree=_unpruned(growth.tree))


def _outcome(answer: Answer) -> Outcome:
    tree = answer.tree
    counts = {
        "nodes": len(tree.nodes),
        "integral": sum(node.integral for node in tree.nodes),
        "pruned": len(tree.pruned),
        "discarded": len(tree.discarded),
    }
    return Outcome(
        None if answer.unsure else answer.answer,
        p_true=answer.p_true,
        problem=_doubt(answer) if answer.unsure else None,
        margin=answer.margin,
        margin_unit=answer.verdict.margin_unit,
        usage=answer.usage,
        seconds=answer.seconds.total,
        details={name: float(count) for name, count in counts.items()},
        reasoning=answer,
    )


def _doubt(answer: Answer) -> str:
    return f"unsure: {'; '.join(answer.warnings)}" if answer.warnings else UNSURE


# -- ablations -----------------------------------------------------------------------------------------


def _unpruned(tree: Tree) -> Tree:
    """The tree with its pruned propositions; every proposition with two known beliefs counts as integral."""
    grown = sorted((*tree.nodes, *tree.pruned), key=lambda node: node.depth)  # parents before children
    nodes = tuple(replace(node, integral=None not in (node.p_true, node.p_true_negation)) for node in grown)
    return replace(tree, nodes=nodes, pruned=())


def _by_likelihood(tree: Tree, lm: LanguageModel, prompts: PromptSet) -> tuple[Tree, Usage]:
    """The tree with likelihoods instead of beliefs, and their cost; see ``evidence``.

    Two prompts are scored for every explanation.
    """
    nodes, usage = [], Usage()
    for node in tree.nodes:
        p: float | None = None
        if node.parent is not None:
            parent = tree.by_id[node.parent].statement
            sides = [prompts.explain(parent, side) for side in (True, False)]
            scores = choose(lm, sides, _continuations(node.statement, prompts))
            usage = sum(scores.usages, usage)
            true, false = scores.probabilities.sum(axis=1).tolist()
            own, other = (true, false) if node.side else (false, true)
            p = own / (own + other) if own > other else None
        counter = None if p is None else 1.0 - p
        nodes.append(replace(node, p_true=p, p_true_negation=counter, integral=p is not None))
    return replace(tree, nodes=tuple(nodes)), usage


def _continuations(explanation: str, prompts: PromptSet) -> list[str]:
    """The ways the model may have written it; eliciting made its first letter a capital."""
    blank = " " if prompts.format == "text" else ""
    lowered = explanation[:1].lower() + explanation[1:]
    return list(dict.fromkeys(blank + text for text in (explanation, lowered)))
