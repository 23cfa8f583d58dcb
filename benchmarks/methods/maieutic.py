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
from maieutic.bundled import AGORA, bundled_weights
from maieutic.config import Belief, ElicitConfig, GrowthStyle, Rewriting
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
from maieutic.tree import INTEGRITY_THRESHOLD, Tree
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
        growth: anytime (only where P(Q) is unsure, one step at a time; joint inference only) or reference
            (the paper's waves).
        confidence: anytime growth stops where P of the answer reaches this, in [0, 1].
        budget: generated tokens beyond which anytime growth begins no step, ≥ 0.
        rewriting: rules (candidates by rule, of which the model chooses) or model (the model writes
            negations and statements).
        chain: whether anytime growth may ask for a chain of thought about Q.
        prune: whether only paths to integral leaves are kept, as in the reference implementation.
        depth: of the tree, ≥ 0; 0 is the direct answer.
        widths: explanations per side at depth 1, 2, …; the last one holds for all greater depths.
        temperatures: of their sampling, likewise.
        belief: explained (the model explains before it judges) or direct.
        integrity_threshold: a proposition is integral if its two beliefs are further apart, in [0, 1].
        max_new_tokens: token limit of every text, ≥ 1.
        integrity: false prunes nothing and counts every proposition with known beliefs as integral; where
            the tree grows does not change.
        evidence: all; beliefs (known beliefs alone label the explanations, relations among explanations are
            not scored, and the labelled explanations decide Q); likelihood (no beliefs are read, so the tree
            grows in full and nothing is pruned; an explanation has the belief L/(L + L'), where L is the
            probability of its words after the prompt that gave it and L' that after the prompt of the other
            side; it has none if L ≤ L').
        weights: weights file of joint inference (maieutic calibrate); agora for those of the bundled
            models; empty for those that suit the models.
        seed: of all sampling.
    """

    inference: Inference = field(default_factory=Joint, metadata={"choices": INFERENCES})
    growth: GrowthStyle = "anytime"
    confidence: float = 0.9
    budget: int = 80
    rewriting: Rewriting = "rules"
    chain: bool = True
    prune: bool = False
    depth: int = 2
    widths: tuple[int, ...] = (3, 1)
    temperatures: tuple[float, ...] = (1.0, 0.5)
    belief: Belief = "direct"
    integrity_threshold: float = INTEGRITY_THRESHOLD
    max_new_tokens: int = 64
    integrity: bool = True
    evidence: EvidenceKind = "all"
    weights: str = ""
    seed: int = 0

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
        self._elicit()
        _ = self.configured_inference  # an invalid weights file is reported before models load

    @property
    def uses_verifier(self) -> bool:
        return self.inference.uses_verifier

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        models = replace(models, verifier=RememberingVerifier(models.verifier))  # growing asks for most pairs
        return self.conclude(self._maieutic(models).grow(texts), models)

    def conclude(self, trees: Iterable[Tree | Growth], models: LoadedModels) -> list[Outcome]:
        """Answer trees that were grown before; see :meth:`maieutic.pipeline.Maieutic.conclude`.

        The settings of growth do not apply. Only ``evidence=likelihood`` calls the language model.
        """
        growths = (item if isinstance(item, Growth) else Growth(item) for item in trees)
        shown = [self._shown(growth, models.lm, models.prompts) for growth in growths]
        return [_outcome(answer) for answer in self._maieutic(models).conclude(shown)]

    def _maieutic(self, models: LoadedModels) -> Maieutic:
        elicit, inference, prompts = self._elicit(), self.configured_inference, models.prompts
        return Maieutic(
            models.lm,
            models.verifier,
            prompts=prompts,
            elicit=elicit,
            inference=inference,
            progress=models.progress,
        )

    def _elicit(self) -> ElicitConfig:
        return ElicitConfig(
            growth="reference" if self.evidence == "likelihood" else self.growth,
            confidence=self.confidence,
            budget=self.budget,
            rewriting=self.rewriting,
            chain=self.chain,
            prune=self.prune,
            depth=self.depth,
            widths=self.widths,
            temperatures=self.temperatures,
            max_new_tokens=self.max_new_tokens,
            integrity_threshold=self.integrity_threshold,
            belief=self.belief,
            seed=self.seed,
            read_beliefs=self.evidence != "likelihood",
        )

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
        problem=UNSURE if answer.unsure else None,
        margin=answer.margin,
        margin_unit=answer.verdict.margin_unit,
        usage=answer.usage,
        seconds=answer.seconds.total,
        details={name: float(count) for name, count in counts.items()},
        reasoning=answer,
    )


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
