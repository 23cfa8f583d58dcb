"""Opens the models of a command; mistakes in names are reported before they load, which takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.bundled import AGORA
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.pipeline import Maieutic

__all__ = ["introduce", "opened", "verifier_of"]

BUNDLED_NOTICE = (
    "Asking agora, the small bundled model, which knows some 1,200 everyday things. For a real one: "
    "--lm Qwen/Qwen3-1.7B --nli cross-encoder/nli-deberta-v3-small --download (see maieutic models)"
)


def opened(
    lm: str,
    nli: str | None,
    *,
    beliefs: str,
    cache: bool,
    memory: Path | None = None,
    notice: bool = True,
    **options: Any,
) -> Maieutic:
    """A :class:`Maieutic` of what a command was given.

    Args:
        beliefs: as ``--beliefs`` spells it; ``cache``: whether to use the response cache.
        notice: whether to name the bundled model's limits on stderr.
        options: further ones of :meth:`Maieutic.load`.
    """
    from maieutic.cli.console import open_memory, response_cache
    from maieutic.lm.beliefs import parse_belief_source
    from maieutic.pipeline import Maieutic

    source, verifier = parse_belief_source(beliefs), verifier_of(lm, nli)
    if notice:
        introduce(lm)
    opened_memory, store = open_memory(memory), response_cache() if cache else None
    return Maieutic.load(lm, verifier, beliefs=source, memory=opened_memory, cache=store, **options)


def verifier_of(lm: str, nli: str | None) -> str:
    """The name of the verifier; the names of both models are checked."""
    from maieutic.lm.server.address import is_server, server_addresses

    if is_server(lm):
        server_addresses(lm)  # before a message shows the address, since it may contain a secret
    if nli is None and lm != AGORA:
        raise InputError(
            f"--lm {lm} needs a verifier: give --nli an NLI model, or --nli lm to ask the model itself",
            subject="--nli",
        )
    return nli or AGORA


def introduce(lm: str) -> None:
    """Name the bundled model's limits on stderr, where it is the one that is asked."""
    from maieutic.cli.console import complain

    if lm == AGORA:
        complain(BUNDLED_NOTICE)
