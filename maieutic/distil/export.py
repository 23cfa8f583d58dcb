"""Triples as a table and as a graph, with what was found of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from maieutic.distil.triples import Triple
from maieutic.render.text import printable

__all__ = ["csv_text", "graphml_text"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula


def csv_text(triples: Iterable[Triple], found: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """The triples as CSV with a header (RFC 4180).

    A text that a spreadsheet would compute begins with an apostrophe.

    Args:
        found: id → further columns, the same for all triples.
    """
    rows = [asdict(triple) | dict((found or {}).get(triple.id, {})) for triple in triples]
    names = list(rows[0]) if rows else list(Triple.__dataclass_fields__)
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def graphml_text(triples: Iterable[Triple], found: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """The triples as GraphML: an edge from head to tail each, which ``networkx.read_graphml`` reads back.

    Args:
        found: id → further attributes of an edge; those that are None are left out.
    """
    import networkx as nx  # noqa: PLC0415 - keeps imports light

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for triple in triples:
        values = {"relation": triple.relation, "statement": printable(triple.statement)}
        values |= {"source": printable(triple.source)}
        more = {"label": triple.label, **(found or {}).get(triple.id, {})}
        known = {name: value for name, value in more.items() if value is not None}
        edge: dict[str, Any] = {**values, **known}
        graph.add_edge(printable(triple.head), printable(triple.tail), key=triple.id, **edge)
    return "\n".join(nx.generate_graphml(graph, named_key_ids=True)) + "\n"
