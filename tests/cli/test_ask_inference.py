"""``maieutic ask`` and ``show``: the options that bear on how a tree is weighed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic import pipeline
from maieutic.answer import Answer
from maieutic.inference.weights import DEFAULT_WEIGHTS, weights_toml
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import conclude
from maieutic.solvers import SOLVERS
from maieutic.tree import Proposition, Tree

Kinds = dict[tuple[str, str], str]
Run = Callable[..., "CompletedProcess[str]"]
OPTIONS = ("--lm", "scripted", "--nli", "scripted", "--belief", "direct", "--depth", "1")
ASKED = ("ask", "Penguins fly.", *OPTIONS)
LIGHT, COLD = "Penguins are light.", "Penguins like [red]cold[/red]."


@pytest.fixture
def asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Ask of models that waver on whether penguins fly, and find that they are heavy and have wings."""

    def reply(prompt: Prompt, _index: int) -> str:
        statement = prompt.query.partition(": ")[2]
        replies = {
            "Negation:": f" It is false that {statement}",
            "A: True, because": " penguins have wings.",
            "A: False, because": " penguins are heavy.",
        }
        return replies[prompt.opening]

    def probability(prompt: Prompt, option: str) -> float:
        p = 0.05 if "is false that" in prompt.query else 0.95
        p = 0.6 if "enguins fly" in prompt.query else p
        return p if option == " true" else 1 - p

    def judge(premise: str, hypothesis: str) -> str:
        kinds = {
            ("Penguins are heavy.", "Penguins fly."): "contradiction",
            (LIGHT, "Penguins are heavy."): "contradiction",
            (LIGHT, "Penguins fly."): "entailment",
            (COLD, LIGHT): "contradiction",
        }
        return kinds.get((premise, hypothesis), "neutral")

    monkeypatch.setattr(pipeline, "load_lm", lambda *_, **__: ScriptedLanguageModel(reply, probability))
    monkeypatch.setattr(pipeline, "load_verifier", lambda *_, **__: ScriptedVerifier(judge))
    return partial(run, *ASKED)


def answer(done: CompletedProcess[str]) -> Answer:
    assert (done.returncode, done.stderr) == (0, "")
    return Answer.from_json(done.stdout)


def test_what_is_assumed_is_said_and_counts(asked: Run) -> None:
    before, after = answer(asked("--json")), answer(asked("--json", "--assume", LIGHT))
    assert (before.answer, after.answer) == (False, True)
    assert [(a.id, a.statement, a.holds) for a in after.assumptions] == [("A1", LIGHT, True)]
    printed = asked("--assume", LIGHT, "--assume-false", "Penguins like [red]cold[/red].").stdout
    assert "assumed true A1  Penguins are light." in printed
    assert "assumed false A2  Penguins like [red]cold[/red]." in printed
    assert "A1 entails Q" in printed


def test_assumptions_that_the_verifier_finds_contradictory_are_named(asked: Run) -> None:
    printed = " ".join(asked("--assume", LIGHT, "--assume", COLD).stdout.split())
    assert "the verifier has it that A2 contradicts A1: what is assumed does not fit together" in printed


def test_what_would_change_its_mind_is_shown_and_saved(asked: Run, run: Run, tmp_path: Path) -> None:
    assert "What would change its mind" not in asked().stdout
    printed = asked("--flip").stdout
    assert "What would change its mind: true is at least as good without" in printed
    file = tmp_path / "answers.jsonl"
    file.write_text(asked("--json").stdout, encoding="utf-8")
    shown = run("show", str(file), "--flip")
    assert shown.stdout.partition("What would")[2].partition("\n\n")[0] in printed
    with_flip = answer(run("show", str(file), "--flip", "--json"))
    assert with_flip.flip is not None


def test_an_answer_that_is_not_sure_enough_is_unsure(asked: Run) -> None:
    sure = answer(asked("--json"))
    assert sure.confidence is not None
    barely, above = str(sure.confidence - 0.001), str(sure.confidence + 0.001)
    assert not answer(asked("--json", "--abstain-below", barely)).unsure
    assert answer(asked("--json", "--abstain-below", above)).unsure
    assert asked("--abstain-below", above).stdout.startswith("UNSURE, rather false  Penguins fly.")


def test_weights_of_a_file_are_the_ones_that_count(asked: Run, tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    text = weights_toml(DEFAULT_WEIGHTS, {"command": "by hand"})
    file.write_text(text.replace("true_child = 0.46", "true_child = 7.0"), encoding="utf-8")
    found = answer(asked("--json", "--weights", str(file)))
    assert {c.weight for c in found.constraints if c.kind == "tree" and c.source == "QT0"} == {7.0}
    assert found.answer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--assume", "Penguins fly."],
            "the assumption 'Penguins fly.' is what was asked about; leave it out",
        ),
        (["--assume", LIGHT, "--assume-false", LIGHT], "assumed to be both true and false"),
        (["--assume", ""], "an assumption: the statement is empty"),
        (["--assume", LIGHT, "--inference", "vote"], "vote has no place for assumptions"),
        (["--merge", "--inference", "vote"], "vote has no setting 'merge'"),
        (["--flip", "--inference", "vote"], "vote does not tell what would change its mind"),
        (["--pruned", "0.1", "--inference", "vote"], "vote has no setting 'pruned'"),
        (["--abstain-below", "0.6", "--inference", "vote"], "vote gives no P(true)"),
        (["--weights", "none.toml"], "none.toml: cannot be read"),
        (["--weights", "none.toml", "--inference", "vote"], "vote has no weights"),
    ],
)
def test_what_cannot_be_weighed_is_refused_in_a_line(asked: Run, options: list[str], message: str) -> None:
    done = asked(*options)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert done.stdout == ""


def test_the_solver_of_flips_says_nothing_on_standard_output(tmp_path: Path) -> None:
    """It prints lines of its own to the process's output, where only a new process sees them."""
    answers = []
    for seed in range(3):
        rng = random.Random(seed)
        kinds: Kinds = {}

        def judge(premise: str, hypothesis: str, rng: random.Random = rng, kinds: Kinds = kinds) -> str:
            return kinds.setdefault((premise, hypothesis), rng.choice(["entailment", "contradiction"]))

        nodes = [Proposition("Q", None, "It is so.", "It is not so.", 0.6, 0.5)]
        for n in range(7):
            name, p = f"Q{'TF'[n % 2]}{n // 2}", rng.random()
            nodes.append(Proposition(name, "Q", f"Reason {n}.", f"No reason {n}.", p, 1 - p, True))
        tree = Tree("It is so.", "It is so.", "It is not so.", tuple(nodes))
        answers += conclude([tree], ScriptedVerifier(judge), SOLVERS["rc2-stratified"](), "joint")
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(answer.to_json() + "\n" for answer in answers), encoding="utf-8")
    command = [sys.executable, "-m", "maieutic.cli.main", "show", str(file), "--flip", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    shown = [Answer.from_json(line) for line in done.stdout.splitlines()]
    assert [answer.labels for answer in shown] == [answer.labels for answer in answers]
    assert all(answer.flip is not None for answer in shown)
