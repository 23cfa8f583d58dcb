"""Language models: the seam (:mod:`maieutic.lm.base`) and its backends, one per file."""

from __future__ import annotations

from maieutic.errors import InputError
from maieutic.lm.base import LanguageModel

__all__ = ["LanguageModel", "load_lm"]


def load_lm(name: str, *, device: str = "auto", dtype: str = "auto", download: bool = False) -> LanguageModel:
    """The language model of that name: a folder, a Hugging Face hub id, or "agora", the bundled one.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:N".
        dtype: "auto" (bfloat16 where the device is fast at it), "float32", "bfloat16" or "float16".
        download: fetch a hub id that is not in the local cache; otherwise nothing is downloaded.

    Raises:
        ModelError: the model is missing, broken or no causal language model.
        InputError: the device is not there, or the name is a server's address.
    """
    if "://" in name:
        raise InputError(f"{name}: servers are not supported; give a model folder or a hub id")
    from maieutic.lm.transformers import TransformersLM  # noqa: PLC0415 - loads torch

    return TransformersLM.load(name, device=device, dtype=dtype, download=download)
