from __future__ import annotations

from pathlib import Path

import pytest

from maieutic.benchmarks.methods.direct import NO_READING
from maieutic.benchmarks.methods.self_consistency import NO_VERDICTS
from maieutic.benchmarks.runs.config import RunConfig, read_config
from maieutic.benchmarks.runs.folder import read_run
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import check_judged
from maieutic.errors import FileFormatError, MaieuticError
from tests.conftest import Run


def records(judged: int, *problems: str) -> list[Record]:
    scored = [Record(str(number), "Ice is cold.", True, "", True, 0.9) for number in range(judged)]
    return scored + [Record(p, "Ice is cold.", True, "", None, problem=p) for p in problems]


def test_a_run_that_judged_less_than_half_is_refused() -> None:
    check_judged(records(2, NO_READING, NO_VERDICTS), "model")
    check_judged(records(0, "another problem"), "model")
    check_judged(records(0, NO_READING), "")  # given trees
    with pytest.raises(MaieuticError) as caught:
        check_judged(records(1, NO_READING, NO_VERDICTS), "model")
    assert (caught.value.subject, caught.value.exit_code) == ("model", 1)


def test_a_model_that_says_something_else_ends_a_run_with_its_records_kept(
    wide_folder: Path, tmp_path: Path, run: Run
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("statement,label\nIce is cold.,true\nIce is hot.,false\n")
    command = ("bench", "run", "file", "--data", data, "--lm", wide_folder, "--out", tmp_path / "run")
    for _ in range(2):  # the run is complete the second time, and is no better
        done = run(*command, "--method", "direct", "--no-cache")
        assert done.returncode == 1
        assert str(wide_folder) in done.stderr
    found = read_run(tmp_path / "run")
    assert [(one.answer, one.p_true, one.problem) for one in found.records] == [(None, None, NO_READING)] * 2


def test_the_date_of_templates_is_part_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    written = RunConfig("agora").complete().to_toml()
    path.write_text(written)
    assert read_config(path).template_date in written
    path.write_text(written.replace(read_config(path).template_date, "2031-12-24"))
    with pytest.raises(FileFormatError) as caught:
        read_config(path)
    assert caught.value.path == str(path)
