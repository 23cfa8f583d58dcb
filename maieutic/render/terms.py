"""The glossary: the words of all outputs, for people; kept in ``terms.toml``."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from maieutic.errors import InputError

__all__ = ["glossary_table", "meaning", "terms"]


@cache
def terms() -> Mapping[str, str]:
    """Term → its meaning in one or two sentences of plain text, in the order of the glossary."""
    text = resources.files(__package__).joinpath("terms.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(text)["terms"])


def meaning(term: str) -> tuple[str, str]:
    """The term as the glossary spells it, and its meaning; case does not matter.

    Raises:
        InputError: the glossary lacks it; the message names similar terms.
    """
    spelled = {known.casefold(): known for known in terms()}
    wanted = " ".join(term.split()).casefold()
    if wanted not in spelled:
        close = difflib.get_close_matches(wanted, spelled, cutoff=0.5) or list(spelled)
        names = ", ".join(spelled[name] for name in close)
        raise InputError(f"the glossary has no {term!r}; it has {names}", subject="TERM")
    return spelled[wanted], terms()[spelled[wanted]]


def glossary_table() -> str:
    """The glossary as a Markdown table."""
    rows = [f"| {term} | {text} |" for term, text in terms().items()]
    return "\n".join(["| term | meaning |", "| --- | --- |", *rows]) + "\n"
