"""The benchmark of the start: what it reads from ``-X importtime`` and from the answer."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from maieutic.benchmarks.throughput import startup
from maieutic.benchmarks.throughput.startup import Run, Startup, as_text, import_seconds, parts
from maieutic.errors import MaieuticError

LISTED = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   _io
import time:     20000 |      20100 | os
Asking agora, the small bundled model
import time:    300000 |     700000 |     torch._C
import time:    400000 |    1000000 |   torch
import time:     50000 |      50000 |     tokenizers
import time:      7000 |       7000 | maieutic.lm.local.model
"""
ANSWER = json.dumps({"seconds": {"elicit": 0.25, "relate": 0.5, "solve": 0.125, "shared": 1}})


def test_each_import_counts_once_for_its_package() -> None:
    assert import_seconds(LISTED) == {
        startup.TORCH: pytest.approx(0.7),
        startup.TRANSFORMERS: 0,
        startup.LIBRARY: pytest.approx(0.0201),
        startup.OTHERS: pytest.approx(0.05),
        startup.OURS: pytest.approx(0.007),
    }
    assert set(import_seconds("").values()) == {0}


def test_the_parts_add_up_to_the_wall_time() -> None:
    rows = parts(Run(3.0, 2.0, ANSWER, LISTED), 0.03)
    assert sum(rows.values()) == pytest.approx(3.0)
    assert rows[startup.ANSWERING] == pytest.approx(0.875)
    assert rows[startup.INTERPRETER] == pytest.approx(0.03)
    assert min(parts(Run(0.1, 0.1, ANSWER, LISTED), 0.03).values()) >= 0  # never negative


def test_the_text_has_the_medians_and_a_row_for_each_part() -> None:
    text = as_text(Startup((1.0, 9.0, 2.0), (0.5, 0.75, 4.0), {"one": 0.25, "two": 1.5}))
    head, *rows = text.splitlines()
    assert "2.00 s, 0.75 s of processor time" in head
    assert rows[-2:] == ["| one | 0.25 |", "| two | 1.50 |"]


def test_the_command_measures_fresh_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, ...]] = []

    def python(*arguments: str) -> Run:
        started.append(arguments)
        return Run(2.0, 1.0, ANSWER, LISTED if "importtime" in arguments else "")

    monkeypatch.setattr(startup, "_python", python)
    done = CliRunner().invoke(startup.app, ["--repeat", "2", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["wall"] == [2.0, 2.0]
    assert [arguments[:2] for arguments in started] == [
        ("-m", "maieutic.cli.main"),
        ("-c", ""),
        ("-X", "importtime"),
    ] * 2


def test_a_process_that_fails_is_an_error() -> None:
    with pytest.raises(MaieuticError) as error:
        startup._python("-c", "raise SystemExit('no room')")
    assert "no room" in str(error.value)
