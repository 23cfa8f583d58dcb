"""``maieutic cache``: the models' replies that are kept on disk."""

from __future__ import annotations

import typer

from maieutic.cli.options import JsonOption

__all__ = ["cache"]

cache = typer.Typer(no_args_is_help=True)


@cache.callback()
def _cache() -> None:
    """Show or clear the cache of the models' replies.

    bench run fills it, and ask with --cache. MAIEUTIC_CACHE_DIR sets its folder.
    """


@cache.command()
def info(json: JsonOption = False) -> None:
    """Show where the cache is, how large it is, and which models it covers.

    maieutic cache info
    """
    from rich.table import Table
    from rich.text import Text

    from maieutic.cli.console import response_cache, table_console
    from maieutic.files.json_text import dump_json
    from maieutic.render.text import printable

    contents = response_cache().contents()
    if json:
        typer.echo(dump_json(contents))
        return
    console = table_console()
    entries = _count(contents.entries)
    console.print(
        Text(printable(f"{contents.path}: {entries}, {_size(contents.bytes)}")), end="", soft_wrap=True
    )
    console.print(f" of at most {_size(contents.limit)}", soft_wrap=True)
    for path in contents.set_aside:
        console.print(Text(printable(f"damaged and set aside: {path}")), soft_wrap=True)
    if not contents.models:
        return
    table = Table("model", "", "entries", "size", box=None, pad_edge=False)
    table.columns[2].justify = table.columns[3].justify = "right"
    for share in contents.models:
        table.add_row(Text(printable(share.model)), share.id, f"{share.entries:,}", _size(share.bytes))
    console.print(table)


@cache.command()
def clear() -> None:
    """Delete all replies. Downloaded data sets and models stay.

    maieutic cache clear
    """
    from maieutic.cli.console import response_cache
    from maieutic.render.text import printable

    removed = response_cache().clear()
    if not removed.on_disk:
        typer.echo(printable(f"{removed.path} is already empty"))
        return
    aside = f" and {len(removed.set_aside)} damaged" if removed.set_aside else ""
    typer.echo(
        printable(f"removed {_count(removed.entries)}{aside}, {_size(removed.on_disk)}: {removed.path}")
    )


def _count(entries: int) -> str:
    """
    >>> _count(2500)
    '2,500 entries'
    """
    return "1 entry" if entries == 1 else f"{entries:,} entries"


def _size(size: int) -> str:
    """
    >>> _size(1_340_000)
    '1.3 MB'
    """
    for unit, base in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= base:
            return f"{size / base:.1f} {unit}"
    return f"{size} bytes"
