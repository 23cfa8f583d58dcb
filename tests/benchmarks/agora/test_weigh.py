"""Weights of joint inference chosen on Agora, where the truth of every proposition is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.weigh import app, choose_weights, merit, scale_weights, score, truths
from maieutic.benchmarks.agora.world import load_world
from maieutic.benchmarks.calibration.fit import evidence_of
from maieutic.benchmarks.calibration.study import ProbabilityScores
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError
from maieutic.inference import BeliefGraph, Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, EVERY_TERM, read_weights
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.relate import relate
from maieutic.tree import Proposition, Tree

HAS, LACKS = "An iguana has scales.", "An iguana does not have scales."
SCALED = "An iguana is a reptile, and reptiles have scales."
NO_SCALED = "An iguana is not a reptile, or reptiles do not have scales."
BARE = "An iguana is a reptile, and reptiles do not have scales."
NO_BARE = "An iguana is not a reptile, or reptiles have scales."
ORACLE = Oracle(load_world())


def judge(premise: str, hypothesis: str) -> str:
    kinds = {(SCALED, HAS): "entailment", (SCALED, LACKS): "contradiction", (SCALED, BARE): "contradiction"}
    return kinds.get((premise, hypothesis)) or kinds.get((hypothesis, premise), "neutral")


def tree(believed: float) -> Tree:
    """The model believes that reptiles have scales, and with P = ``believed`` that they have none."""
    nodes = (
        Proposition("Q", None, HAS, LACKS, 0.5, 0.5),
        Proposition("QT0", "Q", SCALED, NO_SCALED, 0.9, 0.1, True),
        Proposition("QF0", "Q", BARE, NO_BARE, believed, 1 - believed, abs(2 * believed - 1) > 0.45),
        Proposition("QF1", "Q", "Zorps hum.", "Zorps do not hum.", 0.9, 0.1, True),
    )
    return Tree(HAS, HAS, LACKS, nodes, answer=True)


def graphs_of(trees: list[Tree]) -> list[BeliefGraph]:
    return [related.graph for related in relate(trees, ScriptedVerifier(judge, 0.97), Joint(EVERY_TERM))]


def test_what_the_world_does_not_know_or_the_model_has_no_belief_in_is_not_scored() -> None:
    assert ORACLE.truth(SCALED) is True
    assert ORACLE.truth(BARE) is False
    silent = replace(tree(0.8), nodes=(*tree(0.8).nodes[:1], replace(tree(0.8).nodes[1], p_true=None)))
    assert truths([tree(0.8), silent], ORACLE) == [[True, True, False, None], [True, None]]


def test_the_score_counts_the_labels_of_the_best_labelling() -> None:
    trees = [tree(0.8), tree(0.3)]
    evidence, known = evidence_of(trees, graphs_of(trees), DEFAULT_WEIGHTS), truths(trees, ORACLE)
    weights = replace(DEFAULT_WEIGHTS, integral=0.99, true_child=0.46, false_child=0.52)
    shares = score(evidence, known, replace(weights, contradiction=0.0, at_root=0.0))
    # Without relations, the first tree keeps its false belief.
    assert shares.labels == 3 / 4
    strong = replace(weights, contradiction=2.5, entailment=0.25, at_root=2.5)
    assert score(evidence, known, strong).labels == 1.0
    best = choose_weights(evidence, known, DEFAULT_WEIGHTS)
    assert merit(evidence, known, best) >= merit(evidence, known, strong)
    assert choose_weights(evidence, known, best) == best


def test_scaling_keeps_the_best_labels_and_makes_the_answers_likelier() -> None:
    trees = [tree(0.8), tree(0.3)]
    evidence = evidence_of(trees, graphs_of(trees), DEFAULT_WEIGHTS)
    scaled = scale_weights(evidence, DEFAULT_WEIGHTS)
    assert scaled.root / DEFAULT_WEIGHTS.root == pytest.approx(scaled.integral / DEFAULT_WEIGHTS.integral)
    assert evidence.best_labels(scaled) == evidence.best_labels(DEFAULT_WEIGHTS)
    nll = [
        ProbabilityScores.of(evidence.p_true(weights), evidence.gold).nll
        for weights in (scaled, DEFAULT_WEIGHTS)
    ]
    assert nll[0] <= nll[1]


def run_folder(path: Path, config: RunConfig, answers: list[Tree]) -> Path:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.0)
    solved = Maieutic(lm, ScriptedVerifier(judge)).conclude(answers)
    with RunFolder(path, config) as folder:
        folder.write(
            [
                Record.of(Item(str(n), HAS, True), Outcome(answer.answer, reasoning=answer))
                for n, answer in enumerate(solved)
            ]
        )
    return path


def test_the_command_writes_a_weights_file_and_says_what_it_is_worth(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", RunConfig("agora", split="dev").complete(), [tree(0.8), tree(0.3)])
    out = tmp_path / "w.toml"
    result = CliRunner().invoke(app, [str(run), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["default", "chosen"]
    assert read_weights(out).bias == 0.0
    again = CliRunner().invoke(app, [str(run), "--out", str(out)])
    assert isinstance(again.exception, InputError)
    assert again.exception.subject == "--out"


def test_the_test_split_is_not_chosen_on(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", RunConfig("agora").complete(), [tree(0.8)])
    result = CliRunner().invoke(app, [str(run), "--out", str(tmp_path / "w.toml")])
    assert isinstance(result.exception, InputError)
    assert result.exception.subject == "runs"


def test_the_bundled_weights_use_the_beliefs_and_the_verifier() -> None:
    from maieutic.bundled import bundled_weights

    weights = read_weights(bundled_weights())
    assert weights.root + weights.root_negation > 0
    assert weights.integral > 0
    assert weights.at_root > 0
