"""The README says what is so: its commands exist, its output is the program's, its example runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from maieutic.answer import Answer
from maieutic.cli.main import app, main
from maieutic.relate import relate
from maieutic.tree import Tree

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"


def block(language: str, containing: str) -> str:
    """The fenced block of that language that contains a text."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


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


def test_the_example_answer_is_about_the_example_tree() -> None:
    answer = Answer.from_json((EXAMPLES / "butterfly.answer.json").read_bytes())
    assert answer.tree == Tree.from_json((EXAMPLES / "butterfly.trees.jsonl").read_bytes())


@pytest.mark.skipif(
    not (ROOT.parent / "shared" / "models" / "minilm-nli").is_dir(),
    reason="the NLI checkpoint ../shared/models/minilm-nli is missing",
)
def test_the_relations_of_the_example_are_a_real_verifiers() -> None:
    from maieutic.nli import load_verifier

    answer = Answer.from_json((EXAMPLES / "butterfly.answer.json").read_bytes())
    verifier = load_verifier(str(ROOT.parent / "shared" / "models" / "minilm-nli"), dtype="float32")
    (graph,) = relate([answer.tree], verifier)
    assert {edge[:2] for edge in graph.edges} == set(answer.graph.edges)
    for source, target, data in graph.edges(data=True):
        stored = answer.graph.edges[source, target]["relation"]
        assert data["relation"].entailment == pytest.approx(stored.entailment, abs=1e-3)
        assert data["relation"].contradiction == pytest.approx(stored.contradiction, abs=1e-3)


def test_the_library_example_runs(
    wide_folder: Path,
    nli_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "my-model").symlink_to(wide_folder)
    (tmp_path / "my-nli").symlink_to(nli_folder)
    (tmp_path / "questions.txt").write_text("Is ice cold?\nA cat is an animal.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(block("python", "from maieutic import"), {})
    first, *answers = capsys.readouterr().out.splitlines()
    assert first.startswith(("True ", "False "))
    assert [json.loads(line)["question"] for line in answers] == ["Is ice cold?", "A cat is an animal."]


def test_every_command_is_in_the_table_and_every_command_of_the_table_exists() -> None:
    table = re.findall(r"^\| `maieutic (\w+) ", README, flags=re.MULTILINE)
    registered = [getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert sorted(table) == sorted(registered)


def test_every_link_to_a_file_of_the_project_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert "docs/cli.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []
