"""``maieutic bench datasets``: the data sets, their authors and their licences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maieutic.cli.options import JsonOption

__all__ = ["datasets"]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A data set as ``--json`` prints it.

    Attributes:
        splits: split → rows, None where they were not counted.
        download: split → bytes that ``--download`` fetches, without splits that it cannot fetch.
        source: address of the files.
    """

    name: str
    title: str
    splits: Mapping[str, int | None]
    default_split: str
    download: Mapping[str, int]
    licence: str
    citation: str
    homepage: str
    source: str


def datasets(json: JsonOption = False) -> None:
    """List the data sets: splits and rows, what --download can fetch, licences, citations.

    maieutic bench datasets
    """
    import typer
    from rich.table import Table
    from rich.text import Text

    from maieutic.cli.console import table_console
    from maieutic.files.json_text import dump_json

    listed = _listed()
    if json:
        for each in listed:
            typer.echo(dump_json(each))
        return
    console = table_console()
    for each in listed:
        console.print(Text.assemble((each.name, "bold"), "  ", each.title))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(min_width=10)
        table.add_column(overflow="fold")
        for label, value in _facts(each).items():
            if value:
                table.add_row(Text(f"  {label}", "dim"), Text(value))
        console.print(table)
    console.print("\nFor a split that --download cannot fetch, give --data the folder of its official files.")


def _listed() -> list[_Listed]:
    from maieutic.benchmarks.datasets import DATASETS, ROWS, SOURCES

    return [
        _Listed(
            dataset.name,
            dataset.title,
            {split: ROWS.get(dataset.name, {}).get(split) for split in dataset.splits},
            dataset.default_split,
            {
                split: sum(dataset.remote[file].bytes for file in files)
                for split, files in dataset.splits.items()
                if files and all(file in dataset.remote for file in files)
            },
            dataset.licence,
            dataset.citation,
            dataset.homepage,
            SOURCES.get(dataset.name, dataset.homepage),
        )
        for dataset in DATASETS.values()
    ]


def _facts(each: _Listed) -> dict[str, str]:
    splits = (
        split + (f" {rows:,} rows" if rows is not None else "") + " (default)" * (split == each.default_split)
        for split, rows in each.splits.items()
    )
    sizes = [f"{split} {size / 1e6:.1f} MB" for split, size in each.download.items()]
    by_hand = [split for split in each.splits if split not in each.download] if each.source else []
    if by_hand:
        sizes.append(f"{' and '.join(by_hand)} by hand, from {each.source}")
    return {
        "splits": ", ".join(splits),
        "download": ", ".join(sizes),
        "licence": each.licence,
        "citation": each.citation,
        "home": each.homepage,
    }
