"""``maieutic show``: an answer saved as JSON, shown again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.options import JsonOption

__all__ = ["show"]


def show(
    file: Annotated[Path, typer.Argument(help="Answers as `ask --json` prints them; .gz too.")],
    line: Annotated[
        int | None, typer.Option("--line", help="Only the answer on this line.", min=1, show_default=False)
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show answers that were saved with --json."""
    from maieutic.answer import Answer
    from maieutic.cli.console import print_answers
    from maieutic.errors import FileFormatError
    from maieutic.treefile import read_records

    found = (a for number, a in read_records(file, Answer.from_json) if line in (None, number))
    first = next(found, None)
    if first is None:
        wanted = "no answer" if line is None else f"no answer on line {line}"
        raise FileFormatError(file, None, f"holds {wanted}; give the output of `maieutic ask --json`")
    print_answers((a for group in ([first], found) for a in group), json=json)
