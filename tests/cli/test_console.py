"""Tables of all commands in pipes and on terminals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.cli.console import table_console

Run = Callable[..., "CompletedProcess[str]"]


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_has_a_width(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert (table_console().width <= 50) == terminal


def test_facts_about_data_sets_are_one_line_each(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [json.loads(line) for line in run("bench", "datasets", "--json").stdout.splitlines()]
    monkeypatch.setenv("COLUMNS", "40")
    printed = run("bench", "datasets").stdout
    for each in facts:
        assert each["citation"] in printed
        assert each["title"] in printed


def test_a_comparison_is_whole(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"run-{'x' * 60}"
    common = ("agora", "--split", "dev", "--limit", "4", "--method", "direct")
    for folder in (name, "other"):
        assert run("bench", "run", *common, "--out", tmp_path / folder).returncode == 0
    monkeypatch.setenv("COLUMNS", "40")
    wide = run("bench", "compare", tmp_path / name, tmp_path / "other").stdout
    heads = [line.split()[0] for line in wide.splitlines() if line.strip()]
    assert not any("…" in head for head in heads)
    assert any("accuracy %" in line and line.startswith("run") for line in wide.splitlines())
