"""The versions on which answers depend, and whether those of a worker are those of the driver."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata

from maieutic.errors import InputError
from maieutic.version import __version__

__all__ = ["check_versions", "versions"]

PACKAGES = ("numpy", "python-sat", "ray", "tokenizers", "torch", "transformers")


def versions() -> dict[str, str]:
    """The versions of this process; "none" for a package that is missing."""
    found = {"maieutic": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "none"
    return found


def check_versions(driver: Mapping[str, str], worker: Mapping[str, str], node: str) -> None:
    """Refuse a worker whose versions differ from the driver's.

    Args:
        node: the worker's machine.

    Raises:
        InputError: they differ; ``subject`` is the first package that does.
    """
    differing = [name for name in driver if driver[name] != worker.get(name, "none")]
    if differing:
        listed = ", ".join(f"{name} {driver[name]} and {worker.get(name, 'none')}" for name in differing)
        problem = f"the driver and a worker on {node} have different versions ({listed})"
        raise InputError(f"{problem}; install the same on all machines", subject=differing[0])
