"""``maieutic bench compare``, from folders of runs to tables and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.benchmarks.methods.base import Usage
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.records import Record

CliRun = Callable[..., "CompletedProcess[str]"]
COT = "chain-of-thought"
MARKUP = "[red]Qwen/Qwen3[/red]\x1b[2J"
pytest.importorskip("tomli_w")


@pytest.fixture(autouse=True)
def _narrow(run: CliRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def write(folder: Path, right: Sequence[bool | None], method: str = "direct", lm: str = "some-model") -> Path:
    """A run folder of Com2Sense, two statements a pair; None is a question without an answer."""
    folder.mkdir(parents=True)
    given = RunConfig("com2sense", method, split="train", data="com2sense", lm=lm)
    (folder / "run.toml").write_text(given.complete().to_toml(), encoding="utf-8")
    lines = []
    for k, hit in enumerate(right):
        gold = k % 2 == 0
        answer = None if hit is None else hit == gold
        p_true = None if answer is None else 0.9 if answer else 0.2
        record = Record(
            f"q{k}", f"Text {k}.", gold, f"pair {k // 2}", answer, p_true, usage=Usage(90, 10, 3, 0)
        )
        lines.append(replace(record, problem="lost" if answer is None else None).to_json())
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Direct: 5 of 8 right, 1 of 4 pairs. Chain of thought: 6 of 8, one unanswered; two more are its own."""
    direct = [True, True, True, False, True, False, True, False]
    cot = [True, True, True, True, None, True, True, False]
    return [write(tmp_path / "direct", direct), write(tmp_path / "cot", [*cot, True, True], COT)]


def test_the_tables_tell_everything_and_fit_a_hundred_columns(run: CliRun, folders: list[Path]) -> None:
    done = run("bench", "compare", *folders)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 100
    head, left_out, *rest = done.stdout.splitlines()
    assert head == "com2sense, train: 8 questions that all runs have"
    assert left_out == "left out, because another run has no record of them: 2 of chain-of-thought"
    tables = "\n".join(rest[1:]).split("\n\n")
    accuracy, confidence, differences = (
        [line.split() for line in table.splitlines()] for table in tables[:3]
    )
    assert accuracy[0] == ["run", "accuracy", "%", "scored", "%", "pairs", "%"]
    assert (accuracy[2][:2], accuracy[2][4:]) == (["direct", "62.5"], ["–", "25.0"])
    assert (accuracy[3][:2], accuracy[3][4:]) == ([COT, "75.0"], ["85.7", "of", "7", "50.0"])
    assert confidence[0] == [
        "run", "ECE", "Brier", "AURC", "AUROC", "tokens", "calls", "NLI", "pairs", "seconds"
    ]  # fmt: skip
    assert confidence[2][5:] == ["100", "3.0", "0.0", "0.00"]
    assert differences[2][:4] == [COT, "−", "direct", "+12.5"]
    assert differences[2][6:] == ["2", "1", "1.000", "1.000"]
    assert "10,000 resamples, seed 0, twins drawn together" in done.stdout
    assert "pairs: 4, " in done.stdout


def test_json_is_one_object_with_the_same_numbers(run: CliRun, folders: list[Path]) -> None:
    done = run("bench", "compare", *folders, "--json", "--published", "--seed", "7")
    found = json.loads(done.stdout)
    assert (found["dataset"], found["split"]) == ("com2sense", "train")
    assert (found["questions"], found["seed"]) == (8, 7)
    assert [row["metrics"]["accuracy"] for row in found["rows"]] == [0.625, 0.75]
    metrics = found["rows"][0]["metrics"]
    assert (metrics["costs"]["prompt_tokens"], metrics["costs"]["tokens"]) == (90, 100)
    assert metrics["pairwise"] == {"pairs": 4, "right": 1, "left_out": 0, "accuracy": 0.25}
    assert found["rows"][1]["left_out"] == 2
    (difference,) = found["differences"]
    assert (difference["run"], difference["against"], difference["gained"]) == (COT, "direct", 2)
    assert {figure["accuracy"] for figure in found["published"]} >= {72.5}


def test_published_figures_stand_beside_with_their_sources(run: CliRun, folders: list[Path]) -> None:
    done = run("bench", "compare", *folders, "--published")
    assert "72.5 %" in done.stdout
    assert "Jung et al." in done.stdout
    assert "Jung et al." not in run("bench", "compare", *folders).stdout


def test_one_run_is_described_alone(run: CliRun, folders: list[Path]) -> None:
    done = run("bench", "compare", folders[0])
    assert done.stdout.startswith("com2sense, train: 8 questions\n\n")
    assert "McNemar" not in done.stdout


def test_a_baseline_is_named_by_name_or_folder(run: CliRun, folders: list[Path]) -> None:
    by_name = run("bench", "compare", *folders, "--baseline", COT, "--json")
    assert json.loads(by_name.stdout)["differences"][0]["against"] == COT
    assert run("bench", "compare", *folders, "--baseline", folders[1], "--json").stdout == by_name.stdout


def test_names_from_files_are_plain_text(run: CliRun, tmp_path: Path) -> None:
    one = write(tmp_path / "one", [True, False], lm="other")
    two = write(tmp_path / "two", [True, True], lm=MARKUP)
    done = run("bench", "compare", one, two)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "[red]" in done.stdout


def test_in_a_pipe_a_row_is_one_line_with_long_names_in_full(run: CliRun, tmp_path: Path) -> None:
    one = write(tmp_path / "one", [True, False, None, True], lm="a" * 90)
    two = write(tmp_path / "two", [True, True, True, True], lm="b" * 90)
    done = run("bench", "compare", one, two)
    assert sum("b" * 90 in line for line in done.stdout.splitlines()) >= 3  # in every table


TRICKY = "a|b*c*_d_<i>`e`[f](g)#~%$&{h}^\\\\"


def test_csv_has_the_unrounded_numbers_of_json(run: CliRun, folders: list[Path]) -> None:
    rows = list(csv.DictReader(io.StringIO(run("bench", "compare", *folders, "--format", "csv").stdout)))
    found = json.loads(run("bench", "compare", *folders, "--format", "json").stdout)["rows"]
    assert [row["run"] for row in rows] == [row["label"] for row in found]
    for row, expected in zip(rows, found, strict=True):
        metrics = expected["metrics"]
        assert int(row["right"]) == metrics["right"]
        assert float(row["accuracy"]) == metrics["accuracy"]
        assert float(row["accuracy_low"]) == expected["interval"]["low"]
        assert row["ece"] == ("" if metrics["ece"] is None else str(metrics["ece"]))
        assert float(row["calls"]) == metrics["costs"]["calls"]


def test_markdown_shows_the_tables_of_the_terminal_whatever_a_name_is(run: CliRun, tmp_path: Path) -> None:
    from markdown_it import MarkdownIt

    folders = [write(tmp_path / "one", [True, False]), write(tmp_path / "two", [True, True], lm=TRICKY)]
    markdown = run("bench", "compare", *folders, "--format", "md").stdout
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    cells = [
        "".join(child.content for child in tokens[k + 1].children or [])
        for k, token in enumerate(tokens)
        if token.type in ("td_open", "th_open")
    ]
    children = [child.type for token in tokens for child in token.children or []]
    assert set(children) <= {"text", "text_special", "softbreak", "hardbreak"}  # nothing is markup
    labels = [row["label"] for row in json.loads(run("bench", "compare", *folders, "--json").stdout)["rows"]]
    assert all(label in cells for label in labels)
    assert any(TRICKY in label for label in labels)


def test_latex_has_a_tabular_for_each_table_and_no_bare_special_character(
    run: CliRun, tmp_path: Path
) -> None:
    folders = [write(tmp_path / "one", [True, False]), write(tmp_path / "two", [True, True], lm=TRICKY)]
    latex = run("bench", "compare", *folders, "--format", "latex").stdout
    tables = latex.count(r"\begin{tabular}")
    assert tables == latex.count(r"\end{tabular}") == latex.count(r"\bottomrule") >= 3
    for line in latex.splitlines():
        if line.startswith(("%", "\\begin", "\\end", "\\toprule", "\\midrule", "\\bottomrule")):
            continue
        cells = line.removesuffix(r" \\").split(" & ")
        known = r"\\text(backslash|ascii(tilde|circum))\{\}|\\[&%$#_{}]|\$-\$"
        assert not any(re.search(r"[\\&%$#_{}~^]", re.sub(known, "", cell)) for cell in cells)


def test_an_unknown_format_is_one_sentence(run: CliRun, folders: list[Path]) -> None:
    done = run("bench", "compare", *folders, "--format", "xml")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda folder: (folder / "records.jsonl").unlink(), "records.jsonl: "),
        (lambda folder: (folder / "run.toml").write_text("x ="), "run.toml: "),
        (lambda folder: (folder / "records.jsonl").write_text("{}\n"), "records.jsonl, line 1: "),
    ],
)
def test_a_damaged_run_is_one_sentence(
    run: CliRun, folders: list[Path], change: Callable[[Path], object], place: str
) -> None:
    change(folders[1])
    done = run("bench", "compare", *folders)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {folders[1] / place}")


def test_runs_that_cannot_be_compared_are_one_sentence(
    run: CliRun, folders: list[Path], tmp_path: Path
) -> None:
    cases: list[tuple[list[str | Path], str]] = [
        ([folders[0], folders[0]], str(folders[0])),
        ([*folders, "--baseline", "maieutic"], "'maieutic'"),
        ([tmp_path / "none"], str(tmp_path / "none" / "run.toml")),
    ]
    for arguments, named in cases:
        done = run("bench", "compare", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert named in line
