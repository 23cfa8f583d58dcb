"""``maieutic explain-terms``: the words of the outputs, explained."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["explain_terms"]


def explain_terms(
    term: Annotated[
        str | None, typer.Argument(help="Only this one.", metavar="TERM", show_default=False)
    ] = None,
) -> None:
    """Explain the words that answers and reports use.

    maieutic explain-terms "after reasoning"
    """
    from rich.console import Console
    from rich.text import Text

    from maieutic.render.terms import meaning, terms

    console = Console()
    for name, text in terms().items() if term is None else (meaning(term),):
        console.print(Text.assemble((name, "bold"), f": {text}"), highlight=False)
