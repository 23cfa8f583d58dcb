"""The models that a run needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier
from maieutic.files.json_lines import read_trees
from maieutic.lm.base import LanguageModel, Prompt
from maieutic.lm.beliefs import BeliefReader, BeliefSource, parse_belief_source
from maieutic.lm.gguf import GgufLM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.lm.server.model import ServerLM
from maieutic.models import LoadedModels, load_models, open_lm, open_verifier
from maieutic.nli.base import Verifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.text import text_key
from maieutic.tree import Tree

__all__ = ["NO_TREE", "device_of", "models_of", "needed_models", "server_of", "with_trees"]

NO_TREE = "no tree was given for this text"


def with_trees(items: Sequence[Item], config: RunConfig) -> list[Item]:
    """The items with the trees that the method answers; without trees if it asks a language model.

    A tree of ``--trees`` belongs to the item with its question; case and closing punctuation do not matter.
    Of two trees for one question the first counts. An item without a tree cannot be judged.

    Raises:
        FileFormatError: the file of trees cannot be read, or a line is not a tree.
    """
    if not config.weighs_trees:
        return [replace(item, tree=None) for item in items]
    if not config.trees:
        return list(items)
    trees: dict[str, Tree] = {}
    for _, tree in read_trees(Path(config.trees)):
        trees.setdefault(text_key(tree.question), tree)
    pairs = [(item, trees.get(text_key(item.text))) for item in items]
    return [replace(item, tree=tree, problem="" if tree else NO_TREE) for item, tree in pairs]


def models_of(
    config: RunConfig, *, download: bool = False, cache: ResponseStore | None = None
) -> LoadedModels:
    """Load the models that the run needs; a placeholder that must not be called replaces any other.

    Args:
        cache: stores the models' replies; None asks the models every time.

    Raises:
        InputError: a model, the device or the prompt file cannot be used.
    """
    return needed_models(
        config.lm,
        config.nli,
        prompts=config.prompts,
        beliefs=parse_belief_source(config.beliefs),
        cache=cache,
        device=config.device,
        dtype=config.dtype,
        download=download,
    )


def needed_models(
    lm: str, nli: str, *, prompts: str = "auto", beliefs: BeliefSource | None = None, **options: Any
) -> LoadedModels:
    """Load models by name; a placeholder that must not be called replaces one that is not needed.

    Args:
        lm: "" where no language model is needed; ``nli``: "" where no verifier is.
        prompts, beliefs, options: as for :func:`maieutic.models.load_models`.

    Raises:
        InputError: a model, the device or the prompt file cannot be used.
    """
    if lm and nli:
        return load_models(lm, nli, prompts=prompts, beliefs=beliefs, **options)
    if lm:
        chosen = None if prompts == "auto" else load_prompts(prompts)
        model = open_lm(lm, beliefs=beliefs, **options)
        return LoadedModels(model, ScriptedVerifier(_unasked, name=""), chosen or load_prompts(model.prompts))
    verifier: Verifier = open_verifier(nli, **options) if nli else ScriptedVerifier(_unasked)
    return LoadedModels(ScriptedLanguageModel(_unasked, _unasked, name=""), verifier, load_prompts("paper"))


def _unasked(*_: str | int | Prompt) -> NoReturn:
    raise AssertionError("the method called a model that it does not use")


def device_of(models: LoadedModels) -> str:
    """Where the models are: "cpu", "cuda" or "cuda:N"."""
    for model in (models.lm, models.verifier):
        device = getattr(_unwrapped(model), "device", None)
        if device is not None:
            return str(device)
    return "cpu"


def _unwrapped(model: LanguageModel | Verifier) -> LanguageModel | Verifier:
    """The model without its belief reader and cache."""
    inner = model.lm if isinstance(model, BeliefReader) else model
    return inner.inner if isinstance(inner, CachedLanguageModel | CachedVerifier) else inner


def server_of(models: LoadedModels) -> dict[str, Any] | None:
    """Facts about a language model in a GGUF file or on a server; None for a model in this process."""
    lm = _unwrapped(models.lm)
    return lm.facts if isinstance(lm, GgufLM | ServerLM) else None
