"""``maieutic bench run``, from the command line to the last line, with the bundled models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.benchmarks.agora import methods
from maieutic.benchmarks.agora import run as runs

Run = Callable[..., "CompletedProcess[str]"]


def test_methods_are_compared_on_the_same_statements(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "records.jsonl"
    done = run("bench", "run", "agora", "--count", "6", "--split", "dev", "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in out.read_text().splitlines()]
    methods = ["direct", "cot", "self-consistency", "maieutic", "maieutic-vote"]
    for method in methods:
        right = sum(r["answer"] == r["truth"] for r in records if r["method"] == method)
        (row,) = (line for line in done.stdout.splitlines() if f"│ {method} " in line)
        assert [cell.strip() for cell in row.split("│")[2:4]] == [str(right), "6"]
    statements = [[r["statement"] for r in records if r["method"] == method] for method in methods]
    assert all(same == statements[0] for same in statements)
    assert sum(r["truth"] for r in records) == len(records) / 2
    assert all((r["reasoning"] is not None) == r["method"].startswith("maieutic") for r in records)


def test_json_is_the_whole_report(run: Run) -> None:
    arguments = ("--method", "maieutic", "--method", "direct", "--count", "4", "--split", "dev", "--json")
    report = json.loads(run("bench", "run", "agora", *arguments).stdout)
    assert (report["split"], report["lm"], report["verifier"]) == ("dev", "agora", "agora")
    maieutic, direct = report["methods"]
    assert (maieutic["method"], maieutic["p_value"]) == ("maieutic", None)
    assert (direct["method"], direct["statements"]) == ("direct", 4)
    assert 0 <= direct["p_value"] <= 1
    assert "nodes" not in direct
    nodes = maieutic["nodes"]
    assert nodes["by_label"] <= nodes["nodes"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("creak",), "the data set must be agora, not 'creak'"),
        (("agora", "--method", "oracle"), "method must be one of direct"),
        (("agora", "--split", "exam"), "split must be one of train, dev, test, not 'exam'"),
        (("agora", "--lm", "no/such-model", "--nli", "lm"), "not in the hub cache"),
    ],
)
def test_bad_input_is_one_line(run: Run, arguments: tuple[str, ...], named: str) -> None:
    done = run("bench", "run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert named in line


def test_records_that_exist_are_not_overwritten(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "records.jsonl"
    out.write_text("precious")
    done = run("bench", "run", "agora", "--out", out)
    assert done.returncode == 2
    assert "give --out a new file" in done.stderr
    assert out.read_text() == "precious"


def test_more_statements_than_there_are_is_said(run: Run) -> None:
    done = run("bench", "run", "agora", "--method", "direct", "--split", "dev", "--count", "5000")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: the dev split has ")
    assert line.endswith("contested statements, not 5000")


def test_an_interrupted_run_reports_what_it_has(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, calls = methods.direct, []

    def interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "direct", interrupted)
    out = tmp_path / "records.jsonl"
    done = run(
        "bench", "run", "agora", "--method", "direct", "--count", "100", "--split", "dev", "--out", out
    )
    assert done.returncode == 130
    assert done.stderr == f"interrupted after {runs.BATCH} of 100 statements\n"
    assert len(out.read_text().splitlines()) == runs.BATCH
    assert f"│ {runs.BATCH} │" in done.stdout
