"""``maieutic show``: show answers that were saved as JSON."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.cli.options import (
    FlipOption,
    JsonOption,
    VerboseOption,
)
from maieutic.cli.outputs import (
    DotOption,
    ForceOption,
    GraphmlOption,
    HtmlOption,
    MermaidOption,
    Outputs,
    WcnfOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maieutic.answer import Answer

__all__ = ["show"]


def show(
    file: Annotated[Path, typer.Argument(help="Answers from `maieutic ask --json`; may end in .gz.")],
    line: Annotated[
        int | None, typer.Option("--line", help="Only the answer on this line.", min=1, show_default=False)
    ] = None,
    flip: FlipOption = False,
    verbose: VerboseOption = False,
    json: JsonOption = False,
    html: HtmlOption = None,
    dot: DotOption = None,
    mermaid: MermaidOption = None,
    graphml: GraphmlOption = None,
    wcnf: WcnfOption = None,
    force: ForceOption = False,
) -> None:
    """Show answers saved with --json, or write them as a page, a graph or a MaxSAT problem.

    maieutic show answers.jsonl --line 3 --html answer.html
    """
    from maieutic.answer import Answer
    from maieutic.cli.console import print_answers, with_flips
    from maieutic.errors import FileFormatError
    from maieutic.files.json_lines import read_records

    outputs = Outputs(html, dot, mermaid, graphml, wcnf, force)
    records = read_records(file, Answer.from_json)
    answers: Iterator[Answer] = (answer for number, answer in records if line in (None, number))
    if flip:
        answers = with_flips(answers)
    first = list(islice(answers, 2 if outputs.takes_one else 1))
    if not first:
        where = "" if line is None else f" on line {line}"
        raise FileFormatError(file, None, f"no answer{where}; give the output of `maieutic ask --json`")
    outputs.check("pick one with --line", several=len(first) > 1, reads=file)
    with outputs:
        print_answers(outputs.collect(chain(first, answers)), json=json, verbose=verbose)
