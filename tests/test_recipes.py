"""docs/recipes.md is true: every block of Python runs as it stands, in an empty folder."""

from __future__ import annotations

import ast
import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from maieutic import Answer

with suppress(ImportError):
    import mcp  # noqa: F401 - keeps the standard error of its import, which must outlive a test

RECIPES = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", RECIPES, flags=re.MULTILINE | re.DOTALL))

Played = Callable[[str], tuple[dict[str, Any], list[str]]]


def block(title: str, language: str = "python") -> str:
    """The one block of code of a section."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[title], flags=re.MULTILINE | re.DOTALL)
    return str(code)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Played:
    """Runs the code of a section; returns its names and the lines that it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

    def play(title: str) -> tuple[dict[str, Any], list[str]]:
        names: dict[str, Any] = {}
        exec(compile(block(title), title, "exec"), names)
        return names, capsys.readouterr().out.splitlines()

    return play


def test_the_list_at_the_top_names_every_recipe() -> None:
    listed = re.findall(r"^\| \[(.*?)\]\(#(.*?)\)", RECIPES, flags=re.MULTILINE)
    assert [title for title, _ in listed] == list(SECTIONS)
    assert [anchor for _, anchor in listed] == [title.lower().replace(" ", "-") for title in SECTIONS]


def test_a_table_gets_its_columns(play: Played) -> None:
    pytest.importorskip("pandas")
    names, _ = play("A column of a table")
    assert list(names["judged"].columns) == ["claim", "answer", "p_true", "tokens"]
    assert len(names["judged"]) == 3
    assert set(names["doubtful"]["claim"]) <= set(names["table"]["claim"])


def test_a_cell_ends_with_an_answer_that_shows_itself(play: Played) -> None:
    names, _ = play("A notebook")
    last = ast.parse(block("A notebook")).body[-1]
    assert isinstance(last, ast.Expr)
    answer = names[ast.unparse(last.value)]
    assert isinstance(answer, Answer)
    assert answer._repr_html_().startswith("<iframe")


def test_a_model_of_thirty_lines_answers_as_the_package_does(play: Played) -> None:
    from maieutic import Maieutic

    code = block("A model of your own")
    own = code[code.index("class MyModel") : code.index("models = ")]
    lines = [line for line in own.splitlines() if line.strip()]
    assert len(lines) == 30
    names, (told,) = play("A model of your own")
    answer, expected = names["answer"], Maieutic.load(dtype="float32").ask("A pillow is soft.")
    assert told.startswith(f"{expected.answer} ")
    assert answer.tree.root.p_true == pytest.approx(expected.tree.root.p_true, abs=1e-3)


@pytest.mark.parametrize(
    ("guide", "ending"),
    [
        (None, "guide.md conflicts with facts.txt: see check.html"),
        ("A spoon is made of steel.", "guide.md hangs together"),
    ],
)
def test_a_document_is_checked_in_ci(tmp_path: Path, guide: str | None, ending: str) -> None:
    code = block("A check of a document in CI", "bash")
    if guide:
        code = re.sub(r"(<<'GUIDE'\n).*?(\nGUIDE)", rf"\g<1>{guide}\g<2>", code, flags=re.DOTALL)
    command = tmp_path / "bin" / "maieutic"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m maieutic.cli.main "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {"PATH": os.pathsep.join([str(command.parent), os.environ["PATH"]])}
    done = subprocess.run(
        ["bash", "-e", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, ending)
    assert (tmp_path / "check.html").exists()


def test_the_mcp_server_answers_its_client(play: Played) -> None:
    pytest.importorskip("mcp")
    _, (answer, p_true, *reasons, supposed, choice, conflicts) = play("An MCP server for assistants")
    assert choice == "steel"
    assert conflicts == "[['A pillow is hard.', 'A pillow is not hard.']]"
    assert answer in ("True", "False")
    assert float(supposed) != float(p_true)
    assert reasons
    (server,) = json.loads(block("An MCP server for assistants", "json"))["mcpServers"].values()
    assert (server["command"], server["args"][0]) == ("maieutic", "mcp")


@pytest.mark.filterwarnings("default")  # Inspect leaves streams to the garbage collector, which warns
def test_inspect_evaluates(play: Played) -> None:
    pytest.importorskip("inspect_ai")
    names, (first, *rest) = play("Inspect AI")
    assert first.startswith("success ")
    assert len(rest) == len(names["samples"])
    names.clear()
    gc.collect()


@pytest.mark.filterwarnings("default")  # of the harness and of datasets
def test_the_harness_evaluates(play: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lm_eval")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    _, lines = play("lm-evaluation-harness")
    assert float(lines[-1]) in (0.0, 0.5, 1.0)


def test_dspy_evaluates(play: Played) -> None:
    pytest.importorskip("dspy")
    names, lines = play("DSPy")
    assert lines[0].startswith(("True ", "False "))
    assert float(lines[-1]) in (0.0, 50.0, 100.0)
    assert names["prediction"].reasons
