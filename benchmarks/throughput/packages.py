"""Other people's packages that the engine is compared with, where they are installed."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from maieutic.benchmarks.throughput.clock import first_line

__all__ = ["LM_EVAL", "SENTENCE_TRANSFORMERS", "imported", "version_of"]

LM_EVAL, SENTENCE_TRANSFORMERS = "lm_eval", "sentence_transformers"
_REMEDY = "pip install 'maieutic[throughput]'"


def imported(package: str, module: str) -> tuple[Any, str]:
    """(a module of the package, ""), or (None, why there is none and what to do)."""
    try:
        return import_module(f"{package}.{module}"), ""
    except ModuleNotFoundError as error:
        own = error.name is None or error.name.startswith(package)
        return None, f"{package if own else error.name} is not installed: {_REMEDY}"
    except Exception as error:  # a package that does not fit the others raises anything
        return None, f"{package} cannot be loaded ({type(error).__name__}: {first_line(error)})"


def version_of(package: str) -> str:
    """The installed version; "" for none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
