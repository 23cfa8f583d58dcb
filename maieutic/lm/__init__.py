"""Language models: the seam (:mod:`maieutic.lm.base`) and its backends, one per file."""

from __future__ import annotations

from maieutic.errors import InputError
from maieutic.lm.base import LanguageModel
from maieutic.lm.server.address import is_server

__all__ = ["LanguageModel", "is_server", "load_lm"]


def load_lm(name: str, *, device: str = "auto", dtype: str = "auto", download: bool = False) -> LanguageModel:
    """The language model of that name.

    Args:
        name: a folder, a Hugging Face hub id, "agora" for the bundled model, or the address of a model on an
            OpenAI-compatible server, ``http://host:port/v1#model``.
        device: "auto", "cpu", "cuda" or "cuda:N"; not for a server.
        dtype: "auto" (:func:`maieutic.checkpoints.devices.resolve_dtype`), "float32", "bfloat16" or
            "float16"; not for a server.
        download: fetch a hub id that is not in the local cache; otherwise nothing is downloaded.

    Raises:
        ModelError: the model is missing, broken or no causal language model, or its server cannot be reached
            or cannot be used.
        InputError: the device is not there or was given for a server, or a server's name is no address.
        ServerError: the server fails.
    """
    if is_server(name):
        from maieutic.lm.server.model import ServerLM  # noqa: PLC0415 - an extra dependency

        for option, value in (("device", device), ("dtype", dtype)):
            if value != "auto":
                raise InputError(f"{option} {value} is for models in this process; leave it out for a server")
        return ServerLM.load(name)
    from maieutic.lm.local.model import TransformersLM  # noqa: PLC0415 - loads torch

    return TransformersLM.load(name, device=device, dtype=dtype, download=download)
