"""``maieutic models``: the models for --lm and --nli."""

from __future__ import annotations

from maieutic.cli.options import JsonOption

__all__ = ["models"]

HEADINGS = {"gguf": "GGUF files"}


def models(json: JsonOption = False) -> None:
    """List the bundled models, those in the hub cache, GGUF files in the usual caches, and recommended ones.

    maieutic models
    """
    import typer
    from rich.table import Table
    from rich.text import Text

    from maieutic.checkpoints.catalog import bundled_models, cached_models, gguf_files, recommended_models
    from maieutic.cli.console import table_console
    from maieutic.files.json_text import dump_json
    from maieutic.render.text import printable

    entries = [*bundled_models(), *cached_models(), *gguf_files(), *recommended_models()]
    if json:
        for model in entries:
            typer.echo(dump_json(model))
        return
    table = Table("", "option", "size", "licence", "good for", box=None, pad_edge=False)
    table.columns[0].overflow, table.columns[2].justify = "fold", "right"
    source = ""
    for model in entries:
        if model.source != source:
            source = model.source
            table.add_row(Text(HEADINGS.get(source, source), "bold"))
        size = f"{model.size / 1e6:.0f} MB" if model.size < 1e9 else f"{model.size / 1e9:.1f} GB"
        table.add_row(Text(f"  {printable(model.name)}"), model.option, size, model.licence, model.good_for)
    console = table_console()
    console.print(table)
    if not any(model.source == "cached" for model in entries):
        console.print("no models in the hub cache yet; with --download, --lm and --nli download theirs")
    console.print("a server's model is given by its address: --lm http://host:port/v1#model", markup=False)
