"""``maieutic bench run``, from the command line to the last line, with the bundled models."""

from __future__ import annotations

import json
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.benchmarks.runs import runner
from maieutic.benchmarks.runs.folder import read_run

Run = Callable[..., "CompletedProcess[str]"]

FEW = ("agora", "--split", "dev", "--limit", "6")
METHODS = [
    "direct",
    "chain-of-thought",
    "self-consistency",
    "generated-knowledge",
    "maieutic",
]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_and_its_folder_says_everything(run: Run, tmp_path: Path, method: str) -> None:
    out = tmp_path / method
    done = run("bench", "run", *FEW, "--method", method, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    found = read_run(out)
    assert len(found.records) == 6
    right = sum(record.right for record in found.records)
    assert f"{right} of 6 " in done.stdout
    assert all(record.usage.prompt_tokens > 0 and record.usage.calls > 0 for record in found.records)
    assert all((record.reasoning is None) == (method != "maieutic") for record in found.records)
    facts = json.loads((out / "run.json").read_text())
    assert facts["configuration"]["method"] == method
    assert facts["data"]["asked"] == 6
    assert len(facts["models"]["lm"]["sha256"]["model.safetensors"]) == 64
    assert ("nli" in facts["models"]) == (method == "maieutic")
    statement = found.records[0].text.rstrip(".").lower()
    assert all(statement in prompt.lower() for prompt in facts["prompts"].values())
    assert all(bool(record.said) == (method not in ("direct", "maieutic")) for record in found.records)


@pytest.mark.parametrize(("nli", "opened"), [("agora+lm", 1), ("agora+agora", 2)])
def test_several_verifiers_relate_together_and_each_is_recorded(
    run: Run, tmp_path: Path, nli: str, opened: int
) -> None:
    done = run("bench", "run", *FEW, "--method", "maieutic", "--nli", nli, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert read_run(tmp_path / "run").config.nli == nli
    recorded = json.loads((tmp_path / "run" / "run.json").read_text())["models"]["nli"]
    verifiers = recorded if isinstance(recorded, list) else [recorded]
    assert [verifier["name"] for verifier in verifiers] == ["agora"] * opened


def test_a_run_is_repeated_from_its_configuration(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    settings = ("--method", "self-consistency", "--set", "samples=3", "--seed", "5")
    assert run("bench", "run", *FEW, *settings, "--dtype", "float32", "--out", first).returncode == 0
    config = first / "run.toml"
    assert tomllib.loads(config.read_text())["settings"]["samples"] == 3
    assert run("bench", "run", "--config", config, "--out", second).returncode == 0
    answers = [[(r.id, r.p_true) for r in read_run(folder).records] for folder in (first, second)]
    assert answers[0] == answers[1]


def test_a_run_goes_on_where_it_stopped(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ("bench", "run", *FEW, "--method", "direct", "--out", out)
    assert run(*arguments).returncode == 0
    whole = (out / "records.jsonl").read_bytes()
    (out / "records.jsonl").write_bytes(whole[: len(whole) * 2 // 3])
    done = run(*arguments)
    assert done.returncode == 0
    assert "of 6 questions" in done.stderr
    assert [r.id for r in read_run(out).records] == [json.loads(line)["id"] for line in whole.splitlines()]
    again = run(*arguments)  # nothing is left to do, and the report is printed all the same
    assert "of 6 correct" in again.stdout


def test_a_finished_run_goes_on_with_a_higher_limit(run: Run, tmp_path: Path) -> None:
    direct = ("bench", "run", "agora", "--method", "direct", "--seed", "2", "--out")
    run(*direct, tmp_path / "whole", "--limit", "9")
    run(*direct, tmp_path / "raised", "--limit", "4")
    done = run(*direct, tmp_path / "raised", "--limit", "9")
    assert done.returncode == 0, done.stderr
    whole, raised = (
        {record.id: record.answer for record in read_run(tmp_path / name).records}
        for name in ("whole", "raised")
    )
    assert raised == whole


def test_ctrl_c_finishes_the_batch_and_says_how_to_go_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = runner._outcomes

    def interrupting(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "_outcomes", interrupting)
    out = tmp_path / "run"
    arguments = (
        "bench",
        "run",
        "agora",
        "--split",
        "dev",
        "--limit",
        "40",
        "--method",
        "direct",
        "--out",
        out,
    )
    done = run(*arguments)
    assert done.returncode == 130
    assert "32 of 40 questions are answered" in done.stderr
    monkeypatch.undo()
    assert run(*arguments).returncode == 0
    assert len(read_run(out).records) == 40


def test_a_dry_run_estimates_and_writes_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("bench", "run", "agora", "--split", "dev", "--method", "direct", "--dry-run", "--json")
    guess = json.loads(done.stdout)
    assert (guess["sampled"], guess["questions"]) == (8, 312)
    assert guess["calls"] == {"low": 312, "high": 312}
    assert 0 < guess["minutes"]["low"] <= guess["minutes"]["high"]
    text = run("bench", "run", "agora", "--split", "dev", "--method", "direct", "--dry-run").stdout
    assert "minutes for 312 questions, from a sample of 8: 312 calls" in text
    assert list(tmp_path.iterdir()) == []


def test_the_report_is_json_when_asked(run: Run, tmp_path: Path) -> None:
    done = run("bench", "run", *FEW, "--method", "maieutic", "--out", tmp_path / "run", "--json")
    report = json.loads(done.stdout)
    assert report["metrics"]["questions"] == 6
    assert report["nodes"]["by_label"] <= report["nodes"]["nodes"]


def test_the_toy_model_on_other_data_is_pointed_out_first(run: Run, tmp_path: Path) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "run"
    data.write_text('{"statement": "A quokka juggles.", "label": false}\n')
    arguments = ("bench", "run", "file", "--data", data, "--method", "direct", "--json", "--out", out)
    done = run(*arguments)
    assert done.returncode == 0
    warning = done.stderr.splitlines()[0]
    assert all(word in warning for word in ("warning: agora", "file", "--lm"))
    (stored,) = json.loads(done.stdout)["warnings"]
    assert warning == f"warning: {stored}"
    assert json.loads((out / "run.json").read_text())["warnings"] == [stored]


def test_the_toy_model_on_its_own_world_needs_no_warning(run: Run, tmp_path: Path) -> None:
    done = run("bench", "run", *FEW, "--method", "direct", "--json", "--out", tmp_path / "run")
    assert "warning" not in done.stderr
    assert json.loads(done.stdout)["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "agora, csqa2, "),
        (("gsm8k", "--out", "x"), "'gsm8k'"),
        (("agora", "--method", "oracle", "--out", "x"), "oracle"),
        (("agora", "--split", "exam", "--out", "x"), "exam"),
        (("agora",), "--out"),
        (("agora", "--set", "depth", "--out", "x"), "KEY=VALUE"),
        (("agora", "--set", "deep=1", "--out", "x"), "'deep'"),
        (("agora", "--set", "depth=-1", "--out", "x"), "depth"),
        (("agora", "--lm", "no/such-model", "--nli", "lm", "--out", "x"), "no/such-model"),
        (("agora", "--lm", "no/such-model", "--out", "x"), "--nli"),
        (("csqa2", "--out", "x"), "--data"),
        (("agora", "--config", "run.toml", "--out", "x"), "dataset"),
        (("--config", "run.toml", "--out", "x"), "run.toml"),
        (("agora", "--method", "direct", "--trees", "x.jsonl", "--out", "x"), "--trees"),
        (("trees", "--nli", "agora", "--trees", "x.jsonl", "--out", "x"), "--trees"),
        (("trees", "--nli", "agora", "--out", "x"), "--data"),
        (("trees", "--data", "x.jsonl", "--out", "x"), "verifier"),
        (("trees", "--data", "x.jsonl", "--nli", "agora", "--set", "evidence=likelihood"), "likelihood"),
        (("agora", "--method", "direct", "--keep-going", "--out", "x"), "--keep-going"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("bench", "run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert named in line


def test_a_folder_of_something_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    done = run("bench", "run", *FEW, "--method", "direct", "--out", tmp_path)
    assert done.returncode == 2
    assert "precious" in done.stderr
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["precious"]


def test_trees_grown_elsewhere_go_through_the_same_runner(run: Run, tmp_path: Path) -> None:
    data, trees = tmp_path / "data.jsonl", tmp_path / "trees.jsonl"
    texts = ["A spoon sinks in water.", "A cork sinks in water.", "A stone sinks in water."]
    data.write_text("".join(json.dumps({"statement": t, "label": "cork" not in t}) + "\n" for t in texts))
    trees.write_text("".join(json.dumps(_tree(text)) + "\n" for text in texts[:2]))
    out = tmp_path / "run"
    done = run("bench", "run", "file", "--data", data, "--trees", trees, "--nli", "agora", "--out", out)
    assert done.returncode == 0, done.stderr
    records = read_run(out).records
    assert [record.answer for record in records] == [True, True, None]
    assert records[2].problem == "no tree was given for this text"
    assert "1 of 3 correct, 33.3 %; 1 unscored, 50.0 % of those scored" in done.stdout
    assert all(record.usage.calls == 0 for record in records)


def _tree(text: str) -> dict[str, object]:
    root = {"id": "Q", "parent": None, "statement": text, "negation": f"It is false that {text}"}
    return {
        "question": text,
        "statement": text,
        "negation": root["negation"],
        "answer": None,
        "nodes": [root | {"p_true": 0.9, "p_true_negation": 0.1, "integral": True}],
    }
