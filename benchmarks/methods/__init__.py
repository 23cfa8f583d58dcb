"""The methods that are compared: names, settings, descriptions.

All of them use the same model and the same prompt set; none of them retrieves documents.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from maieutic.benchmarks.methods.base import Method, Outcome, Usage
from maieutic.benchmarks.methods.chain_of_thought import ChainOfThought
from maieutic.benchmarks.methods.concord import Concord
from maieutic.benchmarks.methods.direct import Direct
from maieutic.benchmarks.methods.generated_knowledge import GeneratedKnowledge
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.benchmarks.methods.p_true import PTrue
from maieutic.benchmarks.methods.self_check import SelfCheck
from maieutic.benchmarks.methods.self_consistency import SelfConsistency
from maieutic.benchmarks.methods.semantic_entropy import SemanticEntropy
from maieutic.benchmarks.methods.settings import build, documented, plain, text
from maieutic.errors import InputError

__all__ = ["METHODS", "Method", "Outcome", "Usage", "build_method", "describe", "settings_of"]

METHODS: Mapping[str, type[Any]] = {
    "direct": Direct,
    "chain-of-thought": ChainOfThought,
    "self-consistency": SelfConsistency,
    "generated-knowledge": GeneratedKnowledge,
    "p-true": PTrue,
    "semantic-entropy": SemanticEntropy,
    "self-check": SelfCheck,
    "concord": Concord,
    "maieutic": MaieuticMethod,
}


def build_method(name: str, settings: Mapping[str, object], seed: int) -> Method:
    """The method of that name, with its defaults where nothing else is set.

    Args:
        settings: by dotted name, as ``--set`` takes them ("3,1" for a tuple) or as :func:`settings_of` gives
            them.
        seed: of all sampling; methods that never sample ignore it.

    Raises:
        InputError: there is no such method or setting, or a value does not fit; ``subject`` names it.
    """
    method: Method = build(_method(name)(), settings, seed)
    return method


def settings_of(method: Method) -> dict[str, Any]:
    """The settings by dotted name, as plain values (tuples as lists); the seed is not among them."""
    return plain(method)


def describe(name: str) -> str:
    """A description of the method, then one line per setting: its name, default and meaning.

    Raises:
        InputError: there is no such method; ``subject`` is "method".
    """
    cls = _method(name)
    about = (inspect.getdoc(cls) or "").replace("``", "").partition("Attributes:\n")[0].strip()
    return "\n".join(
        [about, *(f"  {key}={text(default)}  {meaning}" for key, default, meaning in documented(cls()))]
    )


def _method(name: str) -> type[Any]:
    if name not in METHODS:
        problem = f"method must be one of {', '.join(METHODS)}, not {name!r}"
        raise InputError(problem, subject="method")
    return METHODS[name]
