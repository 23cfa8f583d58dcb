"""Models written as GGUF files, read back by the package that llama.cpp has for them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from maieutic.benchmarks.throughput.to_gguf import app, write_gguf
from maieutic.errors import InputError, MaieuticError, ModelError

gguf = pytest.importorskip("gguf", reason="gguf is not installed; pip install --group server-tests")


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields and the tensors of a file."""
    reader = gguf.GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    return fields, tensors


def test_the_shape_the_vocabulary_and_the_weights_are_there(llama_folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    write_gguf(str(llama_folder), tmp_path / "a.gguf")
    fields, tensors = read(tmp_path / "a.gguf")
    config = json.loads((llama_folder / "config.json").read_text())
    assert fields["general.architecture"] == "llama"
    assert fields["llama.context_length"] == config["max_position_embeddings"]
    assert fields["llama.attention.head_count"] == 4
    assert fields["llama.attention.head_count_kv"] == 2
    assert (fields["tokenizer.ggml.model"], fields["tokenizer.ggml.pre"]) == ("gpt2", "gpt-2")
    assert (fields["tokenizer.ggml.bos_token_id"], fields["tokenizer.ggml.eos_token_id"]) == (0, 1)
    assert fields["tokenizer.ggml.add_bos_token"] is True
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    assert (len(tokens), len(kinds), tokens[:2]) == (320, 320, ["<s>", "</s>"])
    assert [gguf.TokenType(kind).name for kind in kinds[:6]] == ["CONTROL"] * 5 + ["NORMAL"]
    weights = load_file(llama_folder / "model.safetensors")
    assert len(tensors) == len(weights)
    np.testing.assert_array_equal(tensors["output.weight"].data, weights["lm_head.weight"])
    np.testing.assert_array_equal(tensors["blk.1.attn_v.weight"].data, weights[NAME.format("v")])


NAME = "model.layers.1.self_attn.{}_proj.weight"


@pytest.mark.parametrize(("part", "heads"), [("q", 4), ("k", 2)])
def test_rows_that_turn_together_are_neighbours(
    llama_folder: Path, tmp_path: Path, part: str, heads: int
) -> None:
    from safetensors.numpy import load_file

    write_gguf(str(llama_folder), tmp_path / "a.gguf")
    written = read(tmp_path / "a.gguf")[1][f"blk.1.attn_{part}.weight"].data
    weights = load_file(llama_folder / "model.safetensors")[NAME.format(part)]
    size = len(weights) // heads
    for head in range(heads):
        for row in range(size // 2):
            pair = written[head * size + 2 * row : head * size + 2 * row + 2]
            np.testing.assert_array_equal(pair, weights[head * size + row :: size // 2][:2])


@pytest.mark.parametrize(("dtype", "kind", "error"), [("float16", "F16", 1e-3), ("bfloat16", "BF16", 1e-2)])
def test_matrices_may_be_in_half_precision(
    llama_folder: Path, tmp_path: Path, dtype: str, kind: str, error: float
) -> None:
    write_gguf(str(llama_folder), tmp_path / "a.gguf")
    write_gguf(str(llama_folder), tmp_path / "half.gguf", dtype)
    whole, half = read(tmp_path / "a.gguf")[1], read(tmp_path / "half.gguf")[1]
    name = "blk.0.ffn_up.weight"
    assert half[name].tensor_type.name == kind
    assert half["output_norm.weight"].tensor_type.name == "F32"
    found = gguf.quants.dequantize(half[name].data, half[name].tensor_type)
    np.testing.assert_allclose(found, whole[name].data, rtol=error, atol=1e-6)


def test_an_embedding_that_is_also_the_output_is_written_once(tmp_path: Path) -> None:
    write_gguf("agora", tmp_path / "agora.gguf")
    fields, tensors = read(tmp_path / "agora.gguf")
    assert "output.weight" not in tensors
    assert fields["llama.block_count"] == 4
    assert fields["general.name"] == "agora"


def test_models_of_another_kind_are_refused(
    gpt2_folder: Path, nli_folder: Path, llama_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.gguf"
    with pytest.raises(ModelError) as refused:
        write_gguf(str(gpt2_folder), out)
    assert refused.value.subject == "model_type"
    with pytest.raises(ModelError):
        write_gguf(str(nli_folder), out)
    for changes in (
        {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}},
        {"hidden_act": "gelu"},
    ):
        folder = shutil.copytree(llama_folder, tmp_path / "changed", dirs_exist_ok=True)
        config = json.loads((llama_folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))
        with pytest.raises(ModelError) as refused:
            write_gguf(str(folder), out)
        assert refused.value.subject in changes
    assert list(tmp_path.glob("*.gguf*")) == []


def test_a_tokenizer_of_another_kind_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(llama_folder, tmp_path / "other")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"]["add_prefix_space"] = True
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError) as refused:
        write_gguf(str(folder), tmp_path / "a.gguf")
    assert refused.value.subject == "tokenizer"


def test_a_file_that_is_there_stays(llama_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.gguf"
    out.write_text("mine")
    with pytest.raises(InputError) as refused:
        write_gguf(str(llama_folder), out)
    assert refused.value.subject == str(out)
    assert out.read_text() == "mine"


def test_a_folder_that_is_not_there_is_named(llama_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "a.gguf"
    with pytest.raises(MaieuticError) as failed:
        write_gguf(str(llama_folder), out)
    assert failed.value.subject == str(out)


def test_the_command_writes_a_file_or_says_why_not(llama_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.gguf"
    done = CliRunner().invoke(app, [str(llama_folder), str(out)])
    assert (done.exit_code, done.output) == (0, "")
    assert out.stat().st_size > 100_000
    done = CliRunner().invoke(app, [str(llama_folder), str(out), "--dtype", "int3"])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "'int3'" in done.stderr


def test_without_the_package_the_remedy_is_named(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(InputError) as refused:
        write_gguf(str(llama_folder), tmp_path / "a.gguf")
    assert refused.value.subject == "gguf"
