"""``maieutic show``: an answer saved as JSON, shown again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.options import FlipOption, JsonOption
from maieutic.cli.outputs import DotOption, GraphmlOption, HtmlOption, MermaidOption, Outputs, WcnfOption

__all__ = ["show"]


def show(
    file: Annotated[Path, typer.Argument(help="Answers as `ask --json` prints them; .gz too.")],
    line: Annotated[
        int | None, typer.Option("--line", help="Only the answer on this line.", min=1, show_default=False)
    ] = None,
    flip: FlipOption = False,
    json: JsonOption = False,
    html: HtmlOption = None,
    dot: DotOption = None,
    mermaid: MermaidOption = None,
    graphml: GraphmlOption = None,
    wcnf: WcnfOption = None,
) -> None:
    """Show answers that were saved with --json, or write them as a page, a graph or a MaxSAT problem.

    maieutic show answers.jsonl --line 3 --html answer.html
    """
    from maieutic.answer import Answer
    from maieutic.cli.console import print_answers, with_flips
    from maieutic.errors import FileFormatError
    from maieutic.files.json_lines import read_records

    outputs = Outputs(html, dot, mermaid, graphml, wcnf)
    read = read_records(file, Answer.from_json)
    found: Iterator[Answer] = (a for number, a in read if line in (None, number))
    if flip:
        found = with_flips(found)
    first = list(islice(found, 2 if outputs.takes_one else 1))
    if not first:
        wanted = "no answer" if line is None else f"no answer on line {line}"
        raise FileFormatError(file, None, f"holds {wanted}; give the output of `maieutic ask --json`")
    outputs.check("pick one with --line", several=len(first) > 1)
    with outputs:
        print_answers(outputs.collect(chain(first, found)), json=json)
