"""Verifiers: the seam (:mod:`maieutic.nli.base`) and its backends, one per file."""

from __future__ import annotations

from maieutic.errors import InputError
from maieutic.lm.server.address import is_server
from maieutic.nli.base import Verifier

__all__ = ["Verifier", "load_verifier"]


def load_verifier(
    name: str, *, device: str = "auto", dtype: str = "auto", download: bool = False
) -> Verifier:
    """The verifier of that name: folder or hub id of an NLI classifier, or "agora", the bundled one.

    For the language model as its own verifier see :class:`maieutic.nli.lm.LanguageModelVerifier`.

    Args:
        device, dtype, download: as for :func:`maieutic.lm.load_lm`.

    Raises:
        ModelError: the model is missing, broken, no classifier, or its labels are not understood.
        InputError: the device is not there, or the name is a server's.
    """
    if is_server(name):
        raise InputError("a verifier cannot be on a server; give a model folder or a hub id, or lm")
    from maieutic.nli.local import TransformersVerifier  # noqa: PLC0415 - loads torch

    return TransformersVerifier.load(name, device=device, dtype=dtype, download=download)
