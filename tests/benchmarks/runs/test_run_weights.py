"""Which weights of joint inference a run has, and how they stand in its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import run_name
from maieutic.bundled import bundled_weights
from maieutic.errors import FileFormatError
from maieutic.inference import Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, JointWeights, read_weights, weights_toml

MINE = replace(DEFAULT_WEIGHTS, root=0.9)


def weights_of(config: RunConfig) -> JointWeights | None:
    """The weights that the run's method concludes with; None for those that suit its models."""
    method = build_method(config.method, config.settings, config.seed)
    assert isinstance(method, MaieuticMethod)
    inference = method.configured_inference
    assert isinstance(inference, Joint)
    return inference.weights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(weights_toml(MINE, {"command": "by hand"}), encoding="utf-8")
    return path


def test_the_bundled_models_together_have_weights_of_their_own() -> None:
    config = RunConfig("agora").complete()
    assert config.settings["weights"] == "agora"
    assert run_name(config) == "maieutic"
    assert config.complete() == config
    assert weights_of(config) == read_weights(bundled_weights())


def test_vote_has_no_weights() -> None:
    config = RunConfig("agora", settings={"inference": "vote"}).complete()
    assert config.settings["weights"] == ""
    assert run_name(config) == "maieutic (inference vote)"


@pytest.mark.parametrize(("lm", "nli"), [("some-model", "agora"), ("agora", "some-verifier")])
def test_with_another_model_the_packages_own_weights_count(lm: str, nli: str) -> None:
    config = RunConfig("agora", lm=lm, nli=nli).complete()
    assert config.settings["weights"] == ""
    assert run_name(config) == "maieutic"
    assert weights_of(config) is None


def test_a_file_is_found_from_any_folder_and_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    config = RunConfig("agora", settings={"weights": "mine.toml"}).complete()
    assert config.settings["weights"] == str(file)
    assert run_name(config) == f"maieutic (weights {file})"
    monkeypatch.chdir("/")
    assert weights_of(config) == MINE


def test_a_file_that_is_missing_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError) as caught:
        RunConfig("agora", settings={"weights": str(tmp_path / "none.toml")}).complete()
    assert caught.value.path == str(tmp_path / "none.toml")


def test_a_run_of_any_model_without_a_verifier_has_a_name() -> None:
    settings = {"inference.use_verifier": False}
    config = RunConfig("agora", "maieutic", settings, lm="someone/model").complete()
    assert config.nli == ""
    assert run_name(config) == "maieutic (no inference.use_verifier)"
