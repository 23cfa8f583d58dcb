"""The models that are measured: bundled, given, or built with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from maieutic.benchmarks.throughput.shapes import random_lm, save_random_verifier
from maieutic.benchmarks.throughput.subject import Subject
from maieutic.bundled import AGORA, bundled_folder
from maieutic.lm.transformers import TransformersLM
from maieutic.loading import CLASSIFIER, LANGUAGE_MODEL, Checkpoint, find_folder, load_checkpoint
from maieutic.prompts import load_prompts

__all__ = ["about_model", "open_subject", "open_verifier"]

RANDOM_PROMPTS = "paper"  # of random weights, which suit no set
OWN_TOKENIZER = "learned from the prompts, about 1.3 tokens a word"


def open_subject(lm: str, shape: str, prompts: str, device: torch.device, dtype: torch.dtype) -> Subject:
    """The language model that is measured.

    Args:
        lm: "agora", a folder or a cached hub id; not used with a ``shape``.
        shape: of random weights; "" for none.
        prompts: a prompt set's name or file, or "auto".

    Raises:
        InputError: the model, the shape or the prompt set cannot be used.
    """
    if shape:
        chosen = load_prompts(RANDOM_PROMPTS if prompts == "auto" else prompts)
        checkpoint = random_lm(shape, device, dtype, chosen)
        about = about_model(checkpoint) | {"tokenizer": OWN_TOKENIZER, "prompts": chosen.name}
        return Subject(checkpoint, chosen, about, random=True)
    name = str(dtype).removeprefix("torch.")
    checkpoint = load_checkpoint(lm, LANGUAGE_MODEL, device=str(device), dtype=name)
    generation = checkpoint.model.generation_config
    suited = TransformersLM(checkpoint).prompts if prompts == "auto" else prompts
    checkpoint.model.generation_config = generation  # the backend puts its own in its place
    chosen = load_prompts(suited)
    about = about_model(checkpoint) | {"tokenizer": "its own", "prompts": chosen.name}
    return Subject(checkpoint, chosen, about, random=False)


def open_verifier(
    nli: str, shape: str, device: torch.device, dtype: torch.dtype, scratch: Path
) -> Checkpoint:
    """The verifier that is measured; random weights are written to ``scratch``, for others to open.

    Raises:
        InputError: the model or the shape cannot be used.
    """
    if shape:
        folder = save_random_verifier(shape, dtype, load_prompts(RANDOM_PROMPTS), scratch)
    else:
        folder = bundled_folder("agora-nli") if nli == AGORA else find_folder(nli)
    name = str(dtype).removeprefix("torch.")
    return load_checkpoint(str(folder), CLASSIFIER, device=str(device), dtype=name)


def about_model(checkpoint: Checkpoint) -> dict[str, Any]:
    """Its name and sizes, for the record."""
    config = checkpoint.model.config.get_text_config()
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
    return {
        "name": checkpoint.name,
        "parameters": checkpoint.model.num_parameters(),
        "dtype": checkpoint.dtype_name,
        "model_type": config.model_type,
        **{size: getattr(config, size, None) for size in (*sizes, "num_key_value_heads")},
    }
