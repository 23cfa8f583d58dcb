"""The header of GGUF files: what is read from it, and what damaged files are refused for."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from maieutic.checkpoints.gguf_header import GgufHeader, gguf_parts, read_header
from maieutic.errors import ModelError

TEXT, LIST, UINT32, FLOAT32, INT8 = 8, 9, 4, 6, 1


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def field(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def listed(kind: int, *values: bytes) -> bytes:
    return struct.pack("<IQ", kind, len(values)) + b"".join(values)


def gguf(*fields: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(fields)) + b"".join(fields)


FIELDS = (
    field("general.architecture", TEXT, text("llama")),
    field("llama.rope.freq_base", FLOAT32, struct.pack("<f", 1e4)),
    field("llama.context_length", UINT32, struct.pack("<I", 512)),
    field("tokenizer.ggml.tokens", LIST, listed(TEXT, text("a"), text("é"))),
    field("tokenizer.ggml.kinds", LIST, listed(INT8, b"\1", b"\2", b"\3")),
    field("nested", LIST, listed(LIST, listed(UINT32, b"\0" * 4), listed(TEXT))),
    field("tokenizer.chat_template", TEXT, text(" {{ messages }}\n")),
)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_what_comes_after_lists_is_read(tmp_path: Path, version: int) -> None:
    path = written(tmp_path, gguf(*FIELDS, version=version) + b"weights")
    assert read_header(path) == GgufHeader("llama", 512, "{{ messages }}")


def test_what_a_header_does_not_say_is_empty(tmp_path: Path) -> None:
    assert read_header(written(tmp_path, gguf())) == GgufHeader("", 0, "")


@pytest.mark.parametrize("cut", range(5, len(gguf(*FIELDS)), 7))
def test_a_file_that_ends_in_its_header_is_damaged(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, gguf(*FIELDS)[:cut])
    with pytest.raises(ModelError) as error:
        read_header(path)
    assert error.value.subject == str(path)


BAD: dict[str, Any] = {
    "an empty file": b"",
    "a page": b"<!DOCTYPE html>",
    "a pointer": b"version https://git-lfs.github.com/spec/v1\n",
    "version 1": gguf(version=1),
    "an unknown type": gguf(field("a", 13, b"\0" * 8)),
    "an endless text": gguf(struct.pack("<Q", 1 << 62)),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ModelError) as error:
        read_header(path)
    assert error.value.subject == str(path)


def test_a_model_may_have_several_files() -> None:
    assert gguf_parts(Path("a/m.gguf")) == [Path("a/m.gguf")]
    names = [f"a/m-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    assert [str(path) for path in gguf_parts(Path(names[1]))] == names
