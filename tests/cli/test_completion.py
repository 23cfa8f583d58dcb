"""What the shell offers for the values of options, asked as shells ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest

from maieutic.benchmarks.datasets import DATASETS
from maieutic.benchmarks.methods import METHODS
from maieutic.checkpoints.devices import DTYPES
from maieutic.cli import completion
from maieutic.config import GrowthStyle
from maieutic.inference import INFERENCES
from maieutic.prompts import builtin_names
from maieutic.solvers import SOLVERS

Run = Callable[..., "CompletedProcess[str]"]
Offered = Callable[..., list[str]]


@pytest.fixture
def offered(run: Run, monkeypatch: pytest.MonkeyPatch) -> Offered:
    """What bash is offered after some words: ``offered("ask", "--inference", "v")``."""

    def offered(*words: str) -> list[str]:
        monkeypatch.setenv("_MAIEUTIC_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["maieutic", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        return run().stdout.split()

    return offered


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two models in the hub cache and a GGUF file of llama.cpp's."""
    from huggingface_hub import constants

    hub = tmp_path / "hub"
    for name, architecture in (
        ("me/causal", "LlamaForCausalLM"),
        ("me/nli", "BertForSequenceClassification"),
    ):
        snapshot = hub / f"models--{name.replace('/', '--')}" / "snapshots" / "1"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    gguf = tmp_path / ".cache" / "llama.cpp" / "small.gguf"
    gguf.parent.mkdir(parents=True)
    gguf.write_bytes(b"GGUF")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("LLAMA_CACHE", raising=False)
    return gguf


def test_the_lists_are_those_of_the_registries() -> None:
    assert tuple(DATASETS) == completion.DATASETS
    assert tuple(METHODS) == completion.METHODS
    assert tuple(INFERENCES) == completion.INFERENCES
    assert ("auto", *builtin_names()) == completion.PROMPTS
    assert tuple(SOLVERS) == completion.SOLVERS
    assert ("auto", *DTYPES) == completion.DTYPES
    assert get_args(GrowthStyle) == completion.GROWTHS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ask", "--inference", ""), completion.INFERENCES),
        (("ask", "--inference", "v"), ("vote",)),
        (("ask", "--growth", ""), completion.GROWTHS),
        (("ask", "--dtype", "b"), ("bfloat16",)),
        (("ask", "--prompts", ""), ("auto", *builtin_names())),
        (("bench", "run", ""), completion.DATASETS),
        (("bench", "run", "c"), ("csqa2", "creak", "com2sense")),
        (("bench", "run", "agora", "--method", "d"), ("direct",)),
        (("calibrate", "--on", "s"), ("strategyqa",)),
        (("solve", "--solver", "rc2"), ("rc2", "rc2-stratified")),
        (("solve", "--solver", "x"), ()),
    ],
)
def test_the_shell_is_offered_the_values(
    offered: Offered, words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert sorted(offered(*words)) == sorted(expected)


@pytest.mark.parametrize("command", [("ask",), ("bench", "run", "agora"), ("calibrate",)])
def test_the_shell_is_offered_the_models_of_this_machine(
    offered: Offered, models: Path, command: tuple[str, ...]
) -> None:
    assert sorted(offered(*command, "--lm", "")) == sorted(["agora", "me/causal", str(models)])
    assert sorted(offered(*command, "--nli", "")) == ["agora", "lm", "me/nli"]
    assert offered(*command, "--lm", "me/") == ["me/causal"]


def test_offers_load_no_model_library(models: Path) -> None:
    code = (
        "import json, sys; from maieutic.cli import completion as c; c.lm_names(''); c.nli_names(''); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "numpy"} & set(json.loads(done.stdout))
