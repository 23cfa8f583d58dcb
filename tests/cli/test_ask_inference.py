"""``maieutic ask`` and ``show``: the options that bear on how a tree is weighed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic import pipeline
from maieutic.answer import Answer
from maieutic.lm.base import Prompt, ScriptedLanguageModel
from maieutic.nli.base import ScriptedVerifier
from maieutic.weights import DEFAULT_WEIGHTS, weights_toml

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
