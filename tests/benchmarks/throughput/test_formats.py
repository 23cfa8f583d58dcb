"""The same questions to several models: agreement and the table."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maieutic.benchmarks.throughput.formats import agreement, app


def test_agreement_is_over_what_both_models_judged() -> None:
    found = agreement([0.9, 0.2, 0.6, None], [0.8, 0.2, 0.3, 0.5])
    assert found.mean == pytest.approx(0.4 / 3)
    assert found.largest == pytest.approx(0.3)
    assert found.equal == pytest.approx(2 / 3)
    assert 0 < found.correlation < 1
    assert math.isnan(agreement([None], [0.5]).mean)
    assert math.isnan(agreement([0.5, 0.5], [0.1, 0.2]).correlation)


def test_two_openings_of_a_model_agree(tmp_path: Path) -> None:
    data = tmp_path / "questions.csv"
    data.write_text(
        "statement,label\nA penguin can fly.,false\nA crow can fly.,true\nA stone floats.,false\n"
    )
    models = ("--lm", "agora", "--lm", "agora")
    done = CliRunner().invoke(app, [*models, "--data", str(data), "--trees", "1", "--limit", "0"])
    assert done.exit_code == 0
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]
    assert len(rows) == 4
    assert {len(row) for row in rows} == {9}
    assert [row[0] for row in rows[2:]] == ["agora", "agora"]
    assert [row[5:] for row in rows[2:]] == [["0", "0", "1", "1"]] * 2
