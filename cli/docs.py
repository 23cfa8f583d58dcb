"""The command reference, ``docs/cli.md``, made from the commands' own help.

Launch:   python -m maieutic.cli.docs docs/cli.md            write it
          python -m maieutic.cli.docs --check docs/cli.md    fail if it is stale
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from maieutic.cli.main import app

__all__ = ["reference"]


def reference() -> str:
    """The command reference as Markdown."""
    command = get_command(app)
    context = typer.Context(command, info_name="maieutic", help_option_names=["-h", "--help"])
    return get_docs_for_click(obj=command, ctx=context, name="maieutic").strip() + "\n"


def write(
    file: Annotated[Path, typer.Argument(help="The Markdown file.")],
    check: Annotated[bool, typer.Option("--check", help="Only fail if the file is stale.")] = False,
) -> None:
    """Write the command reference, or check that it is up to date."""
    if not check:
        file.write_text(reference(), encoding="utf-8")
    elif not file.is_file() or file.read_text(encoding="utf-8") != reference():
        typer.echo(f"{file} is stale: run python -m maieutic.cli.docs {file}", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(write)
