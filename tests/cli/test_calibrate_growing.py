"""``maieutic calibrate --on``, which grows the trees that it learns from, with the bundled models."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.benchmarks.datasets import DATASETS
from maieutic.benchmarks.runs import runner
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import read_run
from maieutic.bundled import bundled_weights
from maieutic.cli.calibration_trees import OwnRun
from maieutic.errors import InputError
from maieutic.inference.weights import read_weights

Run = Callable[..., "CompletedProcess[str]"]
Refuse = Callable[..., InputError]

LEARN = ("calibrate", "--folds", "2", "--json")
GROW = (*LEARN, "--on", "agora", "--limit", "40")


def test_trees_are_grown_into_a_run_and_learned_from_like_any_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Interrupted after the first batch; the same command goes on and leaves a run of ``bench run``."""
    monkeypatch.chdir(tmp_path)
    real = runner._outcomes

    def interrupting(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_outcomes", interrupting)
        done = run(*GROW, "--out", "w.toml", "--even-if-worse")
    assert (done.returncode, done.stdout) == (130, "")
    assert "32 of 40 questions are answered" in done.stderr

    done = run(*GROW, "--out", "w.toml", "--even-if-worse")
    assert done.returncode == 0, done.stderr
    assert "continuing: 32 of 40" in done.stderr
    report = json.loads(done.stdout)
    assert {row["data"] for row in report["rows"]} == {"agora-agora"}
    assert read_weights(Path("w.toml")).root == report["weights"]["root"]
    command = "maieutic calibrate --on agora --split train --limit 40 --lm agora --nli agora --l2 3"
    assert f'command = "{command}"' in Path("w.toml").read_text(encoding="utf-8")

    found = read_run(Path("agora-agora"))
    assert found.name == "maieutic (confidence 1.0)"
    assert (found.config.split, len(found.trees)) == ("train", 40)
    again = run(*LEARN, "agora-agora", "--nli", "agora", "--weights", bundled_weights())
    assert again.stdout == done.stdout


def test_files_are_sets_beside_the_trees_that_are_grown(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As text, with the summary of the run; the priors alone need no gold answers."""
    monkeypatch.chdir(tmp_path)
    few = ("--on", "agora", "--limit", "8", "--folds", "2")
    done = run("calibrate", *few, "--seed", "1", "--runs", "one", "--label-free")
    assert done.returncode == 0, done.stderr
    assert "of 8 correct" in done.stdout
    assert "prior_root" in done.stdout
    done = run("calibrate", "one", *few, "--runs", "other")
    assert done.returncode == 0, done.stderr
    for text in ("one, all: 8 trees", "other, all: 8 trees", "from other", "records in other"):
        assert text in done.stdout


@pytest.mark.parametrize("name", sorted(DATASETS.keys() - {"trees"}))
def test_the_split_is_train_where_there_is_one(name: str) -> None:
    given = RunConfig(name, lm="team/model", nli="team/nli")
    run = OwnRun.of(given, None)
    has_train = "train" in DATASETS[name].splits
    assert run.config.split == ("train" if has_train else DATASETS[name].default_split)
    assert run.folder == Path(f"model-{name}")
    assert OwnRun.of(replace(given, split="dev"), Path("x")) == OwnRun(
        replace(run.config, split="dev"), Path("x")
    )


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        ((), "trees"),
        (("--lm", "agora"), "--lm"),
        (("x.jsonl", "--nli", "agora", "--limit", "9"), "--limit"),
        (("--on", "trees", "--data", "x.jsonl", "--nli", "agora"), "--on"),
        (("--on", "gsm8k"), "dataset"),
        (("--on", "agora", "--lm", "team/model"), "nli"),
        (("--on", "agora", "--split", "exam"), "split"),
        (("--on", "agora", "x/agora-agora"), "trees"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_grows(
    refuse: Refuse,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    subject: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refuse("calibrate", *arguments).subject == subject
    assert list(tmp_path.iterdir()) == []


def test_the_model_itself_as_verifier_needs_a_run(run: Run, tmp_path: Path) -> None:
    done = run("bench", "run", "agora", "--limit", "8", "--method", "maieutic", "--out", tmp_path / "one")
    assert done.returncode == 0, done.stderr
    done = run("calibrate", tmp_path / "one", "--nli", "lm", "--folds", "2")
    assert done.returncode == 2
    assert "--on" in done.stderr
