"""Errors in the name, the folder or the device of a model."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.utils import logging as transformers_logging

from maieutic.checkpoints import loading, process
from maieutic.checkpoints.devices import resolve_device, resolve_dtype
from maieutic.checkpoints.loading import CLASSIFIER, LANGUAGE_MODEL, Checkpoint, Kind, load_checkpoint
from maieutic.errors import InputError, ModelError


@pytest.fixture
def folder(llama_folder: Path, tmp_path: Path) -> Path:
    """A copy of a model folder that a test may damage."""
    return shutil.copytree(llama_folder, tmp_path / "model")


def load(name: Path | str, **options: Any) -> Checkpoint:
    return load_checkpoint(str(name), LANGUAGE_MODEL, device="cpu", **options)


def fault(name: Path | str, kind: Kind = LANGUAGE_MODEL) -> ModelError:
    """The error on loading a model, which names the model and is one line."""
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(name), kind, device="cpu")
    assert caught.value.subject == str(name)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    fault(tmp_path / "nowhere")


def test_an_empty_name() -> None:
    fault("")


def test_a_file_in_place_of_a_folder(folder: Path) -> None:
    fault(folder / "model.safetensors")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert "config.json" in str(fault(tmp_path))


def test_pickled_weights_are_never_read(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "pytorch_model.bin" in str(fault(folder))


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "safetensors" in str(fault(folder))


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert "tokenizer.json" in str(fault(folder))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_damaged_files(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    damaged = {"cut": content[: len(content) // 2], "noise": b"\xff" * 200, "empty": b""}[damage]
    path.write_bytes(damaged)
    fault(folder)


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_weights_of_another_size(folder: Path) -> None:
    change_config(folder, hidden_size=64)
    fault(folder)


def test_weights_that_are_missing(folder: Path) -> None:
    change_config(folder, num_hidden_layers=3)
    assert "model.layers.2." in str(fault(folder))


def test_a_model_family_that_nobody_knows(folder: Path) -> None:
    change_config(folder, model_type="abacus")
    assert "abacus" in str(fault(folder))


def test_code_in_a_folder_is_not_run(folder: Path) -> None:
    (folder / "custom.py").write_text("raise SystemExit('the code ran')")
    automatic = {"AutoConfig": "custom.Config", "AutoModelForCausalLM": "custom.Model"}
    change_config(folder, model_type="abacus", auto_map=automatic)
    fault(folder)


def test_a_language_model_is_not_a_verifier(llama_folder: Path) -> None:
    message = str(fault(llama_folder, CLASSIFIER))
    assert all(name in message for name in ("LlamaForCausalLM", "--lm"))


def test_a_model_of_neither_kind(folder: Path) -> None:
    change_config(folder, architectures=["LlamaForTokenClassification"])
    message = str(fault(folder))
    assert "LlamaForTokenClassification" in message
    assert "--" not in message


def test_a_headless_model_without_a_declared_kind(folder: Path) -> None:
    change_config(folder, architectures=None)
    assert load(folder).model is not None  # its weights are complete
    assert "score.weight" in str(fault(folder, CLASSIFIER))


def cache(root: Path, folder: Path, name: str) -> None:
    """Copy a folder to a hub cache in the layout of the hub client."""
    place = root / ("models--" + name.replace("/", "--"))
    shutil.copytree(folder, place / "snapshots" / "abc123")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc123")


def test_a_hub_id_is_found_in_the_cache_and_not_fetched(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert "--download" in str(fault("someone/tiny-model"))
    cache(tmp_path / "hub", folder, "someone/tiny-model")
    model = load("someone/tiny-model", dtype="float32")
    assert (model.name, model.window, model.dtype_name) == ("someone/tiny-model", 96, "float32")


def test_a_download_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    local_only: list[bool] = []

    def unreachable(_: str, *, local_files_only: bool, **__: Any) -> str:
        local_only.append(local_files_only)
        raise ConnectionError("no route to host\ntraceback")

    monkeypatch.setattr(loading, "snapshot_download", unreachable)
    with pytest.raises(ModelError, match="no route to host") as caught:
        load("someone/tiny-model", download=True)
    assert caught.value.subject == "someone/tiny-model"
    assert local_only == [False]


def test_loading_leaves_the_messages_as_they_were(llama_folder: Path) -> None:
    before = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    load(llama_folder)
    assert transformers_logging.get_verbosity() == before
    assert transformers_logging.is_progress_bar_enabled() == bars


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_where_there_is_none(llama_folder: Path) -> None:
    for name in ("cuda", "cuda:1"):
        with pytest.raises(InputError) as caught:
            load_checkpoint(str(llama_folder), LANGUAGE_MODEL, device=name)
        assert caught.value.subject == "device"
    assert resolve_device("auto") == torch.device("cpu")


def test_devices_and_dtypes_that_nobody_knows() -> None:
    with pytest.raises(InputError) as unknown_device:
        resolve_device("gpu")
    assert unknown_device.value.subject == "device"
    with pytest.raises(InputError) as unknown_dtype:
        resolve_dtype("int4", torch.device("cpu"))
    assert unknown_dtype.value.subject == "dtype"


def test_on_a_processor_the_format_is_chosen_by_hand_or_exact() -> None:
    """bfloat16 can change an answer, however fast the CPU computes it."""
    assert resolve_dtype("auto", torch.device("cpu")) == torch.float32
    assert resolve_dtype("bfloat16", torch.device("cpu")) == torch.bfloat16


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("150000 100000", 2), ("100000 100000", 1), ("20000 100000", 1), ("max 100000", 8), ("", 8), ("9 0", 8)],
)
def test_cores_are_those_of_the_affinity_within_the_quota(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    path = tmp_path / "cpu.max"
    assert process.usable_cores(path) == 8  # no quota
    path.write_text(quota)
    assert process.usable_cores(path) == cores


@pytest.mark.parametrize(("given", "threads", "expected"), [(None, 64, [2]), (None, 1, []), ("4", 64, [])])
def test_threads_are_lowered_to_the_usable_cores_and_not_raised(
    given: str | None, threads: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lowered: list[int] = []
    monkeypatch.setattr(os, "environ", {} if given is None else {"OMP_NUM_THREADS": given})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(process, "usable_cores", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", lowered.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    process.prepare_process()
    assert lowered == expected
    assert os.environ["OMP_NUM_THREADS"] == (given or "2")


def test_loading_changes_no_threads_and_no_environment(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ)
    lowered: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", lowered.append)
    load(llama_folder)
    assert (lowered, dict(os.environ)) == ([], before)
