"""Weights files: what is written is read back, and what does not fit is named."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, fields, replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import FileFormatError, InputError
from maieutic.inference.weights import (
    DEFAULT_WEIGHTS,
    PRIORS,
    TERMS,
    JointWeights,
    read_weights,
    weights_toml,
)

SCALES = st.floats(0, 50)


def test_there_are_few_parameters_and_each_term_is_one() -> None:
    names = [field.name for field in fields(JointWeights)]
    assert len(names) <= 17
    assert set(TERMS) == set(names) - {"threshold", "clip", *PRIORS.values()}


@given(values=st.lists(SCALES, min_size=len(TERMS), max_size=len(TERMS)), note=st.text())
def test_a_weights_file_says_what_was_written(values: list[float], note: str) -> None:
    weights = replace(DEFAULT_WEIGHTS, **dict(zip(TERMS, values, strict=True)))
    given_back = tomllib.loads(weights_toml(weights, {"command": note}))
    assert JointWeights(**given_back["weights"]) == weights


def test_a_weights_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "weights.toml"
    path.write_text(weights_toml(DEFAULT_WEIGHTS, {"command": "by hand"}), encoding="utf-8")
    assert read_weights(path) == DEFAULT_WEIGHTS


def test_the_defaults_are_those_of_the_file_that_ships() -> None:
    assert read_weights(Path(str(files("maieutic.inference") / "weights.toml"))) == DEFAULT_WEIGHTS


def broken(change: dict[str, object | None]) -> str:
    values = {k: v for k, v in (asdict(DEFAULT_WEIGHTS) | change).items() if v is not None}
    return "[weights]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


@pytest.mark.parametrize("missing", [field.name for field in fields(JointWeights)])
def test_code_holds_no_default_of_a_weight(missing: str) -> None:
    values = {name: value for name, value in asdict(DEFAULT_WEIGHTS).items() if name != missing}
    with pytest.raises(TypeError):
        JointWeights(**values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "weights = 3",
        "[weights",
        broken({"belief": 1.0}),
        broken({"root": None}),
        broken({"root": -1.0}),
        broken({"root": "true"}),
        broken({"clip": "inf"}),
    ],
)
def test_a_weights_file_that_does_not_fit_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "weights.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError) as refused:
        read_weights(path)
    assert refused.value.path == str(path)


@pytest.mark.parametrize(
    ("name", "value"), [("root", -1.0), ("root", True), ("clip", 0.0), ("threshold", 1.0)]
)
def test_a_weight_out_of_its_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError) as refused:
        replace(DEFAULT_WEIGHTS, **{name: value})
    assert refused.value.subject == name


def test_a_weights_file_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError) as refused:
        read_weights(tmp_path / "none.toml")
    assert refused.value.path == str(tmp_path / "none.toml")
