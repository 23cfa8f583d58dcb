"""``maieutic models``: what can be given to --lm and --nli."""

from __future__ import annotations

from maieutic.cli.options import JsonOption

__all__ = ["models"]


def models(json: JsonOption = False) -> None:
    """List the models of the package, those in the hub cache, and some that are recommended.

    maieutic models
    """
    import typer
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from maieutic.checkpoints.catalog import bundled_models, cached_models, recommended_models
    from maieutic.files.json_text import dump_json
    from maieutic.render.text import printable

    found = [*bundled_models(), *cached_models(), *recommended_models()]
    if json:
        for model in found:
            typer.echo(dump_json(model))
        return
    table = Table("", "option", "size", "licence", "good for", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    source = ""
    for model in found:
        if model.source != source:
            source = model.source
            table.add_row(Text(source, "bold"))
        size = f"{model.size / 1e6:.0f} MB" if model.size < 1e9 else f"{model.size / 1e9:.1f} GB"
        table.add_row(Text(f"  {printable(model.name)}"), model.option, size, model.licence, model.good_for)
    console = Console(highlight=False)
    console.print(table)
    if not any(model.source == "cached" for model in found):
        console.print("no models in the hub cache yet; --download fetches the one named after --lm or --nli")
    console.print("a server's model is named by its address, --lm http://host:port/v1#model", markup=False)
