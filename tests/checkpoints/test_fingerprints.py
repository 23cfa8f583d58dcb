"""Fingerprints: different for models with different answers, independent of the location."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from maieutic.bundled import sha256_of
from maieutic.cache.store import ResponseStore
from maieutic.checkpoints import fingerprints
from maieutic.checkpoints.fingerprints import checkpoint_fingerprint
from maieutic.errors import ModelError


def folder_with(original: Path, target: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(original, target)
    change(target)
    return target


def edited(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        raw = (folder / name).read_bytes()
        assert old in raw
        (folder / name).write_bytes(raw.replace(old, new, 1))

    return change


def last_bit(folder: Path) -> None:
    raw = bytearray((folder / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (folder / "model.safetensors").write_bytes(raw)


def test_a_fingerprint_is_the_same_wherever_a_model_lies_and_whatever_is_written_about_it(
    llama_folder: Path, tmp_path: Path
) -> None:
    other = folder_with(llama_folder, tmp_path / "copy", lambda folder: folder.joinpath("README.md").touch())
    assert checkpoint_fingerprint(llama_folder, "float32", "cpu") == checkpoint_fingerprint(
        other, "float32", "cpu"
    )


@pytest.mark.parametrize(
    "change",
    [
        last_bit,
        edited("config.json", b'"max_position_embeddings": 96', b'"max_position_embeddings": 95'),
        edited("tokenizer.json", b"true", b"fals"),
        lambda folder: (folder / "chat_template.jinja").write_text("{{ messages }}"),
        lambda folder: (folder / "model.safetensors").rename(folder / "other.safetensors"),
    ],
    ids=["a bit of the weights", "configuration", "tokenizer", "chat template", "a file's name"],
)
def test_another_model_has_another_fingerprint(
    llama_folder: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    other = folder_with(llama_folder, tmp_path / "copy", change)
    assert checkpoint_fingerprint(llama_folder, "float32", "cpu") != checkpoint_fingerprint(
        other, "float32", "cpu"
    )


def test_formats_devices_and_libraries_have_fingerprints_of_their_own(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distinct = {
        checkpoint_fingerprint(llama_folder, dtype, device)
        for dtype in ("float32", "bfloat16", "float16")
        for device in ("cpu", "cuda")
    }
    monkeypatch.setattr(fingerprints, "version", lambda library: f"{library} of tomorrow")
    distinct.add(checkpoint_fingerprint(llama_folder, "float32", "cpu"))
    assert len(distinct) == 7


def test_an_adapter_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    def adapt(folder: Path) -> None:
        (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "elsewhere"}))

    folder = folder_with(llama_folder, tmp_path / "adapter", adapt)
    with pytest.raises(ModelError) as caught:
        checkpoint_fingerprint(folder, "float32", "cpu")
    assert caught.value.subject == str(folder)


def test_checksums_of_large_files_are_kept_until_a_file_changes(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResponseStore(tmp_path / "responses.sqlite3")
    folder = shutil.copytree(llama_folder, tmp_path / "large")
    weights = folder / "model.safetensors"
    monkeypatch.setattr(fingerprints, "LARGE", weights.stat().st_size)
    read: list[str] = []

    def counting(path: Path) -> str:
        read.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(fingerprints, "sha256_of", counting)

    def compute() -> tuple[str, int]:
        read.clear()
        return checkpoint_fingerprint(folder, "float32", "cpu", store), read.count(weights.name)

    first, reads = compute()
    assert (reads, compute()) == (1, (first, 1))  # written a moment ago, so not cached
    monkeypatch.setattr(fingerprints, "SETTLED", -3600.0)
    assert [compute(), compute()] == [(first, 1), (first, 0)]
    times = weights.stat()
    last_bit(folder)  # another model of equal size
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))  # and equal modification time
    second, reads = compute()
    assert (second != first, reads) == (True, 1)
