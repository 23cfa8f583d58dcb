"""The command that compares methods of others with maieutic, with the bundled models."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from maieutic.benchmarks.methods import METHODS, build_method
from maieutic.benchmarks.rivals.__main__ import Setup, app
from maieutic.benchmarks.rivals.lineup import lineup
from maieutic.benchmarks.runs.folder import read_run
from maieutic.errors import InputError

LIMIT = 4
OPTIONS = ("--split", "dev", "--limit", str(LIMIT), "--samples", "2")


def cells(page: str) -> list[list[str]]:
    """The rows of the first table."""
    lines = page[page.index("| method | right") :].split("\n\n", maxsplit=1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_one_command_makes_the_page_and_goes_on_where_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, runs = tmp_path / "rivals.md", tmp_path / "runs"
    arguments = [*OPTIONS, "--runs", str(runs), "--out", str(out)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    page = out.read_text(encoding="utf-8")
    rivals = lineup(2)
    rows = cells(page)
    assert [row[0] for row in rows] == [rival.label for rival in rivals]
    for row, rival in zip(rows, rivals, strict=True):
        run = read_run(runs / "agora-dev" / rival.folder)
        assert len(run.records) == LIMIT
        right = sum(record.right for record in run.records)
        assert row[1].startswith(f"{100 * right / LIMIT:.1f} [")
        tokens = sum(record.usage.generated_tokens for record in run.records) / LIMIT
        assert row[4] == f"{tokens:,.1f}"
        assert bool(row[-1]) == (rival.label != "maieutic")
        assert f"| {rival.label} | {rival.source} |" in page
    assert f"--split dev --limit {LIMIT} --samples 2 --seed 0" in page

    records = runs / "agora-dev" / "p-true" / "records.jsonl"
    lines = records.read_bytes().splitlines(keepends=True)
    records.write_bytes(b"".join(lines[:-1]) + lines[-1][:9])  # a process that was killed
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert cells(out.read_text(encoding="utf-8")) == rows

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the runs are finished")

    monkeypatch.setattr("maieutic.benchmarks.rivals.contest.models_of", refuse)
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert cells(out.read_text(encoding="utf-8")) == rows


def test_every_row_is_a_method_and_those_that_sample_do_so_alike() -> None:
    rivals = lineup(3)
    assert len({rival.label for rival in rivals}) == len({rival.folder for rival in rivals}) == len(rivals)
    for rival in rivals:
        assert rival.method in METHODS
        method = build_method(rival.method, rival.settings, seed=0)
        samples = getattr(method, "samples", 3)
        assert samples == 3
    assert rivals[-1].label == "maieutic"


@pytest.mark.parametrize("given", [{"lm": "m"}, {"lm": "m", "nli": "v"}, {"data": "d"}])
def test_a_model_needs_a_verifier_and_data(given: dict[str, str]) -> None:
    with pytest.raises(InputError):
        Setup(**given)  # type: ignore[arg-type]


def test_the_command_in_the_page_has_no_folders_of_this_machine() -> None:
    setup = Setup(lm="team/model", nli="/some/where/nli", data="/some/where/creak")
    assert "/some" not in setup.command
    assert "--lm team/model --nli nli --data creak" in setup.command
