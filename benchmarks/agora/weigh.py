"""Chooses the weights of joint inference for the bundled models: those that label most propositions rightly.

Launch:   python -m maieutic.benchmarks.agora.weigh RUN… --out agora.weights.toml
Data:     runs of ``maieutic bench run agora --split dev --method maieutic``, with different --seed.
Score:    the share of questions answered rightly plus the share of explanations labelled rightly, over those
          whose truth the world knows; elsewhere only answers are known, and ``maieutic calibrate`` learns
          from these.
Search:   from the package's own weights, one weight after the other takes its best value of a few, until none
          changes; a tie keeps the value, else takes the smaller one. The best labels stay the same when all
          weights grow alike; they are scaled so that the gold answers are likeliest under P(true).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.world import load_world
from maieutic.benchmarks.calibration.fit import MAX_PROPOSITIONS, Evidence, evidence_of
from maieutic.benchmarks.calibration.study import Scores
from maieutic.benchmarks.runs.folder import read_run
from maieutic.errors import InputError
from maieutic.inference.weights import DEFAULT_WEIGHTS, TERMS, JointWeights, weights_toml
from maieutic.relate import relate
from maieutic.tree import Tree, taking_part

__all__ = ["Score", "app", "chosen", "scaled", "score", "truths"]

VALUES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5)
SCALES = tuple(2 ** (step / 4) for step in range(-12, 13))  # from 1/8 to 8
SEARCHED = tuple(name for name in TERMS if name != "bias")  # half of the statements asked about are true
ROUNDS = 10

Truths = Sequence[Sequence[bool | None]]

app = typer.Typer(pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Score:
    """Shares in [0, 1]: questions answered rightly, and known explanations labelled rightly."""

    answers: float
    labels: float

    @property
    def both(self) -> float:
        """What is maximised."""
        return self.answers + self.labels


def truths(trees: Sequence[Tree], oracle: Oracle) -> Truths:
    """Of each tree the gold answer, then the truth of each explanation; None where it is not to be scored.

    That is where the world does not know, or the model has no belief.
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
    """How much the best labellings get right."""
    rows = [
        [None if true is None else label == true for label, true in zip(found, truth, strict=True)]
        for truth, found in zip(known, evidence.best_labels(weights), strict=True)
    ]
    answers = [bool(answer) for answer, *_ in rows]
    labels = [label for _, *found in rows for label in found if label is not None]
    return Score(sum(answers) / len(answers), sum(labels) / max(1, len(labels)))


def chosen(evidence: Evidence, known: Truths, start: JointWeights) -> JointWeights:
    """The weights that the search ends with."""
    weights, best = start, score(evidence, known, start).both
    for _ in range(ROUNDS):
        before = weights
        for name in SEARCHED:
            for value in VALUES:
                tried = replace(weights, **{name: value})
                if (found := score(evidence, known, tried).both) > best:
                    weights, best = tried, found
        if weights == before:
            break
    return weights


def scaled(evidence: Evidence, weights: JointWeights) -> JointWeights:
    """The weights times the scale under which the gold answers are likeliest."""
    found = [replace(weights, **{name: scale * getattr(weights, name) for name in TERMS}) for scale in SCALES]
    return min(found, key=lambda tried: Scores.of(evidence.p_true(tried), evidence.gold).nll)


@app.command()
def weigh(
    runs: Annotated[list[Path], typer.Argument(help="Folders of maieutic runs on agora's split dev.")],
    out: Annotated[Path, typer.Option("--out", help="Weights file to write; a new one.")],
) -> None:
    """Choose the weights of joint inference for the bundled models."""
    if out.exists():
        raise InputError(f"{out} exists already; give --out another name, or move it away")
    from maieutic.nli import load_verifier  # noqa: PLC0415 - torch and transformers take seconds to load

    trees = [tree for run in runs for tree in _trees(run)]
    evidence = evidence_of(trees, relate(trees, load_verifier("agora")), DEFAULT_WEIGHTS)
    known = truths(trees, Oracle(load_world()))
    weights = scaled(evidence, chosen(evidence, known, DEFAULT_WEIGHTS))
    weights = replace(weights, **{name: round(getattr(weights, name), 2) for name in TERMS})
    for name, found in (("package's", DEFAULT_WEIGHTS), ("chosen", weights)):
        got, ece = score(evidence, known, found), Scores.of(evidence.p_true(found), evidence.gold).ece
        said = f"{got.answers:.1%} of answers, {got.labels:.1%} of explanations right, ECE {ece:.3f}"
        typer.echo(f"{name} weights: {said}")
    command = f"python -m maieutic.benchmarks.agora.weigh {' '.join(run.name for run in runs)}"
    out.write_text(weights_toml(weights, {"command": command}), encoding="utf-8")


def _trees(run: Path) -> list[Tree]:
    found = read_run(run)
    if (found.config.dataset, found.config.split) != ("agora", "dev"):
        raise InputError(f"{run} is no run on agora's split dev; the test split is for measuring")
    return [tree for tree in found.trees if len(tree.nodes) <= MAX_PROPOSITIONS]


if __name__ == "__main__":
    run_app(app)
