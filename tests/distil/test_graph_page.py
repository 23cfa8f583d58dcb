"""The page of a graph: hostile text stays text, and thousands of triples open at once."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

pytest.importorskip("rapidfuzz")

from maieutic.distil.criticise import Judged
from maieutic.distil.page import graph_page
from maieutic.distil.thresholds import levels
from maieutic.distil.triples import Triple


def judged(count: int) -> list[Judged]:
    heads = ["a spoon", "</script><script>alert(1)</script>", "\u202egnp.exe"]
    triples = [
        Triple(f"{n}", heads[n % 3], "Is", f"thing {n}", f"{heads[n % 3]} is thing {n}.")
        for n in range(count)
    ]
    return [
        Judged(one, None, None, n / count, 0, (str(n - 1),) if n else ()) for n, one in enumerate(triples)
    ]


def test_the_page_has_all_triples_and_no_markup_of_theirs() -> None:
    page = graph_page(judged(9))
    (data,) = re.findall(r'<script type="application/json" id="graph">(.*?)</script>', page)
    graph = json.loads(data)
    assert len(graph["triples"]) == 9
    assert graph["triples"][4][4] == [3]
    assert "alert(1)</script>" not in page
    assert "\u202e" not in page
    for _, numbers in graph["heads"]:  # the likeliest first
        shown = [graph["triples"][number][3] for number in numbers]
        assert shown == sorted(shown, reverse=True)


def test_a_level_shows_as_many_triples_as_it_keeps() -> None:
    page = graph_page([*judged(7), *(replace(one, joint=0.931_24) for one in judged(4))])
    (data,) = re.findall(r'<script type="application/json" id="graph">(.*?)</script>', page)
    graph = json.loads(data)
    p_true = [one[3] for one in graph["triples"]]
    for (name, least), level in zip(graph["levels"], levels(p_true), strict=True):
        assert (name, sum(p >= least for p in p_true)) == (level.name, level.size)
