"""Errors in the name, the folder or the device of a model."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

from maieutic.checkpoints import folders, process
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


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456789\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--00.safetensors\n", "git annex get"),
        (b"\n<!DOCTYPE html><html><body>Sign in", "web page"),
        (b"<HTML>", "web page"),
    ],
)
def test_a_file_that_stands_in_for_the_real_one(folder: Path, name: str, content: bytes, word: str) -> None:
    (folder / name).write_bytes(content)
    message = str(fault(folder))
    assert name in message
    assert word in message


def test_weights_that_are_cut_off_after_their_header(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert f"{len(content) - 1} of {len(content)} bytes" in str(fault(folder))


def test_weights_that_the_index_names_and_the_folder_lacks(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    shards = {"a.weight": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    assert "model-00002-of-00002.safetensors" in str(fault(folder))


@pytest.mark.parametrize("index", ["", "{}", "[]", '{"weight_map": 7}', '{"weight_map": {"a": null}}'])
def test_an_index_that_makes_no_sense_is_an_error_or_not_needed(folder: Path, index: str) -> None:
    (folder / "model.safetensors.index.json").write_text(index)
    assert load(folder).model is not None  # there is one whole file
    (folder / "model.safetensors").unlink()
    fault(folder)


@pytest.mark.parametrize(
    "name", ["model.safetensors.part", "ab12.incomplete", ".cache/huggingface/download/ab12.incomplete"]
)
def test_an_unfinished_download(folder: Path, name: str) -> None:
    weights = folder / "model.safetensors"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(weights, folder / name)
    assert load(folder).model is not None  # something else was downloaded beside a whole model
    weights.unlink()
    assert Path(name).name in str(fault(folder))


@pytest.mark.parametrize("whole", [False, True])
def test_an_adapter_without_its_base_model(folder: Path, whole: bool) -> None:
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/base"}')
    if not whole:
        (folder / "config.json").unlink()
    assert "someone/base" in str(fault(folder))


def test_a_link_to_weights_that_are_not_there(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(folder / "blob")
    fault(folder)


@pytest.mark.parametrize(
    ("name", "content", "packages"),
    [
        ("spm.model", b"\n\x0e\n\x05[PAD]", ["sentencepiece", "protobuf"]),
        ("tokenizer.model", b"IQ== 0\nIg== 1\n", ["tiktoken"]),
        ("qwen.tiktoken", b"IQ== 0\nIg== 1\n", ["tiktoken"]),
        ("tekken.json", b"{}", ["mistral-common"]),
    ],
)
def test_a_package_that_a_tokenizer_needs_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, packages: list[str]
) -> None:
    monkeypatch.setattr(folders, "find_spec", lambda _: None)
    assert folders.missing_packages(folder) == []  # tokenizer.json needs none
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "DebertaV2Tokenizer"}')
    (folder / name).write_bytes(content)
    assert folders.missing_packages(folder) == packages
    monkeypatch.setattr(folders, "find_spec", lambda _: "installed")
    assert folders.missing_packages(folder) == []


def test_a_tokenizer_whose_package_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "find_spec", lambda _: None)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "DebertaV2Tokenizer"}')
    (folder / "spm.model").write_bytes(b"\n\x0e\n\x05[PAD]")
    assert "pip install sentencepiece protobuf" in str(fault(folder))


@pytest.mark.parametrize("pad", [-1, 320, 10**6])
def test_a_padding_token_beyond_the_vocabulary_is_none(folder: Path, pad: int) -> None:
    change_config(folder, pad_token_id=pad)
    assert load(folder).model.config.pad_token_id is None


def test_the_text_part_of_a_model_of_text_and_vision(llama_folder: Path, tmp_path: Path) -> None:
    family = pytest.importorskip("transformers.models.qwen3_5")  # newer than the oldest Transformers
    text: dict[str, Any] = {"vocab_size": 320, "hidden_size": 32, "intermediate_size": 48, "head_dim": 16}
    text |= {"num_attention_heads": 4, "num_key_value_heads": 2, "layer_types": ["full_attention"]}
    vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32}
    config = family.Qwen3_5Config(text_config=text | {"num_hidden_layers": 1}, vision_config=vision)
    folder = tmp_path / "model"
    family.Qwen3_5ForConditionalGeneration(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(llama_folder).save_pretrained(folder)
    assert type(load(folder).model).__name__ == "Qwen3_5ForCausalLM"
    fault(folder, CLASSIFIER)


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

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
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


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("0", "0")])
def test_large_tensors_take_huge_pages_unless_the_environment_says_otherwise(
    given: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {} if given is None else {"THP_MEM_ALLOC_ENABLE": given})
    process.prepare_process()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == expected


def test_loading_changes_no_threads_and_no_environment(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ)
    lowered: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", lowered.append)
    load(llama_folder)
    assert (lowered, dict(os.environ)) == ([], before)
