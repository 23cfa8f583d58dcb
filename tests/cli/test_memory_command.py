"""``maieutic memory`` and ``--memory``, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run

QUICK = ("--depth", "0", "--no-explain")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notes.memory"


def test_asking_in_a_memory_with_a_fact(run: Run, file: Path) -> None:
    told = run("memory", "assert", file, "A penguin can fly.", "--nli", "none", "--source", "a joke")
    assert told.returncode == 0
    assert "unused" in told.stdout
    asked = run("ask", "Can a penguin fly?", "--memory", file, "--json", *QUICK)
    answer = json.loads(asked.stdout)
    assert answer["verdict"]["answer"] is True
    assert answer["memory"]["settled_by"] == "A penguin can fly."
    in_words = run("ask", "Can a penguin fly?", "--memory", file, *QUICK)
    assert "A remembered fact decides it" in in_words.stdout
    facts = run("memory", "facts", file)
    assert "a joke" in facts.stdout
    assert "unused" not in facts.stdout


def test_relations_by_the_verifier_change_what_was_answered(run: Run, file: Path) -> None:
    run("ask", "Can a whale fly?", "--memory", file, *QUICK)
    told = run("memory", "assert", file, "A whale is a bird.", "Birds can fly.", "--json")
    first, second = (json.loads(line) for line in told.stdout.splitlines())
    assert first["compared"] > 0
    changed = [change["statement"] for change in second["changed"]]
    assert "A whale can fly." in changed
    why = run("memory", "why", file, "A whale can fly.")
    assert "Birds can fly." in why.stdout
    refused = run("memory", "assert", file, "Birds cannot fly.")
    assert refused.returncode == 2
    assert "Birds can fly." in refused.stderr
    retracted = run("memory", "retract", file, "Birds can fly.")
    assert "A whale can fly." in retracted.stdout


def test_settle_conflicts_info_export_and_import(run: Run, file: Path, tmp_path: Path) -> None:
    run("ask", "Can a penguin fly?", "A penguin has feathers.", "--memory", file, *QUICK)
    settled = run("memory", "settle", file)
    assert "proven optimal" in settled.stdout
    assert run("memory", "conflicts", file).returncode in (0, 3)
    assert "2 of them answers" in run("memory", "info", file).stdout
    lines = tmp_path / "notes.jsonl"
    assert run("memory", "export", file, "--out", lines).returncode == 0
    assert run("memory", "export", file, "--out", lines).returncode == 2  # it exists
    copied = run("memory", "import", tmp_path / "copy.memory", lines)
    assert copied.returncode == 0
    assert json.loads(run("memory", "info", tmp_path / "copy.memory", "--json").stdout)["answers"] == 2
    lines.write_text('{"kind":"proposition","statement":3}\n')
    bad = run("memory", "import", tmp_path / "copy.memory", lines)
    assert bad.returncode == 2
    assert "line 1" in bad.stderr


def test_choose_and_check_in_a_memory(run: Run, file: Path, tmp_path: Path) -> None:
    chosen = run(
        "choose", "What is a spoon made of?", "-o", "steel", "-o", "wool", "--memory", file, "--json",
        "--depth", "0",
    )  # fmt: skip
    assert json.loads(chosen.stdout)["memory"]["recalled"] == 0
    assert "exactly one answer to “What is a spoon made of?”" in run("memory", "facts", file).stdout
    assert "exactly one answer" in run("memory", "why", file, "A spoon is made of wool.").stdout
    text = tmp_path / "text.txt"
    text.write_text("A spoon is made of steel.\n")
    checked = run("check", text, "--memory", file, "--json")
    assert json.loads(checked.stdout)["memory"]["recalled"] > 0
    assert run("check", text, "--memory", file, "--lm", "none").returncode == 2
    assert run("memory", "retract", file, "What is a spoon made of?").returncode == 0
    assert "exactly one answer" not in run("memory", "facts", file).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("facts", "missing.memory"),
        ("why", "missing.memory", "Ice is cold."),
        ("assert", "FILE", "", "--nli", "none"),
        ("assert", "FILE", "Is ice cold?", "--nli", "none"),
        ("retract", "FILE", "Ice is cold."),
        ("why", "FILE", "Ice is cold."),
        ("import", "FILE", "missing.jsonl"),
    ],
)
def test_bad_input_ends_with_2_and_one_sentence(run: Run, file: Path, arguments: tuple[str, ...]) -> None:
    run("memory", "assert", file, "Fire is hot.", "--nli", "none")
    result = run("memory", *(str(file) if one == "FILE" else one for one in arguments))
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_vote_inference_has_no_memory(run: Run, file: Path) -> None:
    result = run("ask", "Ice is cold.", "--memory", file, "--inference", "vote")
    assert result.returncode == 2
    assert "joint" in result.stderr
