"""Opens language models and verifiers by name, behind a cache and a reader of beliefs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier
from maieutic.lm import LanguageModel, is_served, load_lm
from maieutic.lm.beliefs import BeliefReader, BeliefSource
from maieutic.nli import Verifier, load_verifier
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.progress import Progress
from maieutic.prompts import PromptSet, load_prompts

__all__ = ["SAME_MODEL", "LoadedModels", "load_models", "open_lm", "open_verifier"]

SAME_MODEL = "lm"  # as the verifier's name: the language model itself


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The models behind :class:`maieutic.Maieutic`.

    Attributes:
        progress: receives each step of answering when it ends.
    """

    lm: LanguageModel
    verifier: Verifier
    prompts: PromptSet
    progress: Progress | None = None


def open_lm(
    name: str, *, cache: ResponseStore | None = None, beliefs: BeliefSource | None = None, **options: Any
) -> LanguageModel:
    """Load a language model, behind a cache and a reader of beliefs where these are given.

    Args:
        name, options: as for :func:`maieutic.lm.load_lm`.
        cache, beliefs: as for :func:`load_models`.

    Raises:
        InputError: the model or the device cannot be used.
        ServerError: the model's server fails.
    """
    model = load_lm(name, probabilities=beliefs is None, **options)
    model = model if cache is None else CachedLanguageModel(model, cache)
    return model if beliefs is None else BeliefReader(model, beliefs)


def open_verifier(name: str, *, cache: ResponseStore | None = None, **options: Any) -> Verifier:
    """Load a verifier, behind a cache where one is given.

    Args:
        name, options: as for :func:`maieutic.nli.load_verifier`.

    Raises:
        InputError: the model or the device cannot be used.
    """
    verifier = load_verifier(name, **options)
    return verifier if cache is None else CachedVerifier(verifier, cache)


def load_models(
    lm: str,
    nli: str,
    *,
    prompts: str = "auto",
    cache: ResponseStore | None = None,
    beliefs: BeliefSource | None = None,
    **options: Any,
) -> LoadedModels:
    """Load a language model, its prompt set and a verifier by name.

    Args:
        lm: as for :func:`maieutic.lm.load_lm`.
        nli: "agora", folder or hub id of an NLI model, or "lm" for the language model as its own verifier.
        prompts: "paper", "chat", the path of a TOML file, or "auto" for the set that suits the model.
        cache: keeps the models' replies; None asks the models every time.
        beliefs: where the language model's beliefs come from; None for its probabilities.
        options: device, dtype, download, as for :func:`maieutic.lm.load_lm`; with a language model in
            a GGUF file or on a server they are the verifier's.

    Raises:
        InputError: a model, the device or the prompt file cannot be used.
        ServerError: the language model's server fails.
    """
    chosen = None if prompts == "auto" else load_prompts(prompts)  # fails before the models take time
    of_lm = {} if is_served(lm) and nli != SAME_MODEL else options
    model = open_lm(lm, cache=cache, beliefs=beliefs, **of_lm)
    prompt_set = chosen or load_prompts(model.prompts)
    verifier: Verifier
    if nli == SAME_MODEL:
        verifier = LanguageModelVerifier(model, prompt_set)
    else:
        verifier = open_verifier(nli, cache=cache, **options)
    return LoadedModels(model, verifier, prompt_set)
