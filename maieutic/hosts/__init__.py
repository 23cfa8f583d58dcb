"""Adapters for programs that others work in: one module for each, imported only when it is used.

Each needs the package of its host, which the extra of the same name installs.
"""

from __future__ import annotations

from maieutic.errors import InputError

__all__ = ["needs", "truth_of"]

_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def needs(extra: str, host: str) -> InputError:
    """The error for a host whose package is not installed.

    >>> print(needs("mcp", "an MCP server"))
    an MCP server needs maieutic[mcp]; pip install 'maieutic[mcp]'
    """
    name = f"maieutic[{extra}]"
    return InputError(f"{host} needs {name}; pip install '{name}'", subject=name)


def truth_of(word: str) -> bool | None:
    """The truth value that a word stands for; None for any but true, yes, false and no.

    >>> truth_of(" Yes."), truth_of("no"), truth_of("B")
    (True, False, None)
    """
    return _TRUTHS.get(word.strip().rstrip(".").casefold())
