"""Trees of explanations, weighed by MaxSAT (Jung et al. 2022); the ablations are settings.

Two inferences on the same trees, grown once: ``vote.conclude([o.reasoning.tree for o in outcomes], models)``
after ``outcomes = joint.run(texts, models)``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from maieutic.answer import Answer, Models, Seconds
from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.methods.meter import Metered, relating
from maieutic.bundled import AGORA, bundled_weights
from maieutic.config import Belief, ElicitConfig, JointConfig
from maieutic.elicit import elicit
from maieutic.errors import InputError
from maieutic.inference.base import (
    DEFAULT_SOLVER,
    Inference,
    check_abstention,
    check_inference,
    check_joint,
    infer,
)
from maieutic.inference.weights import DEFAULT_WEIGHTS, JointWeights, read_weights
from maieutic.lm.base import LanguageModel
from maieutic.pipeline import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.relate import Relation, bare_graph, forms_of, relate
from maieutic.solvers import SOLVERS, Solver
from maieutic.tree import INTEGRITY_THRESHOLD, Tree

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["NO_VERIFIER", "EvidenceKind", "MaieuticMethod"]

EvidenceKind = Literal["all", "beliefs", "likelihood"]

UNSURE = "unsure: the answer is less likely than abstain_below"
NO_VERIFIER = "none"  # as the verifier's name in an answer


@dataclass(frozen=True)
class MaieuticMethod:
    """Grows a tree of explanations for both sides and answers what fits together best.

    Joint inference gives P(true) and a margin in nats, vote a margin in votes.
    The details ``nodes``, ``integral``, ``pruned`` and ``discarded`` count propositions, as inference saw
    them, and refused texts. Given trees cost no call of the language model.

    Attributes:
        inference: joint, or vote as in the reference implementation.
        depth: waves of explanations, ≥ 0.
        widths: explanations per side at depth 1, 2, …; the last one holds for all deeper waves.
        temperatures: of their sampling, likewise.
        belief: explained (the model explains before it judges) or direct.
        integrity_threshold: a proposition is integral if its two beliefs are further apart, in [0, 1].
        max_new_tokens: token limit of every text, ≥ 1.
        verifier: false asks no verifier; joint is left with beliefs and the tree's own edges, and in
            vote these stand for relations: what the True prompt gave entails its parent, what the False
            prompt gave contradicts it.
        integrity: false prunes nothing and counts every proposition with known beliefs as integral; the
            tree grows where the model wavers all the same.
        evidence: all; beliefs (they alone label the explanations, as far as they are known, relations
            among explanations are not asked for, and the labelled explanations then decide Q);
            likelihood (no belief is read, Q's neither, so nothing is known to be integral: the tree
            grows in full, nothing is pruned, and an explanation E counts with the belief L/(L + L'), L
            being the probability of its words after the prompt that gave it and L' after that of the
            other side; where L ≤ L' it has none).
        weights: file of the weights of joint inference (maieutic calibrate), agora for those of the bundled
            models, empty for the package's own.
        merge: joint inference takes propositions that entail each other both ways for one; not without a
            verifier, nor those that evidence=beliefs has settled.
        pruned: what pruned propositions are worth to joint inference, in [0, 1]; 0 leaves them out. Without
            integrity nothing is pruned.
        abstain_below: answers less likely than this are withheld, in [0, 1]; joint inference only.
        seed: of all sampling.
    """

    inference: Inference = "joint"
    depth: int = 2
    widths: tuple[int, ...] = (3, 1)
    temperatures: tuple[float, ...] = (1.0, 0.5)
    belief: Belief = "explained"
    integrity_threshold: float = INTEGRITY_THRESHOLD
    max_new_tokens: int = 64
    verifier: bool = True
    integrity: bool = True
    evidence: EvidenceKind = "all"
    weights: str = ""
    merge: bool = False
    pruned: float = 0.0
    abstain_below: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_abstention(self.abstain_below, check_inference(self.inference))
        if self.evidence not in get_args(EvidenceKind):
            raise InputError(f"evidence must be {', '.join(get_args(EvidenceKind))}, not {self.evidence!r}")
        self._growth()
        _ = self._joint  # a bad file is told before anything is asked

    @cached_property
    def _joint(self) -> JointConfig:
        return check_joint(JointConfig(weights_of(self.weights), self.merge, self.pruned), self.inference)

    @property
    def uses_verifier(self) -> bool:
        return self.verifier

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        lm = Metered(models.lm)
        trees = elicit(texts, lm, models.prompts, self._growth())
        each = (time.perf_counter() - start) / max(len(trees), 1)
        outcomes = self.conclude(trees, models, grown_by=models.lm.name, elicit_seconds=each)
        return [replace(o, usage=lm.usage(place) + o.usage) for place, o in enumerate(outcomes)]

    def conclude(
        self,
        trees: Sequence[Tree],
        models: LoadedModels,
        *,
        grown_by: str | None = None,
        elicit_seconds: float = 0.0,
    ) -> list[Outcome]:
        """Answer trees that are grown already; what growing took is not in the usage.

        The settings of growth do not touch them, and no language model is asked but with likelihoods.

        Args:
            grown_by: name of the language model, None if it is not known.
            elicit_seconds: what growing took, per tree; it counts in the outcome's seconds.
        """
        start = time.perf_counter()
        lm = Metered(models.lm)
        shown = [self._shown(tree, lm, models.prompts, str(place)) for place, tree in enumerate(trees)]
        graphs = self._graphs(shown, models)
        before = Seconds(elicit_seconds, (time.perf_counter() - start) / max(len(trees), 1))
        solver = SOLVERS[DEFAULT_SOLVER[self.inference]]()
        names = Models(grown_by, models.verifier.name if self.verifier else NO_VERIFIER, solver.name)
        outcomes = []
        for place, (tree, graph) in enumerate(zip(shown, graphs, strict=True)):
            answer = self._answer(tree, graph, solver, names, before)
            pairs = relating(graph, models, lm) if self.verifier else Usage()
            outcomes.append(_outcome(answer, lm.usage(place) + pairs))
        return outcomes

    def _growth(self) -> ElicitConfig:
        return ElicitConfig(
            depth=self.depth,
            widths=self.widths,
            temperatures=self.temperatures,
            max_new_tokens=self.max_new_tokens,
            integrity_threshold=self.integrity_threshold,
            belief=self.belief,
            seed=self.seed,
            read_beliefs=self.evidence != "likelihood",
        )

    def _shown(self, tree: Tree, lm: LanguageModel, prompts: PromptSet, owner: str) -> Tree:
        """The tree as inference is to see it."""
        if self.evidence == "likelihood":
            return _by_likelihood(_unpruned(tree), lm, prompts, owner)
        return tree if self.integrity else _unpruned(tree)

    def _graphs(self, trees: Sequence[Tree], models: LoadedModels) -> list[BeliefGraph]:
        joint = self.inference == "joint"
        pruned = joint and self.pruned > 0
        if not self.verifier:
            return [bare_graph(tree, pruned=pruned) if joint else _related_by_growth(tree) for tree in trees]
        among = self.evidence != "beliefs"
        return relate(trees, models.verifier, from_root=joint, among=among, pruned=pruned)

    def _answer(
        self, tree: Tree, graph: BeliefGraph, solver: Solver, names: Models, before: Seconds
    ) -> Answer:
        start = time.perf_counter()
        decided = self.evidence == "beliefs"
        joint = self._joint
        if self.evidence == "likelihood":  # not asked for is not the same as having said neither
            joint = replace(joint, weights=replace(joint.weights, root=0.0))
        verdict = infer(tree, graph, self.inference, solver, joint, decided=decided)
        seconds = replace(before, solve=time.perf_counter() - start)
        below = self.abstain_below
        return Answer.of(tree, graph, verdict, self.inference, names, seconds, abstain_below=below)


def weights_of(setting: str) -> JointWeights:
    """The weights that the setting ``weights`` names.

    Raises:
        FileFormatError: the file is no weights file.
    """
    if not setting:
        return DEFAULT_WEIGHTS
    return read_weights(bundled_weights() if setting == AGORA else Path(setting))


def _outcome(answer: Answer, usage: Usage) -> Outcome:
    tree, seconds = answer.tree, answer.seconds
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
        margin_unit=answer.margin_unit,
        usage=usage,
        seconds=seconds.elicit + seconds.relate + seconds.solve,
        details={name: float(count) for name, count in counts.items()},
        reasoning=answer,
    )


# -- ablations -----------------------------------------------------------------------------------------


def _unpruned(tree: Tree) -> Tree:
    """The tree with all that was grown, each proposition with two known beliefs called integral."""
    grown = sorted((*tree.nodes, *tree.pruned), key=lambda node: node.depth)  # parents before children
    nodes = tuple(replace(node, integral=None not in (node.p_true, node.p_true_negation)) for node in grown)
    return replace(tree, nodes=nodes, pruned=())


def _by_likelihood(tree: Tree, lm: LanguageModel, prompts: PromptSet, owner: str) -> Tree:
    """The tree with likelihoods in the place of beliefs; see :attr:`MaieuticMethod.evidence`.

    Cost: two prompts scored for every explanation.
    """
    nodes = []
    for node in tree.nodes:
        p: float | None = None
        if node.parent is not None:
            parent = tree.by_id[node.parent].statement
            sides = [prompts.explain(parent, side).owned_by(owner) for side in (True, False)]
            true, false = lm.choose(sides, _continuations(node.statement, prompts)).sum(axis=1).tolist()
            own, other = (true, false) if node.side else (false, true)
            p = own / (own + other) if own > other else None
        counter = None if p is None else 1.0 - p
        nodes.append(replace(node, p_true=p, p_true_negation=counter, integral=p is not None))
    return replace(tree, nodes=tuple(nodes))


def _continuations(explanation: str, prompts: PromptSet) -> list[str]:
    """The ways that the model may have written it: its first letter was raised when it was taken."""
    blank = " " if prompts.format == "text" else ""
    lowered = explanation[:1].lower() + explanation[1:]
    return list(dict.fromkeys(blank + text for text in (explanation, lowered)))


def _related_by_growth(tree: Tree) -> BeliefGraph:
    """The belief graph with the tree's own edges as relations that are certain."""
    graph = bare_graph(tree)
    positive = {form.proposition: form.positive for form in forms_of(tree)}
    for node in tree.nodes:
        if node.parent is None or not positive[node.id]:
            continue  # what is believed to be false speaks for nothing
        parent_holds = positive.get(node.parent, True)
        target = node.parent if parent_holds else f"¬{node.parent}"
        agrees = node.side == parent_holds
        graph.add_edge(node.id, target, relation=Relation(float(not agrees), 0.0, float(agrees)))
    return graph
