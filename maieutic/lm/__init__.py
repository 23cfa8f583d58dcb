"""Language models: the protocol (:mod:`maieutic.lm.base`), a scripted fake, and the backends.

The backends are :mod:`maieutic.lm.local` (Transformers, in this process), :mod:`maieutic.lm.server` and, on
top of it, :mod:`maieutic.lm.gguf` (llama.cpp in a process of its own).
"""

from __future__ import annotations

from maieutic.errors import InputError
from maieutic.lm.base import LanguageModel
from maieutic.lm.gguf import GgufLM, is_gguf
from maieutic.lm.server.address import is_server

__all__ = ["LanguageModel", "is_served", "load_lm"]


def is_served(name: str) -> bool:
    """Whether a model's name is that of one outside of this process, which has no device or dtype here."""
    return is_server(name) or is_gguf(name)


def load_lm(
    name: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    download: bool = False,
    probabilities: bool = True,
) -> LanguageModel:
    """Load a language model by name.

    Args:
        name: a folder, a Hugging Face hub id, "agora" for the bundled model, a GGUF file, or the address
            of a model on an OpenAI-compatible server, ``http://host:port/v1#model``, or of several servers of
            one model, ``http://a:8000/v1,http://b:8000/v1#model``.
        device: "auto", "cpu", "cuda" or "cuda:N"; must be "auto" for a GGUF file or a server.
        dtype: "auto" (:func:`maieutic.checkpoints.devices.resolve_dtype`), "float32", "bfloat16" or
            "float16"; must be "auto" for a GGUF file or a server.
        download: whether to download a hub model that is not in the local cache.
        probabilities: whether to refuse a server that gives no probabilities of tokens.

    Raises:
        ModelError: the model is missing, damaged or not a causal language model, or its server cannot be
            reached or lacks a feature.
        InputError: the device or dtype is unavailable or was given for a GGUF file or a server, a server's
            address is invalid, or an extra is not installed.
        ServerError: the server fails.
    """
    if is_served(name):
        for option, value in (("device", device), ("dtype", dtype)):
            if value != "auto":
                raise InputError(
                    f"{option} {value} applies to models in this process; omit it for GGUF files and servers",
                    subject=option,
                )
        if is_gguf(name):
            return GgufLM.load(name, probabilities=probabilities)
        from maieutic.lm.server.model import ServerLM  # noqa: PLC0415 - an extra dependency

        return ServerLM.load(name, probabilities=probabilities)
    from maieutic.lm.local.model import TransformersLM  # noqa: PLC0415 - loads torch

    return TransformersLM.load(name, device=device, dtype=dtype, download=download)
