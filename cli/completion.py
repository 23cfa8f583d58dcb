"""What the shell offers for the values of options; every list is made without loading models or libraries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

__all__ = [
    "DATASETS",
    "DTYPES",
    "GROWTHS",
    "INFERENCES",
    "METHODS",
    "PROMPTS",
    "SOLVERS",
    "lm_names",
    "nli_names",
    "one_of",
]

Complete = Callable[[str], list[str]]

# Registries hold what these name, but load numpy and more; tests compare the two.
DATASETS = ("agora", "csqa2", "creak", "com2sense", "strategyqa", "trees", "file")
DTYPES = ("auto", "float32", "bfloat16", "float16")
GROWTHS = ("anytime", "reference")
INFERENCES = ("joint", "vote", "argue")
METHODS = (
    "direct",
    "chain-of-thought",
    "self-consistency",
    "generated-knowledge",
    "p-true",
    "semantic-entropy",
    "self-check",
    "concord",
    "maieutic",
)
PROMPTS = ("auto", "agora", "chat", "paper")
SOLVERS = ("rc2", "rc2-stratified", "exhaustive")


def one_of(names: Sequence[str]) -> Complete:
    """Offers those of the names that begin with what was typed."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def lm_names(incomplete: str) -> list[str]:
    """The language models: the bundled one, those in the hub cache, GGUF files in the usual caches."""
    from maieutic.checkpoints.catalog import gguf_files

    return one_of([*_models("--lm"), *(file.name for file in gguf_files())])(incomplete)


def nli_names(incomplete: str) -> list[str]:
    """The verifiers: the bundled one, the language model itself, those in the hub cache."""
    return one_of([*_models("--nli"), "lm"])(incomplete)


def _models(option: Literal["--lm", "--nli"]) -> list[str]:
    from maieutic.bundled import AGORA
    from maieutic.checkpoints.catalog import cached_names

    return [AGORA, *cached_names(option)]
