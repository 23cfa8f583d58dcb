"""``maieutic calibrate`` as it is typed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder
from maieutic.benchmarks.runs.records import Record
from maieutic.cli.main import app
from maieutic.errors import InputError
from maieutic.inference.weights import DEFAULT_WEIGHTS, TERMS, read_weights
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.tree import Proposition, Tree


def tree(number: int, gold: bool | None) -> Tree:
    believed, doubted = (0.9, 0.1), (0.2, 0.4)
    nodes = (
        Proposition("Q", None, f"{number} holds.", f"{number} fails.", 0.5, 0.5),
        Proposition("QT0", "Q", "So.", "Not so.", *(believed if gold else doubted), integral=bool(gold)),
        Proposition("QF0", "Q", "But.", "No but.", *(doubted if gold else believed), integral=not gold),
    )
    return Tree(f"{number}?", f"{number} holds.", f"{number} fails.", nodes, answer=gold)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def load(*_: object, **__: object) -> ScriptedVerifier:
        return ScriptedVerifier(lambda *_: "neutral", fingerprint="neutral")

    monkeypatch.setattr("maieutic.models.load_verifier", load)
    return lambda *arguments: CliRunner().invoke(
        app, ["calibrate", "--nli", "scripted", *map(str, arguments)]
    )


def written(path: Path, *trees: Tree) -> Path:
    path.write_text("".join(tree.to_json() + "\n" for tree in trees), encoding="utf-8")
    return path


def test_a_pipe_gets_a_line_now_and_then(
    tmp_path: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(20)))
    quiet = run(trees, "--json", "--folds", "2")
    assert quiet.exit_code == 0
    assert "relate" not in quiet.stderr
    monkeypatch.setattr("maieutic.cli.console.EVERY", 0.0)
    told = run(trees, "--json", "--folds", "2")
    assert told.stdout == quiet.stdout
    assert "relate a: 1 of 1\n" in told.stderr


def test_weights_are_learned_reported_and_written(tmp_path: Path, run: Callable[..., Result]) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(20)), tree(99, None))
    result = run(trees, "--out", tmp_path / "w.toml", "--json", "--folds", "2", "--l2", "0.01")
    assert result.exit_code == 0, result.output
    assert "a.jsonl: 1 of 21 trees have no gold answer; left out" in result.stderr
    report = json.loads(result.stdout)
    assert set(TERMS) < set(report["weights"])
    rows = {(row["kind"], row["way"]): row for row in report["rows"]}
    assert rows["grown", "out of fold"]["accuracy"] == 1.0
    about = {"data", "kind", "way", "trees"}
    assert rows["all", "vote"].keys() == about | {"accuracy", "accuracy_spread", "accuracy_interval"}
    assert rows["all", "out of fold"]["accuracy_interval"] == {"low": 1.0, "high": 1.0}
    assert read_weights(tmp_path / "w.toml").true_child == pytest.approx(report["weights"]["true_child"])


def test_the_tables_name_every_way(tmp_path: Path, run: Callable[..., Result]) -> None:
    one, other = (
        written(tmp_path / f"{name}.jsonl", *(tree(n, n % 2 == 0) for n in range(12))) for name in "ab"
    )
    result = run(one, other, "--folds", "2", "--seeds", "2")
    assert result.exit_code == 0, result.output
    for text in (
        "a, grown: 12 trees",
        "out of fold",
        "from b",
        "root belief",
        "learned from all files",
        "[",
        "95 %",
    ):
        assert text in result.stdout


@pytest.mark.parametrize(
    ("golds", "subject"),
    [([True] * 6, "a.jsonl"), ([None] * 6, "a.jsonl"), ([True, False], "folds")],
)
def test_trees_that_nothing_can_be_learned_from_are_refused(
    tmp_path: Path, run: Callable[..., Result], golds: list[bool | None], subject: str
) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, gold) for n, gold in enumerate(golds)))
    result = run(trees)
    assert isinstance(result.exception, InputError)
    assert Path(result.exception.subject).name == subject


def test_a_file_that_exists_and_two_of_one_name_are_refused(
    tmp_path: Path, run: Callable[..., Result]
) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(6)))
    for arguments, subject in (((trees, "--out", trees), "--out"), ((trees, trees), "trees")):
        refused = run(*arguments).exception
        assert isinstance(refused, InputError)
        assert refused.subject == subject


def test_weights_that_exist_are_only_overwritten_with_force(
    tmp_path: Path, run: Callable[..., Result]
) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(6)))
    out = tmp_path / "w.toml"
    out.write_text("precious")
    assert isinstance(run(trees, "--out", out).exception, InputError)
    assert out.read_text() == "precious"
    assert isinstance(run(trees, "--out", trees, "--force").exception, InputError)  # it is read
    assert run(trees, "--out", out, "--force", "--folds", "2", "--even-if-worse").exit_code == 0
    assert "precious" not in out.read_text(encoding="utf-8")


def test_a_tree_that_is_too_large_is_left_out_and_counted(tmp_path: Path, run: Callable[..., Result]) -> None:
    large = tree(50, True)
    more = tuple(replace(large.nodes[1], id=f"QT{n}") for n in range(1, 20))
    trees = [tree(n, n % 2 == 0) for n in range(6)] + [replace(large, nodes=(*large.nodes, *more))]
    result = run(written(tmp_path / "a.jsonl", *trees), "--folds", "2")
    assert result.exit_code == 0, result.output
    assert "a.jsonl: 1 trees have more than 20 propositions; left out" in result.stderr


def test_a_weight_that_is_off_stays_zero_everywhere(tmp_path: Path, run: Callable[..., Result]) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 3 == 0) for n in range(20)))
    out = tmp_path / "w.toml"
    off = ("--off", "bias", "--off", "root", "--ablate")
    result = run(trees, "--out", out, "--json", "--folds", "2", "--even-if-worse", *off)
    assert result.exit_code == 0, result.output
    learned = read_weights(out)
    assert (learned.bias, learned.root) == (0.0, 0.0)
    assert "--off bias --off root" in out.read_text(encoding="utf-8")
    ways = {row["way"] for row in json.loads(result.stdout)["rows"]}
    assert {way for way in ways if way.startswith("without")} == {
        f"without {name}" for name in TERMS if name not in ("bias", "root")
    }


def test_a_weight_that_there_is_not_cannot_be_off(tmp_path: Path, run: Callable[..., Result]) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(20)))
    result = run(trees, "--off", "belief")
    assert isinstance(result.exception, InputError)
    assert result.exception.subject == "off"


def test_a_run_is_read_like_a_file_of_trees(tmp_path: Path, run: Callable[..., Result]) -> None:
    """The trees of its answers, with the gold answers of its records."""
    trees = [tree(n, n % 2 == 0) for n in range(20)]
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.0)
    verifier = ScriptedVerifier(lambda *_: "neutral")
    answers = Maieutic(lm, verifier).conclude([replace(t, answer=None) for t in trees])
    with RunFolder(tmp_path / "mine", RunConfig("agora").complete()) as folder:
        folder.write(
            [
                Record.of(Item(t.question, t.statement, bool(t.answer)), Outcome(a.answer, reasoning=a))
                for t, a in zip(trees, answers, strict=True)
            ]
        )
    from_run = run(tmp_path / "mine", "--json", "--folds", "2")
    from_file = run(written(tmp_path / "mine.jsonl", *trees), "--json", "--folds", "2")
    assert from_run.exit_code == 0, from_run.output
    assert from_run.stdout == from_file.stdout


def test_unless_the_cache_is_off_the_verifier_is_asked_once(
    tmp_path: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = ScriptedVerifier(lambda *_: "neutral", fingerprint="scripted 1")
    monkeypatch.setattr("maieutic.models.load_verifier", lambda *_, **__: verifier)
    monkeypatch.setenv("MAIEUTIC_CACHE_DIR", str(tmp_path / "cache"))
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(20)))
    first = run(trees, "--json", "--folds", "2")
    assert first.exit_code == 0, first.output
    asked = len(verifier.pairs)
    assert asked > 0
    again = run(trees, "--json", "--folds", "2")
    assert (again.stdout, len(verifier.pairs)) == (first.stdout, asked)
    assert run(trees, "--json", "--folds", "2", "--no-cache").stdout == first.stdout
    assert len(verifier.pairs) > asked


def test_a_run_without_trees_is_refused(tmp_path: Path, run: Callable[..., Result]) -> None:
    with RunFolder(tmp_path / "mine", RunConfig("agora", "direct").complete()) as folder:
        folder.write([Record.of(Item("q", "Ice is cold.", True), Outcome(True, p_true=0.9))])
    result = run(tmp_path / "mine")
    assert isinstance(result.exception, InputError)
    assert result.exception.subject == str(tmp_path / "mine")


def test_a_place_that_cannot_be_written_is_told_before_anything_is_learned(
    tmp_path: Path, run: Callable[..., Result]
) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(20)))
    result = run(trees, "--out", tmp_path / "none" / "w.toml")
    assert isinstance(result.exception, InputError)
    assert result.exception.subject == "--out"


def test_priors_need_neither_gold_answers_nor_a_verifier(tmp_path: Path) -> None:
    unlabelled = [tree(n, None) for n in range(3)]
    leaning = [
        replace(t, nodes=(replace(t.nodes[0], p_true=0.8, p_true_negation=0.6), *t.nodes[1:]))
        for t in unlabelled
    ]
    out = tmp_path / "w.toml"
    arguments = ["calibrate", str(written(tmp_path / "a.jsonl", *leaning)), "--label-free", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    weights = read_weights(out)
    assert weights.prior_root == pytest.approx(math.log(4))
    assert weights.prior_negation == pytest.approx(math.log(1.5))
    expected = {"prior_root": weights.prior_root, "prior_negation": weights.prior_negation}
    assert weights == replace(DEFAULT_WEIGHTS, **expected)


def test_weights_need_a_verifier(tmp_path: Path) -> None:
    trees = written(tmp_path / "a.jsonl", *(tree(n, n % 2 == 0) for n in range(12)))
    result = CliRunner().invoke(app, ["calibrate", str(trees)])
    assert isinstance(result.exception, InputError)
    assert result.exception.subject == "--nli"


def test_weights_that_are_no_better_out_of_fold_are_only_written_on_demand(
    tmp_path: Path, run: Callable[..., Result]
) -> None:
    """The trees say nothing about the gold answers, so whatever is learned is chance."""
    empty = [replace(tree(n, None), answer=n % 2 == 0) for n in range(20)]
    trees, out = written(tmp_path / "a.jsonl", *empty), tmp_path / "w.toml"
    result = run(trees, "--out", out, "--folds", "2")
    assert result.exit_code == 0, result.output
    (line,) = result.stderr.splitlines()
    assert "--even-if-worse" in line
    assert not out.exists()
    result = run(trees, "--out", out, "--folds", "2", "--even-if-worse")
    assert result.exit_code == 0, result.output
    assert read_weights(out) != DEFAULT_WEIGHTS
