"""What can be wrong with a model's name, its folder or the device, each in one sentence."""

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
from maieutic.checkpoints.loading import CLASSIFIER, LANGUAGE_MODEL, Checkpoint, load_checkpoint
from maieutic.errors import InputError, ModelError


@pytest.fixture
def folder(llama_folder: Path, tmp_path: Path) -> Path:
    """A model folder to damage."""
    return shutil.copytree(llama_folder, tmp_path / "model")


def load(name: Path | str, **options: Any) -> Checkpoint:
    return load_checkpoint(str(name), LANGUAGE_MODEL, device="cpu", **options)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no folder here and cannot be a hub id"):
        load(tmp_path / "nowhere")


def test_an_empty_name() -> None:
    with pytest.raises(ModelError, match="give a model folder or a hub id"):
        load("")


def test_a_file_in_place_of_a_folder(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.safetensors' is a file"):
        load(folder / "model.safetensors")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        load(tmp_path)


def test_pickled_weights_are_never_read(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only pytorch_model\.bin, a pickle.*safetensors"):
        load(folder)


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        load(folder)


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="holds no tokenizer"):
        load(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_damaged_files(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    damaged = {"cut": content[: len(content) // 2], "noise": b"\xff" * 200, "empty": b""}[damage]
    path.write_bytes(damaged)
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_weights_of_another_size(folder: Path) -> None:
    change_config(folder, hidden_size=64)
    with pytest.raises(ModelError, match=f"{folder} cannot be loaded"):
        load(folder)


def test_weights_that_are_missing(folder: Path) -> None:
    change_config(folder, num_hidden_layers=3)
    with pytest.raises(ModelError, match=r"lacks \d+ of the model's weights"):
        load(folder)


def test_a_model_family_that_nobody_knows(folder: Path) -> None:
    change_config(folder, model_type="abacus")
    with pytest.raises(ModelError, match="abacus"):
        load(folder)


def test_code_in_a_folder_is_not_run(folder: Path) -> None:
    (folder / "custom.py").write_text("raise SystemExit('the code ran')")
    automatic = {"AutoConfig": "custom.Config", "AutoModelForCausalLM": "custom.Model"}
    change_config(folder, model_type="abacus", auto_map=automatic)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)


def test_a_language_model_is_not_a_verifier(llama_folder: Path) -> None:
    message = r"holds a LlamaForCausalLM, not a sequence classifier.*--lm"
    with pytest.raises(ModelError, match=message):
        load_checkpoint(str(llama_folder), CLASSIFIER, device="cpu")


def test_a_model_of_neither_kind(folder: Path) -> None:
    change_config(folder, architectures=["LlamaForTokenClassification"])
    with pytest.raises(ModelError, match=r"not a causal language model$"):
        load(folder)


def test_a_headless_model_without_a_declared_kind(folder: Path) -> None:
    change_config(folder, architectures=None)
    assert load(folder).model is not None  # its weights are complete
    with pytest.raises(ModelError, match=r"lacks 1 of .*score\.weight"):
        load_checkpoint(str(folder), CLASSIFIER, device="cpu")


def cache(root: Path, folder: Path, name: str) -> None:
    """Put a folder in a hub cache the way the hub's client does."""
    place = root / ("models--" + name.replace("/", "--"))
    shutil.copytree(folder, place / "snapshots" / "abc123")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc123")


def test_a_hub_id_is_found_in_the_cache_and_not_fetched(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelError, match=r"not a folder and not in the hub cache; pass --download"):
        load("someone/tiny-model")
    cache(tmp_path / "hub", folder, "someone/tiny-model")
    opened = load("someone/tiny-model", dtype="float32")
    assert (opened.name, opened.window, opened.dtype_name) == ("someone/tiny-model", 96, "float32")


def test_a_download_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def unreachable(_: str, *, local_files_only: bool, **__: Any) -> str:
        asked.append(local_files_only)
        raise ConnectionError("no route to host\ntraceback")

    monkeypatch.setattr(loading, "snapshot_download", unreachable)
    with pytest.raises(ModelError, match=r"could not be downloaded \(no route to host\); check"):
        load("someone/tiny-model", download=True)
    assert asked == [False]


def test_loading_leaves_the_messages_as_they_were(llama_folder: Path) -> None:
    before = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    load(llama_folder)
    assert transformers_logging.get_verbosity() == before
    assert transformers_logging.is_progress_bar_enabled() == bars


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_where_there_is_none(llama_folder: Path) -> None:
    for name in ("cuda", "cuda:1"):
        with pytest.raises(InputError, match=rf"{name} was asked for .* no CUDA device .*cpu"):
            load_checkpoint(str(llama_folder), LANGUAGE_MODEL, device=name)
    assert resolve_device("auto") == torch.device("cpu")


def test_devices_and_dtypes_that_nobody_knows() -> None:
    with pytest.raises(InputError, match="'gpu' is not a device; use auto, cpu"):
        resolve_device("gpu")
    with pytest.raises(InputError, match="'int4' is not a dtype; use auto, float32"):
        resolve_dtype("int4", torch.device("cpu"))


def test_on_a_processor_the_format_is_chosen_by_hand_or_exact() -> None:
    """Close calls change in bfloat16, however fast a processor is at it."""
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
