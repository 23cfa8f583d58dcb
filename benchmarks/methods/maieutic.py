"""Trees of explanations, weighed by an inference (Jung et al. 2022); the ablations are settings.

Two inferences on the same trees, grown once: ``vote.conclude([o.reasoning.tree for o in outcomes], models)``
after ``outcomes = joint.run(texts, models)``, or ``replace(vote, trees={text: tree, …}).run(texts, models)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from maieutic.answer import Answer
from maieutic.benchmarks.methods.base import Outcome
from maieutic.config import ElicitConfig
from maieutic.elicit import Growth
from maieutic.errors import InputError
from maieutic.inference import Inference, Joint, Vote
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.lm.base import LanguageModel
from maieutic.pipeline import LoadedModels, Maieutic
from maieutic.prompts import PromptSet
from maieutic.tree import Tree
from maieutic.usage import Usage

__all__ = ["NO_TREE", "Evidence", "TreeMethod"]

Evidence = Literal["all", "beliefs", "likelihood"]

NO_TREE = "no tree was given for this text"
UNSURE = "unsure: the answer is less probable than abstain_below"


@dataclass(frozen=True)
class TreeMethod:
    """Grows a tree of explanations for both sides and answers what fits together best.

    Joint inference gives P(true) and a margin in nats, vote a margin in votes, argue one in strength. The
    details ``nodes``, ``integral``, ``pruned`` and ``discarded`` count propositions, as inference saw them,
    and refused texts. Given trees cost no call of the language model.

    Attributes:
        inference: joint, vote or argue, with its settings.
        elicit: how trees grow.
        integrity: false prunes nothing and counts every proposition with known beliefs as integral; the
            tree grows where the model wavers all the same.
        evidence: all; beliefs (they alone label the explanations, as far as they are known, relations
            among explanations are not scored, and the labelled explanations then decide Q); likelihood (no
            belief is read, Q's neither, so nothing is known to be integral: the tree grows in full, nothing
            is pruned, and an explanation E counts with the belief L/(L + L'), L being the probability of
            its words after the prompt that gave it and L' after that of the other side; where L ≤ L' it
            has none).
        trees: by text; takes these instead of growing any. The settings of growth do not touch them.
    """

    inference: Inference = field(default_factory=Joint)
    elicit: ElicitConfig = ElicitConfig()  # noqa: RUF009 - frozen
    integrity: bool = True
    evidence: Evidence = "all"
    trees: Mapping[str, Tree] | None = field(default=None, repr=False, hash=False)

    def __post_init__(self) -> None:
        if self.evidence not in get_args(Evidence):
            options = ", ".join(get_args(Evidence))
            raise InputError(f"evidence must be {options}, not {self.evidence!r}", subject="evidence")
        if self.evidence == "beliefs" and not isinstance(self.inference, Joint | Vote):
            raise InputError(
                f"evidence=beliefs needs joint or vote, not {self.inference.name}", subject="evidence"
            )
        if self.trees is not None and self.evidence == "likelihood":
            raise InputError(
                "evidence=likelihood asks the model that grew the trees; give no trees with it",
                subject="evidence",
            )

    @property
    def uses_verifier(self) -> bool:
        return self.inference.uses_verifier

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        if self.trees is not None:
            trees = [self.trees.get(text) or self.trees.get(" ".join(text.split())) for text in texts]
            answered = iter(self.conclude([tree for tree in trees if tree is not None], models))
            return [Outcome(None, problem=NO_TREE) if tree is None else next(answered) for tree in trees]
        return self.conclude(self._maieutic(models).grow(texts), models)

    def conclude(self, trees: Iterable[Tree | Growth], models: LoadedModels) -> list[Outcome]:
        """Answer trees that are grown already; see :meth:`maieutic.pipeline.Maieutic.conclude`."""
        growths = (item if isinstance(item, Growth) else Growth(item) for item in trees)
        shown = [self._shown(growth, models.lm, models.prompts) for growth in growths]
        return [_outcome(answer) for answer in self._maieutic(models).conclude(shown)]

    def _maieutic(self, models: LoadedModels) -> Maieutic:
        inference, elicit = self.inference, self.elicit
        if self.evidence == "beliefs" and isinstance(inference, Joint | Vote):
            inference = replace(inference, decided=True)
        if self.evidence == "likelihood":
            elicit = replace(elicit, read_beliefs=False)
            if isinstance(inference, Joint):  # Q's belief was not asked for; that is not a silent model
                inference = replace(
                    inference, weights=replace(inference.weights or DEFAULT_WEIGHTS, root=0.0)
                )
        prompts = models.prompts
        return Maieutic(models.lm, models.verifier, prompts=prompts, elicit=elicit, inference=inference)

    def _shown(self, growth: Growth, lm: LanguageModel, prompts: PromptSet) -> Growth:
        """The tree as inference is to see it, with what making it so took."""
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
    """The tree with all that was grown, each proposition with two known beliefs called integral."""
    grown = sorted((*tree.nodes, *tree.pruned), key=lambda node: node.depth)  # parents before children
    nodes = tuple(replace(node, integral=None not in (node.p_true, node.p_true_negation)) for node in grown)
    return replace(tree, nodes=nodes, pruned=())


def _by_likelihood(tree: Tree, lm: LanguageModel, prompts: PromptSet) -> tuple[Tree, Usage]:
    """The tree with likelihoods in the place of beliefs (:attr:`TreeMethod.evidence`), and what they cost.

    Two prompts are scored for every explanation.
    """
    nodes, usage = [], Usage()
    for node in tree.nodes:
        p: float | None = None
        if node.parent is not None:
            parent = tree.by_id[node.parent].statement
            sides = [prompts.explain(parent, side) for side in (True, False)]
            scores = lm.choose(sides, _continuations(node.statement, prompts))
            usage = sum(scores.usages, usage)
            true, false = scores.probabilities.sum(axis=1).tolist()
            own, other = (true, false) if node.side else (false, true)
            p = own / (own + other) if own > other else None
        counter = None if p is None else 1.0 - p
        nodes.append(replace(node, p_true=p, p_true_negation=counter, integral=p is not None))
    return replace(tree, nodes=tuple(nodes)), usage


def _continuations(explanation: str, prompts: PromptSet) -> list[str]:
    """The ways that the model may have written it: its first letter was raised when it was taken."""
    blank = " " if prompts.format == "text" else ""
    lowered = explanation[:1].lower() + explanation[1:]
    return list(dict.fromkeys(blank + text for text in (explanation, lowered)))
