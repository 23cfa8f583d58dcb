"""The models that a run over questions with options needs."""

from __future__ import annotations

from typing import Any, NoReturn

from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels, load_models, open_lm, open_verifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts

__all__ = ["choice_models"]


def choice_models(lm: str, nli: str, **options: Any) -> LoadedModels:
    """Open models by name.

    Args:
        lm: "" for a run on grown trees; ``nli``: "" for a method without a verifier.
        options: cache, device, dtype, download, as for :func:`maieutic.models.load_models`.

    Raises:
        InputError: a model or the device cannot be used.
    """
    if lm and nli:
        return load_models(lm, nli, **options)
    if lm:
        model = open_lm(lm, **options)
        return LoadedModels(model, ScriptedVerifier(_unasked, name=""), load_prompts(model.prompts))
    verifier = open_verifier(nli, **options) if nli else ScriptedVerifier(_unasked, name="")
    return LoadedModels(ScriptedLanguageModel(_unasked, _unasked, name=""), verifier, load_prompts("paper"))


def _unasked(*_: str | int | Prompt) -> NoReturn:
    raise AssertionError("the method called a model that it does not use")
