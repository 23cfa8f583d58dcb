"""Writes a Llama-shaped model as one GGUF file, which llama.cpp's server can serve.

Launch:   python -m maieutic.benchmarks.throughput.to_gguf MODEL OUT.gguf [--dtype float32]
Data:     a model folder, or agora for the bundled language model; nothing is downloaded.
Cost:     the model is held in memory in float32, and once more while it is written.

Its purpose is to compare one model in this process and on a server. It supports Llama's architecture with
plain rotary positions and the byte-level BPE tokenizer of GPT-2, as in the bundled models. For other models
use llama.cpp's own converter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from maieutic.benchmarks import run_app
from maieutic.bundled import AGORA, bundled_folder
from maieutic.errors import InputError, MaieuticError, ModelError

if TYPE_CHECKING:
    import gguf

    from maieutic.checkpoints.loading import Checkpoint

__all__ = ["DTYPES", "write_gguf"]

DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}  # as GGUF calls them
_ELSE = "convert it with llama.cpp's convert_hf_to_gguf.py"

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[str, typer.Argument(help="Model folder, or agora.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="File to write; must not exist.", show_default=False)],
    dtype: Annotated[
        str, typer.Option("--dtype", help=f"Number format of the matrices: {', '.join(DTYPES)}.")
    ] = "float32",
) -> None:
    """Write a Llama-shaped model as a GGUF file."""
    try:
        write_gguf(model, out, dtype)
    except MaieuticError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code) from None


def write_gguf(model: str, out: Path, dtype: str = "float32") -> None:
    """Write a model folder (or "agora") to the new file ``out``.

    Args:
        dtype: number format of the matrices, a key of :data:`DTYPES`. llama.cpp computes with float32
            matrices in float32, with others also in their format.

    Raises:
        InputError: the format is unknown, the file exists already, or the package gguf is missing.
        ModelError: the model cannot be loaded, or is not of the supported kind; ``subject`` is then the
            field of its configuration, or "tokenizer".
        MaieuticError: the file cannot be written.
    """
    from maieutic.checkpoints.finding import find_folder  # noqa: PLC0415
    from maieutic.checkpoints.loading import LANGUAGE_MODEL, load_checkpoint  # noqa: PLC0415 - loads torch

    if dtype not in DTYPES:
        problem = f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}"
        raise InputError(problem, subject="dtype")
    if out.exists():
        raise InputError(f"{out} exists already; remove it, or give another file", subject=str(out))
    package = _gguf()
    folder = bundled_folder("agora-lm") if model == AGORA else find_folder(model)
    checkpoint = load_checkpoint(str(folder), LANGUAGE_MODEL, device="cpu", dtype="float32")
    _check_shape(checkpoint)
    part = out.with_name(f"{out.name}.part")
    writer = package.GGUFWriter(part, package.MODEL_ARCH_NAMES[package.MODEL_ARCH.LLAMA])
    _describe(writer, checkpoint.model.config, Path(model).name)
    _add_vocabulary(writer, checkpoint, folder)
    for name, matrix in _tensors(checkpoint.model):
        format_name = DTYPES[dtype] if matrix.ndim > 1 else "F32"
        kind = package.GGMLQuantizationType[format_name]
        writer.add_tensor(name, package.quants.quantize(matrix, kind), raw_dtype=kind)
    _write(writer, part, out)


def _write(writer: gguf.GGUFWriter, part: Path, out: Path) -> None:
    """Write the file as ``part``, then rename it to ``out``."""
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        problem = f"cannot write {out} ({error.strerror}); make room or check the folder"
        raise MaieuticError(problem, subject=str(out)) from None


def _gguf() -> Any:
    try:
        import gguf  # noqa: PLC0415 - an extra dependency
        import gguf.quants  # noqa: PLC0415
    except ImportError:
        problem = "the package gguf is not installed; pip install gguf"
        raise InputError(problem, subject="gguf") from None
    return gguf


def _check_shape(checkpoint: Checkpoint) -> None:
    """Refuse models that would be written incorrectly."""
    config, name = checkpoint.model.config, checkpoint.name
    if config.model_type != "llama":
        problem = f"{name} must be of type llama, not {config.model_type}; {_ELSE}"
        raise ModelError(problem, subject="model_type")
    if config.attention_bias or config.mlp_bias or config.hidden_act != "silu":
        problem = f"{name} must have no biases and the activation silu; {_ELSE}"
        raise ModelError(problem, subject="hidden_act")
    if config.rope_parameters["rope_type"] != "default":
        problem = f"{name} must not have scaled rotary positions; {_ELSE}"
        raise ModelError(problem, subject="rope_parameters")
    backend: Any = getattr(checkpoint.tokenizer, "backend_tokenizer", None)
    splitting: Any = getattr(backend, "pre_tokenizer", None)
    model: Any = getattr(backend, "model", None)
    plain = type(model).__name__ == "BPE" and not model.ignore_merges and backend.normalizer is None
    if not plain or type(splitting).__name__ != "ByteLevel" or splitting.add_prefix_space:
        problem = f"the tokenizer of {name} must be GPT-2's kind of byte-level BPE; {_ELSE}"
        raise ModelError(problem, subject="tokenizer")


def _describe(writer: gguf.GGUFWriter, config: Any, name: str) -> None:
    writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)


def _add_vocabulary(writer: gguf.GGUFWriter, checkpoint: Checkpoint, folder: Path) -> None:
    """Tokens, merges, special tokens and the chat template, where there is one."""
    package = _gguf()
    tokenizer, size = checkpoint.tokenizer, checkpoint.model.config.vocab_size
    texts = {place: text for text, place in tokenizer.get_vocab().items()}
    special = {place for place, token in tokenizer.added_tokens_decoder.items() if token.special}
    kinds = package.TokenType
    added = dict.fromkeys(tokenizer.added_tokens_decoder, kinds.USER_DEFINED)
    known = {**dict.fromkeys(texts, kinds.NORMAL), **added, **dict.fromkeys(special, kinds.CONTROL)}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([texts.get(place, f"[PAD{place}]") for place in range(size)])
    writer.add_token_types([known.get(place, kinds.UNUSED) for place in range(size)])
    package.SpecialVocab(folder, load_merges=True, n_vocab=size).add_to_gguf(writer, quiet=True)


def _tensors(model: Any) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The weights under llama.cpp's names, float32; an output matrix that is the embedding is left out."""
    package, config = _gguf(), model.config
    names = package.get_tensor_name_map(package.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weights in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        matrix = weights.float().numpy()
        if name.endswith("q_proj.weight"):
            matrix = _interleaved(matrix, config.num_attention_heads)
        elif name.endswith("k_proj.weight"):
            matrix = _interleaved(matrix, config.num_key_value_heads)
        yield names.get_name(name, try_suffixes=(".weight", ".bias")), matrix


def _interleaved(matrix: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """The rows of a query or key matrix, (heads × head size, width), in llama.cpp's order.

    Rotary positions turn pairs of rows of a head. Transformers pairs row i with row i + half of the head;
    llama.cpp pairs neighbours.
    """
    halves = matrix.reshape(heads, 2, -1, matrix.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(matrix.shape))


if __name__ == "__main__":
    run_app(app)
