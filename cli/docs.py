"""What the docs take from the program: the command reference from the commands' own help, and the glossary.

Launch:   python -m maieutic.cli.docs docs/cli.md README.md            write them
          python -m maieutic.cli.docs --check docs/cli.md README.md    fail if one is stale

``docs/cli.md`` is the reference. In ``README.md`` only the table between the two comments is replaced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from maieutic.cli.main import app
from maieutic.render.terms import glossary_table

__all__ = ["reference", "with_glossary"]

GLOSSARY, GLOSSARY_END = "<!-- glossary: made by maieutic.cli.docs -->\n", "<!-- end of glossary -->"


def reference() -> str:
    """The command reference as Markdown."""
    command = get_command(app)
    context = typer.Context(command, info_name="maieutic", help_option_names=["-h", "--help"])
    return get_docs_for_click(obj=command, ctx=context, name="maieutic").strip() + "\n"


def with_glossary(text: str) -> str:
    """The text with today's glossary between its two comments."""
    before, start, rest = text.partition(GLOSSARY)
    _, end, after = rest.partition(GLOSSARY_END)
    return f"{before}{start}\n{glossary_table()}\n{end}{after}"


def write(
    files: Annotated[list[Path], typer.Argument(help="docs/cli.md, README.md or both.")],
    check: Annotated[bool, typer.Option("--check", help="Only fail if a file is stale.")] = False,
) -> None:
    """Write the command reference and the glossary, or check that they are up to date."""
    for file in files:
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        after = with_glossary(before) if GLOSSARY in before else reference()
        if not check:
            file.write_text(after, encoding="utf-8")
        elif before != after:
            typer.echo(f"{file} is stale: run python -m maieutic.cli.docs {file}", err=True)
            raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(write)
