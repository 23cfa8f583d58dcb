"""``maieutic ask`` and ``show``: the options of inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic import models as opening
from maieutic.answer import Answer
from maieutic.errors import FileFormatError, InputError
from maieutic.inference import Literal
from maieutic.inference.weights import DEFAULT_WEIGHTS, weights_toml
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier

Run = Callable[..., "CompletedProcess[str]"]
Refuse = Callable[..., InputError]
OPTIONS = (
    "--lm",
    "scripted",
    "--nli",
    "scripted",
    "--no-priors",
    "--growth",
    "reference",
    "--prune",
    "--belief",
    "direct",
    "--depth",
    "1",
)
ASK = ("ask", "Penguins fly.", *OPTIONS)
LIGHT, COLD = "Penguins are light.", "Penguins like [red]cold[/red]."


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that waver on whether penguins fly, and explain that they are heavy and have wings."""

    def reply(prompt: Prompt, _index: int) -> str:
        statement = prompt.query.partition(": ")[2]
        replies = {
            "Negation:": f" It is false that {statement}",
            "A: True, because": " penguins have wings.",
            "A: False, because": " penguins are heavy.",
        }
        return replies[prompt.opening]

    def probability(prompt: Prompt, option: str) -> float:
        p = 0.05 if " not " in prompt.query else 0.95
        p = 0.6 if "enguins" in prompt.query and " fly" in prompt.query else p
        return p if option == " true" else 1 - p

    def judge(premise: str, hypothesis: str) -> str:
        kinds = {
            ("Penguins are heavy.", "Penguins fly."): "contradiction",
            (LIGHT, "Penguins are heavy."): "contradiction",
            (LIGHT, "Penguins fly."): "entailment",
            (COLD, LIGHT): "contradiction",
        }
        return kinds.get((premise, hypothesis), "neutral")

    monkeypatch.setattr(opening, "load_lm", lambda *_, **__: ScriptedLanguageModel(reply, probability))
    monkeypatch.setattr(opening, "load_verifier", lambda *_, **__: ScriptedVerifier(judge))


@pytest.fixture
def ask(run: Run, models: None) -> Run:
    """Ask whether penguins fly, with more options."""
    return partial(run, *ASK)


def answer(done: CompletedProcess[str]) -> Answer:
    assert (done.returncode, done.stderr) == (0, "")
    return Answer.from_json(done.stdout)


def test_assumptions_are_shown_and_decide(ask: Run) -> None:
    before, after = answer(ask("--json")), answer(ask("--json", "--assume", LIGHT))
    assert (before.answer, after.answer) == (False, True)
    assert [(a.id, a.statement, a.holds) for a in after.verdict.assumptions] == [("A1", LIGHT, True)]
    facts = ("--assume", LIGHT, "--assume-false", "Penguins like [red]cold[/red].")
    words = ask(*facts).stdout
    assert "You said: “Penguins are light.”" in words
    assert "You said that this is false: “Penguins like [red]cold[/red].”" in words
    printed = ask(*facts, "--verbose").stdout
    assert "assumed true A1  Penguins are light." in printed
    assert "assumed false A2  Penguins like [red]cold[/red]." in printed
    assert "A1 entails Q" in printed


def test_assumptions_that_conflict_according_to_the_verifier_are_named(ask: Run) -> None:
    assert ask("--assume", LIGHT, "--assume", COLD).stdout.splitlines()[1].startswith("Warning: ")
    lines = ask("--assume", LIGHT, "--assume", COLD, "--verbose").stdout.splitlines()
    (clash,) = (line for line in lines if "assumptions conflict" in line)
    assert "A2 contradicts A1" in clash


def test_a_flip_is_shown_and_saved(ask: Run, run: Run, tmp_path: Path) -> None:
    assert "What would change its mind" not in ask("--verbose").stdout
    assert "The answer could as well be true" in ask("--flip").stdout
    printed = ask("--flip", "--verbose").stdout
    assert "What would change its mind: true" in printed
    file = tmp_path / "answers.jsonl"
    file.write_text(ask("--json").stdout, encoding="utf-8")
    shown = run("show", str(file), "--flip", "--verbose")
    assert shown.stdout.partition("What would")[2].partition("\n\n")[0] in printed
    with_flip = answer(run("show", str(file), "--flip", "--json"))
    assert with_flip.verdict.flip is not None


def test_an_answer_below_the_threshold_is_unsure(ask: Run) -> None:
    sure = answer(ask("--json"))
    assert sure.confidence is not None
    barely, above = str(sure.confidence - 0.001), str(sure.confidence + 0.001)
    assert not answer(ask("--json", "--abstain-below", barely)).unsure
    assert answer(ask("--json", "--abstain-below", above)).unsure
    assert ask("--abstain-below", above).stdout.startswith("Unsure. Rather false: Penguins do not fly (")


def test_the_weights_of_a_file_are_used(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    text = weights_toml(replace(DEFAULT_WEIGHTS, true_child=7.0), {"command": "by hand"})
    file.write_text(text, encoding="utf-8")
    flown = answer(ask("--json", "--weights", str(file)))
    weights = {c.weight for c in flown.verdict.constraints if c.kind == "tree" and c.source == Literal("QT0")}
    assert weights == {7.0}
    assert flown.answer


def test_argue_inference_prints_strengths_and_no_verifier(ask: Run) -> None:
    argued = answer(ask("--json", "--inference", "argue"))
    strengths = argued.verdict.strengths
    assert strengths is not None
    assert (argued.verdict.margin_unit, argued.models.verifier) == ("strength", "none")
    assert argued.answer == (strengths["Q"] >= 0.5)
    printed = ask("--inference", "argue", "--verbose").stdout
    for phrase in ("QT0 supports Q", "QF0 attacks Q"):
        assert f"{strengths[phrase.split()[0]]:.2f}  {phrase}" in printed


def test_argue_inference_goes_to_every_file_but_a_maxsat_problem(
    ask: Run, run: Run, refuse: Refuse, tmp_path: Path
) -> None:
    files = {option: tmp_path / f"answer{option}" for option in ("--html", "--dot", "--mermaid", "--graphml")}
    options = [str(part) for pair in files.items() for part in pair]
    done = ask("--json", "--inference", "argue", *options)
    assert done.returncode == 0
    assert all("enguins are heavy." in path.read_text(encoding="utf-8") for path in files.values())
    answers, wcnf = tmp_path / "answers.jsonl", tmp_path / "answer.wcnf"
    answers.write_text(done.stdout, encoding="utf-8")
    assert refuse(*ASK, "--inference", "argue", "--wcnf", wcnf).subject == "--wcnf"
    assert refuse("show", answers, "--json", "--wcnf", wcnf, stdout=done.stdout).subject == "argue"
    assert not wcnf.exists()


VOTE = ("--inference", "vote")


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        (["--assume", "Penguins fly."], "Penguins fly."),
        (["--assume", LIGHT, "--assume-false", LIGHT], LIGHT),
        (["--assume", ""], ""),
        (["--assume", LIGHT, *VOTE], "assumptions"),
        (["--merge", *VOTE], "merge"),
        (["--flip", *VOTE], "--flip"),
        (["--pruned", "0.1", *VOTE], "pruned"),
        (["--abstain-below", "0.6", *VOTE], "abstain_below"),
        (["--assume", LIGHT, "--inference", "argue"], "assumptions"),
        (["--flip", "--inference", "argue"], "--flip"),
    ],
)
def test_settings_that_do_not_fit_the_inference_or_the_question_are_refused(
    models: None, refuse: Refuse, options: list[str], subject: str
) -> None:
    assert refuse(*ASK, *options).subject == subject


@pytest.mark.parametrize("options", [(), VOTE])
def test_weights_that_cannot_be_read_are_refused(refuse: Refuse, options: tuple[str, ...]) -> None:
    error = refuse(*ASK, "--weights", "none.toml", *options)
    assert isinstance(error, FileFormatError)
    assert error.path == "none.toml"


def test_weights_are_for_joint_inference_only(refuse: Refuse, tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    file.write_text(weights_toml(DEFAULT_WEIGHTS, {}), encoding="utf-8")
    assert refuse(*ASK, "--weights", file, *VOTE).subject == "weights"
