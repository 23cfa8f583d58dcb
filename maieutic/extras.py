"""Modules of packages that an extra installs, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from maieutic.errors import InputError

__all__ = ["extra_library"]


def extra_library(name: str, extra: str) -> Any:
    """A module of an extra of this package.

    Raises:
        InputError: it is not installed; ``subject`` is the package.
    """
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        problem = f"{package} is not installed; pip install 'maieutic[{extra}]'"
        raise InputError(problem, subject=package) from None
