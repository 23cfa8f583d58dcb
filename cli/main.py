"""The ``maieutic`` command: registers the commands and maps errors to exit codes.

Exit codes: 0 success, 1 failure, 2 bad input, 3 conflict (``check``), 130 interrupted.
"""

from __future__ import annotations

import codecs
import gc
import io
import sys
from typing import Annotated, NoReturn

import typer

from maieutic.checkpoints.process import prepare_process
from maieutic.cli.ask import ask
from maieutic.cli.bench import bench
from maieutic.cli.cache import cache
from maieutic.cli.calibrate import calibrate
from maieutic.cli.check import check
from maieutic.cli.choose import choose
from maieutic.cli.distill import distill
from maieutic.cli.explain_terms import explain_terms
from maieutic.cli.mcp import mcp
from maieutic.cli.memory import memory
from maieutic.cli.models import models
from maieutic.cli.show import show
from maieutic.cli.solve import solve
from maieutic.errors import MaieuticError
from maieutic.version import __version__

__all__ = ["app", "main", "program"]

NAME = "maieutic"

app = typer.Typer(
    name=NAME,
    help="Logical reasoning over any language model: trees of explanations, labelled by MaxSAT.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (ask, choose, check, show, explain_terms, calibrate, solve, models, mcp):
    app.command()(command)
app.add_typer(bench, name="bench")
app.add_typer(cache, name="cache")
app.add_typer(memory, name="memory")
app.add_typer(distill, name="distill")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def program() -> None:
    """Entry point of the installed command: :func:`main` in a process that it may set up.

    Model libraries print nothing and keep to the usable cores. Characters that the encoding of standard
    output lacks are escaped. Little garbage is collected: the libraries
    make half a million objects that live as long as the process, and scanning them while they load and at
    the end takes a third of a short run.
    """
    prepare_process()
    codecs.register_error("maieutic.escape", _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="maieutic.escape")
    gc.set_threshold(100_000, 50, 50)
    try:
        main()
    finally:
        gc.freeze()


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""The characters that cannot be encoded, as UTF-16 code units: → is \u2192, also valid in JSON."""
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(
        rf"\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)
    ), error.end


def main() -> None:
    """Run the command line and end the process."""
    try:
        app(prog_name=NAME)  # else completion does not work under python -m
    except MaieuticError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:  # a full disk behind standard output, say
        _fail(str(error), 1)


def _fail(message: str, exit_code: int) -> NoReturn:
    from maieutic.cli.console import complain

    complain(f"error: {message}")
    sys.exit(exit_code)


if __name__ == "__main__":
    program()
