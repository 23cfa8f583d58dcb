"""Brief records: the same metrics as the whole ones, and a report of a large run that samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.benchmarks.agora.nodes import known_explanations
from maieutic.benchmarks.analysis.comparison import compare
from maieutic.benchmarks.analysis.metrics import measure
from maieutic.benchmarks.report import sampling
from maieutic.benchmarks.runs.brief import Brief, read_brief, read_places, stream_records
from maieutic.benchmarks.runs.folder import RunFolder, read_run
from maieutic.benchmarks.runs.records import Record, TreeFacts
from maieutic.errors import FileFormatError, InputError
from maieutic.text import NO_VERDICT
from maieutic.tree import Discard, Proposition, Tree

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the bundled models with trees of all kinds."""
    from maieutic.benchmarks.runs.benchmark import Benchmark
    from maieutic.benchmarks.runs.config import RunConfig

    out = tmp_path_factory.mktemp("runs") / "maieutic"
    config = RunConfig("agora", limit=12, settings={"confidence": 1.0}).complete()
    with RunFolder(out, config) as opened:
        for _ in Benchmark.load(config).run(opened):
            pass
    return out


def test_brief_records_give_the_same_numbers(folder: Path) -> None:
    brief, full = read_brief(folder), read_run(folder)
    assert measure(brief.records) == measure(full.records)
    assert compare([brief]) == compare([full])
    assert [record.tree_facts for record in brief.records] == [record.tree_facts for record in full.records]
    assert tuple(stream_records(folder)) == full.records
    assert known_explanations("agora", full.records) == known_explanations("agora", stream_records(folder))


def test_some_records_are_read_in_full(folder: Path) -> None:
    run, full = read_brief(folder), read_run(folder)
    assert read_places(run, [3, 0]).records == (full.records[0], full.records[3])


@pytest.mark.parametrize("pruned", [True, False])
@pytest.mark.parametrize("belief", [0.5, None])
def test_the_facts_of_a_tree_are_those_of_its_own_definition(pruned: bool, belief: float | None) -> None:
    nodes = (
        Proposition("Q", None, "A.", "Not A.", belief, belief),
        Proposition("QT0", "Q", "B.", "Not B.", None, None),
    )
    tree = Tree("A.", "A.", "Not A.", () if pruned else nodes, pruned=nodes if pruned else ())
    tree = replace(tree, discarded=(Discard("Q", "belief", None, "x", NO_VERDICT),))
    kind = "empty" if pruned else "grown"
    assert _facts(tree) == TreeFacts(kind, 1, (("belief", NO_VERDICT),), tree.judged)


def _facts(tree: Tree) -> TreeFacts | None:
    line = {"id": "1", "text": "A.", "gold": True, "pair": "", "answer": True}
    return Brief.from_json(json.dumps(line | {"reasoning": {"tree": json.loads(tree.to_json())}})).tree_facts


def test_a_line_that_is_no_record_is_named(folder: Path, tmp_path: Path) -> None:
    for name in ("run.toml", "records.jsonl"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with (tmp_path / "records.jsonl").open("ab") as file:
        file.write(b'{"id": "x", "text": 1}\n')
    with pytest.raises(FileFormatError) as error:
        read_brief(tmp_path)
    assert error.value.line == 13
    with pytest.raises(InputError):
        Brief.from_json("[]")


def test_a_report_of_a_large_run_samples_and_says_so(
    folder: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole.html"
    assert run("bench", "report", folder, "--out", whole).returncode == 0
    assert 'id="sampled"' not in whole.read_text()
    monkeypatch.setattr(sampling, "LARGEST", 10)
    monkeypatch.setattr(sampling, "SAMPLE", 5)
    out = tmp_path / "part.html"
    assert run("bench", "report", folder, "--out", out).returncode == 0
    page = out.read_text()
    assert 'id="sampled"' in page
    assert "5 questions" in page
    records = read_run(folder).records
    assert sum(record.text in page for record in records) == 5


def test_right_answers_are_counted_when_a_run_goes_on(folder: Path) -> None:
    records = read_run(folder).records
    with RunFolder(folder, read_run(folder).config) as opened:
        assert opened.answered == {record.id for record in records}
        assert opened.right == sum(record.right for record in records)


def test_a_record_without_a_tree_has_no_facts() -> None:
    record = Record("1", "A.", True, "", None)
    assert record.tree_facts is None
    assert Brief.from_json(record.to_json()).tree_facts is None
