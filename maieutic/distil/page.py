"""The graph as one page that works offline: searchable by head, with P(true) and conflicts.

The texts are data, of which the page's script makes text nodes; :mod:`maieutic.render.html` restricts what
the page can do. The script shows the heads that match, and makes the rows of a head when it is opened, so
that ten thousand triples open at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

from maieutic.distil.criticise import Judged
from maieutic.distil.thresholds import levels
from maieutic.render.html import asset, document, embedded
from maieutic.render.text import printable

__all__ = ["graph_page"]


def graph_page(judged: Sequence[Judged]) -> str:
    """The page, HTML.

    Args:
        judged: triples, in any order; those of a head are shown together, the likeliest first.
    """
    place = {one.triple.id: number for number, one in enumerate(judged)}
    heads: dict[str, list[int]] = {}
    for number, one in enumerate(judged):
        heads.setdefault(printable(one.triple.head), []).append(number)
    for numbers in heads.values():
        numbers.sort(key=lambda number: -judged[number].p_true)
    data = {
        "triples": [
            [
                printable(one.triple.relation),
                printable(one.triple.tail),
                printable(one.triple.statement),
                one.p_true,
                [place[other] for other in one.conflicts if other in place],
            ]
            for one in judged
        ],
        "heads": list(heads.items()),
        "levels": [[each.name, each.threshold] for each in levels([one.p_true for one in judged])],
    }
    return document(
        title=f"{len(judged):,} triples about {len(heads):,} heads",
        body="<main class=graph><noscript>The triples are shown by a script of this page.</noscript></main>",
        data={"graph": embedded(data)},
        style=asset("page.css") + _asset("graph.css"),
        script=_asset("graph.js"),
    )


@cache
def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
