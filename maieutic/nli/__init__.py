"""Verifiers: the protocol (:mod:`maieutic.nli.base`) and its implementations, one per file."""

from __future__ import annotations

from maieutic.errors import InputError
from maieutic.lm import is_served
from maieutic.nli.base import Verifier

__all__ = ["Verifier", "load_verifier"]


def load_verifier(
    name: str, *, device: str = "auto", dtype: str = "auto", download: bool = False
) -> Verifier:
    """Load a verifier by name: a folder or hub id of an NLI classifier, or "agora" for the bundled one.

    For a language model as its own verifier, see :class:`maieutic.nli.lm.LanguageModelVerifier`.

    Args:
        device, dtype, download: as for :func:`maieutic.lm.load_lm`.

    Raises:
        ModelError: the model is missing, damaged or not a classifier, or its labels are not those of NLI.
        InputError: the device or dtype is unavailable, or the name is that of a GGUF file or the address of
            a server.
    """
    if is_served(name):
        raise InputError(
            "a verifier cannot be a GGUF file or on a server; give a model folder, a hub id, or lm",
            subject="name",
        )
    from maieutic.nli.local import TransformersVerifier  # noqa: PLC0415 - loads torch

    return TransformersVerifier.load(name, device=device, dtype=dtype, download=download)
