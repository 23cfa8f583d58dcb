"""Opens language models and verifiers by name, behind a cache and a reader of beliefs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maieutic.bundled import AGORA, bundled_weights
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier
from maieutic.config import ElicitConfig
from maieutic.elicit.probing import estimate_priors
from maieutic.inference import Inference, Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, read_weights
from maieutic.lm import LanguageModel, is_served, load_lm
from maieutic.lm.beliefs import BeliefReader, BeliefSource
from maieutic.nli import Verifier, load_verifier
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.mean import MeanVerifier
from maieutic.priors import Priors
from maieutic.progress import Progress
from maieutic.prompts import PromptSet, load_prompts

__all__ = [
    "SAME_MODEL",
    "LoadedModels",
    "asks_lm",
    "load_models",
    "open_lm",
    "open_verifier",
    "verifier_parts",
    "with_bundled_weights",
]

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
    _priors: dict[ElicitConfig, Priors] = field(default_factory=dict, repr=False, compare=False)

    def suited(self, inference: Inference, elicit: ElicitConfig) -> Inference:
        """The inference with the weights that suit the models, where it is joint and leaves them open.

        For the two bundled models these are their own; for others the package's, with the priors of the
        language model if ``elicit`` asks for them.

        Raises:
            ContextLengthError: a prompt does not fit the model's window.
        """
        inference = with_bundled_weights(inference, self.lm, self.verifier)
        if not isinstance(inference, Joint) or inference.weights is not None:
            return inference
        weights = DEFAULT_WEIGHTS.with_priors(self.priors(elicit)) if elicit.priors else DEFAULT_WEIGHTS
        return replace(inference, weights=weights)

    def priors(self, elicit: ElicitConfig) -> Priors:
        """The language model's priors, from the response cache where they have been estimated before.

        Raises:
            ContextLengthError: a prompt does not fit the model's window.
        """
        if elicit not in self._priors:
            self._priors[elicit] = estimate_priors(_kept(self.lm), self.prompts, elicit, self.progress)
        return self._priors[elicit]


def with_bundled_weights(inference: Inference, lm: LanguageModel, verifier: Verifier) -> Inference:
    """The inference; where it is joint and leaves its weights open, with those of the two bundled models."""
    if isinstance(inference, Joint) and inference.weights is None and lm.name == verifier.name == AGORA:
        return replace(inference, weights=read_weights(bundled_weights()))
    return inference


def _kept(model: LanguageModel) -> LanguageModel:
    """The model behind the response cache, if it is one whose replies can be kept."""
    if isinstance(model, CachedLanguageModel) or not getattr(model, "fingerprint", ""):
        return model
    return CachedLanguageModel(model, ResponseStore())


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


def open_verifier(
    name: str, *, own: Verifier | None = None, cache: ResponseStore | None = None, **options: Any
) -> Verifier:
    """Load a verifier, behind a cache where one is given.

    Args:
        name: as for :func:`load_models`.
        own: the language model as a verifier, which "lm" in the name stands for.
        options: as for :func:`maieutic.nli.load_verifier`.

    Raises:
        InputError: a model or the device cannot be used.
    """
    parts: list[Verifier] = []
    for part in verifier_parts(name):
        if part == SAME_MODEL and own is not None:
            parts.append(own)
            continue
        verifier = load_verifier(part, **options)
        parts.append(verifier if cache is None else CachedVerifier(verifier, cache))
    return parts[0] if len(parts) == 1 else MeanVerifier(tuple(parts))


def verifier_parts(nli: str) -> list[str]:
    """The verifiers that a name stands for: several with "+" between them, unless a folder has that name.

    >>> verifier_parts("cross-encoder/nli-deberta-v3-small+lm")
    ['cross-encoder/nli-deberta-v3-small', 'lm']
    """
    parts = [nli] if Path(nli).exists() else nli.split("+")
    return [part for part in parts if part] or [nli]


def asks_lm(nli: str) -> bool:
    """Whether a verifier's name stands for the language model itself, alone or among others."""
    return SAME_MODEL in verifier_parts(nli)


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
        nli: "agora", folder or hub id of an NLI model, or "lm" for the language model as its own verifier;
            several with "+" between them for the mean of their probabilities.
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
    own = LanguageModelVerifier(model, prompt_set)
    return LoadedModels(model, open_verifier(nli, own=own, cache=cache, **options), prompt_set)
