"""Tables of all commands in pipes and on terminals."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.cli import console
from maieutic.cli.console import Pulse, table_console, tracked

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


@given(st.lists(st.floats(0, 200), max_size=20))
def test_a_pulse_is_heard_when_the_last_is_a_while_ago(gaps: list[float]) -> None:
    now, heard = [0.0], list[float]()
    pulse = Pulse(clock=lambda: now[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console, "complain", lambda _: heard.append(now[0]))
        for gap in gaps:
            now[0] += gap
            pulse("so far")
    moments = [0.0, *heard]
    assert all(later - earlier >= console.EVERY for earlier, later in pairwise(moments))
    assert now[0] - moments[-1] < console.EVERY


def test_items_are_counted_in_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "EVERY", 0.0)
    assert list(tracked("ab", "relate", 2, pulse=Pulse())) == ["a", "b"]
    assert capsys.readouterr() == ("", "relate: 1 of 2\nrelate: 2 of 2\n")
    assert list(tracked("ab", "relate", 2)) == ["a", "b"]
    assert capsys.readouterr() == ("", "")
