"""``maieutic memory``: the facts and findings that ``ask``, ``choose`` and ``check`` share in a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.check import CONFLICT, NO_LM
from maieutic.cli.memory_text import change_lines, choice_line, fact_line, why_lines
from maieutic.cli.options import DeviceOption, DownloadOption, DtypeOption, JsonOption
from maieutic.cli.outputs import ForceOption, try_output, write_output

if TYPE_CHECKING:
    from maieutic.memory.base import Memory
    from maieutic.memory.notes import Change

__all__ = ["memory"]

memory = typer.Typer(no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="The memory.", metavar="FILE", show_default=False)]
TextArgument = Annotated[str, typer.Argument(help="A statement.", metavar="STATEMENT", show_default=False)]


@memory.callback()
def _memory() -> None:
    """Look into a memory of ask, choose and check (--memory FILE), and tell it facts."""


@memory.command()
def facts(file: FileArgument, json: JsonOption = False) -> None:
    """List the facts, with their source and time, and the choices, of whose options exactly one is true.

    maieutic memory facts notes.memory
    """
    opened = _opened(file)
    _shown(opened.facts(), fact_line, json=json)
    for choice in opened.choices():
        _shown([choice], choice_line, json=json)


@memory.command("assert")
def assert_(
    file: FileArgument,
    statements: Annotated[
        list[str], typer.Argument(help="Statements.", metavar="STATEMENT...", show_default=False)
    ],
    false: Annotated[bool, typer.Option("--false", help="The statements are false.")] = False,
    source: Annotated[str, typer.Option("--source", help="Where they come from.")] = "user",
    nli: Annotated[
        str,
        typer.Option("--nli", help="Verifier, as for ask, that relates them to the memory; none for none."),
    ] = AGORA,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    json: JsonOption = False,
) -> None:
    """Take statements for certain, and see what they change.

    maieutic memory assert notes.memory "A penguin cannot fly."
    """
    from maieutic.files.json_text import dump_json
    from maieutic.models import open_verifier

    opened = _opened(file, new=True)
    options: dict[str, Any] = {"device": device, "dtype": dtype, "download": download}
    verifier = None if nli == NO_LM else open_verifier(nli, **options)
    for statement in statements:
        found = opened.assert_fact(statement, holds=not false, source=source, verifier=verifier)
        if json:
            typer.echo(dump_json(found))
            continue
        typer.echo(fact_line(found.fact))
        if found.compared is None:
            typer.echo("  compared with nothing, since there is no verifier (--nli none)")
        _changed(found.changed)


@memory.command()
def retract(file: FileArgument, statement: TextArgument, json: JsonOption = False) -> None:
    """Take a fact for certain no longer, or a choice, by its question; what was found of it stays.

    maieutic memory retract notes.memory "A penguin cannot fly."
    """
    from maieutic.files.json_text import dump_json

    changed = _opened(file).retract(statement)
    if json:
        for change in changed:
            typer.echo(dump_json(change))
        return
    typer.echo("retracted")
    _changed(changed)


@memory.command()
def why(file: FileArgument, statement: TextArgument, json: JsonOption = False) -> None:
    """Show what the memory holds of a statement, and what speaks for and against it.

    maieutic memory why notes.memory "A penguin can fly."
    """
    from maieutic.files.json_text import dump_json

    found = _opened(file).why(statement)
    if json:
        typer.echo(dump_json(found))
        return
    for line in why_lines(found):
        typer.echo(line)


@memory.command()
def conflicts(file: FileArgument, json: JsonOption = False) -> None:
    """List facts and answers that cannot all hold, the smallest sets first; exit code 3 if there are any.

    maieutic memory conflicts notes.memory
    """
    from maieutic.cli.console import complain
    from maieutic.files.json_text import dump_json
    from maieutic.render.text import printable

    found = _opened(file).conflicts()
    for number, each in enumerate(found.sets, 1):
        if json:
            typer.echo(dump_json(list(each)))
        else:
            typer.echo("\n".join([f"Conflict {number}", *(f"  {printable(text)}" for text in each)]))
    if found.ignored:
        complain(f"{found.ignored:,} relations contradict surer ones and were left out of the conflicts")
    if found.sets:
        raise typer.Exit(CONFLICT)
    if not json:
        typer.echo("no conflicts")


@memory.command()
def settle(file: FileArgument, json: JsonOption = False) -> None:
    """Label everything anew, to the least cost of all labels together. No model is asked.

    maieutic memory settle notes.memory
    """
    from maieutic.files.json_text import dump_json

    start = time.perf_counter()
    found = _opened(file).settle()
    if json:
        typer.echo(dump_json(found))
        return
    proof = "proven optimal" if found.optimal else "not proven optimal"
    typer.echo(
        f"{found.propositions:,} propositions, {found.clauses:,} clauses, {found.persistent:,} fixed by "
        f"weights alone; cost {found.cost:.4f} nats, {proof}; {time.perf_counter() - start:.1f} s"
    )
    if found.meanwhile:
        typer.echo("not entered: another process wrote meanwhile; settle again")
    _changed(found.changed)


@memory.command()
def export(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", help="The JSON lines file to write.", metavar="LINES")],
    force: ForceOption = False,
) -> None:
    """Write propositions, beliefs, facts, relations and choices as JSON lines.

    maieutic memory export notes.memory --out notes.jsonl
    """
    from maieutic.memory.lines import line_json

    try_output("--out", out, force=force, reads=[file])
    lines = [line_json(line) for line in _opened(file).export()]
    write_output(out, "".join(f"{line}\n" for line in lines).encode(), force=force)
    typer.echo(f"wrote {len(lines):,} lines; P(true) and changes are not among them")


@memory.command("import")
def import_(
    file: FileArgument,
    lines: Annotated[Path, typer.Argument(help="JSON lines of export.", metavar="LINES", show_default=False)],
) -> None:
    """Add the lines of an export, all or none; what is there stays.

    maieutic memory import notes.memory notes.jsonl
    """
    from maieutic.files.json_lines import read_records
    from maieutic.memory.lines import parse_line

    read = [line for _, line in read_records(lines, parse_line)]
    opened = _opened(file, new=True)
    typer.echo(f"{opened.import_lines(read):,} of {len(read):,} lines are new")


@memory.command()
def info(file: FileArgument, json: JsonOption = False) -> None:
    """Show how much a memory holds, and which models it comes from.

    maieutic memory info notes.memory
    """
    from maieutic.files.json_text import dump_json
    from maieutic.render.text import printable

    found = _opened(file).contents()
    if json:
        typer.echo(dump_json(found))
        return
    typer.echo(
        f"{found.propositions:,} propositions, {found.answers:,} of them answers and {found.facts:,} facts; "
        f"{found.relations:,} relations, {found.choices:,} choices"
    )
    for role, name, count in found.models:
        what = "beliefs of" if role == "lm" else "relations by"
        typer.echo(f"{count:,} {what} {printable(name)}")


def _opened(file: Path, *, new: bool = False) -> Memory:
    from maieutic.cli.console import open_memory

    opened = open_memory(file, new=new)
    assert opened is not None
    return opened


def _shown(found: Sequence[Any], line: Any, *, json: bool) -> None:
    from maieutic.files.json_text import dump_json

    for one in found:
        typer.echo(dump_json(one) if json else line(one))
    if not found and not json:
        typer.echo("no facts")


def _changed(changes: Sequence[Change]) -> None:
    for line in change_lines(changes):
        typer.echo(f"  {line}")
