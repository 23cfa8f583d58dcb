"""Chooses weights of joint inference for the bundled models that label the most propositions correctly.

Launch:   python -m maieutic.benchmarks.agora.weigh RUN… --everyday N --out agora.weights.toml
Data:     runs of ``maieutic bench run agora --split dev --method maieutic`` with different --seed, and trees
          about N everyday questions on things of the development split, which it grows.
Score:    the share of correct answers, plus the share of correctly labelled explanations among those with a
          known truth value, plus the mean log-likelihood of the gold answers under P(true): a wrong answer
          costs more the surer it is. (On other data sets only answers are known; use ``maieutic calibrate``.)
Search:   coordinate ascent from the package's default weights over a few values per weight, until no weight
          changes. Finally all weights are scaled to maximise the likelihood, which keeps the best labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.everyday_questions import everyday_questions
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.world import load_everyday
from maieutic.benchmarks.calibration.fit import MAX_PROPOSITIONS, Evidence, evidence_of
from maieutic.benchmarks.calibration.study import ProbabilityScores
from maieutic.benchmarks.runs.folder import read_run
from maieutic.config import ElicitConfig
from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, EVERY_TERM, TERMS, JointWeights, weights_toml
from maieutic.pipeline import BATCH_SIZE, Maieutic
from maieutic.relate import relate
from maieutic.tree import Tree, taking_part

__all__ = ["Score", "app", "choose_weights", "merit", "scale_weights", "score", "truths"]

VALUES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5)
SCALES = tuple(2 ** (step / 4) for step in range(-12, 13))  # from 1/8 to 8
SEARCHED = tuple(name for name in TERMS if name != "bias")  # without bias: half of the statements are true
ROUNDS = 10
EVERYDAY_BUDGET = 120  # generated tokens of a tree about an everyday question

Truths = Sequence[Sequence[bool | None]]

app = typer.Typer(pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Score:
    """Shares, in [0, 1], of correct answers and of correctly labelled explanations with known truth."""

    answers: float
    labels: float

    @property
    def both(self) -> float:
        """Their sum, in [0, 2]."""
        return self.answers + self.labels


def truths(trees: Sequence[Tree], oracle: Oracle) -> Truths:
    """For each tree, the gold answer and the truth value of each explanation.

    None excludes an explanation from the score: its truth is unknown, or the model has no belief in it.
    """
    return [
        [
            tree.answer,
            *(
                oracle.truth(node.statement) if None not in (node.p_true, node.p_true_negation) else None
                for node in taking_part(tree)
            ),
        ]
        for tree in trees
    ]


def score(evidence: Evidence, known: Truths, weights: JointWeights) -> Score:
    """The score of the best labellings under the weights."""
    rows = [
        [None if truth is None else label == truth for label, truth in zip(labels, tree_truths, strict=True)]
        for tree_truths, labels in zip(known, evidence.best_labels(weights), strict=True)
    ]
    answers = [bool(answer) for answer, *_ in rows]
    labels = [hit for _, *hits in rows for hit in hits if hit is not None]
    return Score(sum(answers) / len(answers), sum(labels) / max(1, len(labels)))


def merit(evidence: Evidence, known: Truths, weights: JointWeights) -> float:
    """The objective of the search: :attr:`Score.both` plus the mean log-likelihood of the gold answers."""
    return score(evidence, known, weights).both + _log_likelihood(evidence, weights)


def choose_weights(evidence: Evidence, known: Truths, start: JointWeights) -> JointWeights:
    """The result of the search from the weights ``start``."""
    weights, best = start, merit(evidence, known, start)
    for _ in range(ROUNDS):
        before = weights
        for name in SEARCHED:
            for value in VALUES:
                candidate = replace(weights, **{name: value})
                if (found := merit(evidence, known, candidate)) > best:
                    weights, best = candidate, found
        if weights == before:
            break
    return weights


def scale_weights(evidence: Evidence, weights: JointWeights) -> JointWeights:
    """The weights times the scale that maximises the likelihood of the gold answers."""
    candidates = [
        replace(weights, **{name: scale * getattr(weights, name) for name in TERMS}) for scale in SCALES
    ]
    return max(candidates, key=lambda each: _log_likelihood(evidence, each))


def _log_likelihood(evidence: Evidence, weights: JointWeights) -> float:
    return -ProbabilityScores.of(evidence.p_true(weights), evidence.gold).nll


@app.command()
def weigh(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders of the method maieutic on agora, split dev.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Weights file to write; it must not exist.")],
    everyday: Annotated[int, typer.Option("--everyday", help="Everyday questions.", min=0)] = 0,
) -> None:
    """Choose the weights of joint inference for the bundled models."""
    if out.exists():
        raise InputError(f"{out} exists; give another --out or move the file", subject="--out")
    from maieutic.nli import load_verifier  # noqa: PLC0415 - torch and transformers take seconds to load

    trees = [*(tree for run in runs for tree in _trees(run)), *_everyday_trees(everyday)]
    related = relate(trees, load_verifier("agora"), Joint(EVERY_TERM))
    evidence = evidence_of(trees, [each.graph for each in related], DEFAULT_WEIGHTS)
    known = truths(trees, Oracle(load_everyday()))
    weights = scale_weights(evidence, choose_weights(evidence, known, DEFAULT_WEIGHTS))
    weights = replace(weights, **{name: round(getattr(weights, name), 2) for name in TERMS})
    for name, each in (("default", DEFAULT_WEIGHTS), ("chosen", weights)):
        shares, ece = (
            score(evidence, known, each),
            ProbabilityScores.of(evidence.p_true(each), evidence.gold).ece,
        )
        result = (
            f"{shares.answers:.1%} of answers, {shares.labels:.1%} of explanations correct, ECE {ece:.3f}"
        )
        typer.echo(f"{name} weights: {result}")
    names = " ".join([*(run.name for run in runs), *(["--everyday", str(everyday)] if everyday else [])])
    command = f"python -m maieutic.benchmarks.agora.weigh {names}"
    out.write_text(weights_toml(weights, {"command": command}), encoding="utf-8")


def _trees(folder: Path) -> list[Tree]:
    run = read_run(folder)
    if (run.config.dataset, run.config.split) != ("agora", "dev"):
        raise InputError(
            f"{folder} is a run on {run.config.dataset} {run.config.split}; give runs on agora dev, "
            "since the test split is for evaluation only",
            subject="runs",
        )
    return [tree for tree in run.trees if len(tree.nodes) <= MAX_PROPOSITIONS]


def _everyday_trees(count: int) -> list[Tree]:
    """Trees about everyday questions on things of the development split, as long as the runs' are."""
    if not count:
        return []
    asked = everyday_questions(load_everyday(), "dev", count)
    growth = ElicitConfig(confidence=1.0, budget=EVERYDAY_BUDGET)
    maieutic = Maieutic.load(elicit=growth, inference=Joint(DEFAULT_WEIGHTS))
    growths = [
        growth
        for start in range(0, count, BATCH_SIZE)
        for growth in maieutic.grow([question.text for question in asked[start : start + BATCH_SIZE]])
    ]
    return [
        replace(growth.tree, answer=question.answer)
        for growth, question in zip(growths, asked, strict=True)
        if len(growth.tree.nodes) <= MAX_PROPOSITIONS
    ]


if __name__ == "__main__":
    run_app(app)
