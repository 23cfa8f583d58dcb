"""Weights files: what is written is read back, and what does not fit is named."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, fields
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import FileFormatError
from maieutic.inference.weights import DEFAULT_WEIGHTS, TERMS, JointWeights, read_weights, weights_toml

SCALES = st.floats(0, 50)


def test_there_are_at_most_a_dozen_parameters_and_each_term_is_one() -> None:
    names = [field.name for field in fields(JointWeights)]
    assert len(names) <= 12
    assert set(TERMS) == set(names) - {"threshold", "clip"}


@given(values=st.lists(SCALES, min_size=len(TERMS), max_size=len(TERMS)), note=st.text())
def test_a_weights_file_says_what_was_written(values: list[float], note: str) -> None:
    weights = JointWeights(**dict(zip(TERMS, values, strict=True)))
    given_back = tomllib.loads(weights_toml(weights, {"command": note}))
    assert JointWeights(**given_back["weights"]) == weights


def test_a_weights_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "weights.toml"
    path.write_text(weights_toml(DEFAULT_WEIGHTS, {"command": "by hand"}), encoding="utf-8")
    assert read_weights(path) == DEFAULT_WEIGHTS


def test_the_defaults_are_those_of_the_file_that_ships() -> None:
    assert read_weights(Path(str(files("maieutic") / "weights.toml"))) == DEFAULT_WEIGHTS


def broken(change: dict[str, object | None]) -> str:
    values = {k: v for k, v in (asdict(DEFAULT_WEIGHTS) | change).items() if v is not None}
    return "[weights]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"has no table \[weights\]"),
        ("weights = 3", r"has no table \[weights\]"),
        ("[weights", "TOML"),
        (broken({"belief": 1.0}), "'belief' is no weight; there are root, integral"),
        (broken({"root": None}), "the weight 'root' is missing"),
        (broken({"root": -1.0}), "'root' must be a finite number ≥ 0, not -1.0"),
        (broken({"root": "true"}), "'root' must be a finite number ≥ 0, not True"),
        (broken({"clip": "inf"}), "'clip' must be a finite number ≥ 0, not inf"),
    ],
)
def test_a_weights_file_that_does_not_fit_is_refused_by_name(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "weights.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=problem):
        read_weights(path)


def test_a_weights_file_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_weights(tmp_path / "none.toml")
