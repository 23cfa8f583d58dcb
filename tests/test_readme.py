"""The README is true: its commands exist, its output is the program's, its example runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from maieutic.answer import Answer
from maieutic.cli.docs import with_glossary
from maieutic.cli.main import app, main
from maieutic.config import ElicitConfig
from maieutic.pipeline import Maieutic
from maieutic.render.terms import glossary_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"


def block(language: str, containing: str) -> str:
    """The fenced block of that language that contains a text."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    (text,) = (text for text in blocks if containing in text)
    return text


def test_the_first_screen_shows_what_its_command_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _, output = block("console", "maieutic show").partition("\n")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", command.removeprefix("$ ").split())
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert capsys.readouterr().out == output


def test_the_example_is_what_the_bundled_models_say() -> None:
    answer = Answer.from_json((EXAMPLES / "penguin.answer.json").read_bytes())
    assert (answer.models.lm, answer.models.verifier) == ("agora", "agora")
    maieutic = Maieutic.load(dtype="float32", elicit=ElicitConfig(explain=True))  # as at a terminal
    (again,) = maieutic.conclude([answer.tree])
    assert again.labels == answer.labels
    assert again.margin == pytest.approx(answer.margin, abs=0.01)
    (fresh,) = maieutic.ask_many([answer.question])
    assert [node.statement for node in fresh.tree.nodes] == [node.statement for node in answer.tree.nodes]


def test_the_library_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "questions.txt").write_text("Is a pillow soft?\nA spoon sinks in water.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(block("python", "ask_many"), {})
    first, *answers = capsys.readouterr().out.splitlines()
    assert first.startswith(("True ", "False "))
    assert [json.loads(line)["tree"]["question"] for line in answers] == [
        "Is a pillow soft?",
        "A spoon sinks in water.",
    ]


def test_every_command_is_in_the_table_and_every_command_of_the_table_exists() -> None:
    table = re.findall(r"^\| `maieutic ((?:(?:bench|cache|distill) )?[\w-]+)[ `]", README, flags=re.MULTILINE)
    commands = [getattr(command.callback, "__name__", "") for command in app.registered_commands]
    commands += [
        f"{group.name} {getattr(command.callback, '__name__', '')}"
        for group in app.registered_groups
        if group.name != "memory"
        for command in (group.typer_instance.registered_commands if group.typer_instance else [])
    ]
    assert sorted(table) == sorted(name.replace("_", "-") for name in [*commands, "memory"])


def test_every_command_of_memories_is_in_their_document() -> None:
    (group,) = [group for group in app.registered_groups if group.name == "memory"]
    assert group.typer_instance is not None
    text = (ROOT / "docs" / "memory.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`memory ([a-z]+) FILE", text))
    found = group.typer_instance.registered_commands
    assert documented == {one.name or getattr(one.callback, "__name__", "") for one in found}


def test_the_glossary_is_the_one_of_the_command() -> None:
    assert glossary_table() in README
    assert with_glossary(README) == README


def test_every_link_to_a_file_of_the_project_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert "docs/cli.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []
