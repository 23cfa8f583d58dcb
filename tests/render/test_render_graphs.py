"""Answers for other programs: what each file says reads back, and no text of a model is read as code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer, Models
from maieutic.errors import InputError
from maieutic.inference.base import DEFAULT_SOLVER, INFERENCES, Constraint, Inference
from maieutic.nli.base import Pair, Probabilities
from maieutic.pipeline import conclude
from maieutic.render.dot import render_dot
from maieutic.render.graphml import graph_of, render_graphml
from maieutic.render.mermaid import render_mermaid
from maieutic.render.text import printable
from maieutic.render.view import bonds
from maieutic.render.wcnf import problem_of, render_wcnf
from maieutic.solvers import SOLVERS
from maieutic.solvers.wcnf import loads
from maieutic.tree import Proposition, Tree, child_id

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates, too
PIECES = ['"', "\\", "\n", "#34;", "&quot;", "<b>", "`", "%%{init: {}}%%", "];", "click Q", "\u202e", "]]>"]
HOSTILE_TEXT = st.lists(st.sampled_from(PIECES) | ANY_TEXT, min_size=1, max_size=4).map("".join)
BELIEFS = st.none() | st.floats(0, 1)


@dataclass(frozen=True)
class Noise:
    """A verifier whose view of a pair is random, the same in every run."""

    seed: int = 0
    name: str = "noise"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        rows = np.random.default_rng(self.seed).dirichlet([0.5] * 3, size=len(pairs))
        return rows.astype(np.float32)


def answered(tree: Tree, inference: Inference = "joint", seed: int = 0) -> Answer:
    (answer,) = conclude([tree], Noise(seed), SOLVERS[DEFAULT_SOLVER[inference]](), inference)
    return answer


@cache
def sample() -> Answer:
    """An answer with relations of every kind and a pruned proposition."""
    nodes = (
        Proposition("Q", None, "a", "b", 0.6, 0.5),
        Proposition("QT0", "Q", "c", "d", 0.95, 0.02, True),
        Proposition("QF0", "Q", "e", "f", 0.9, 0.1, True),
    )
    return answered(Tree("a?", "a", "b", nodes, pruned=(Proposition("QF1", "Q", "g", "h", None, 0.5),)))


def saying(text: str) -> Answer:
    """The sample with the text in every place that a model or a stranger's file can fill."""
    tree = sample().tree
    nodes, pruned = (
        tuple(replace(node, statement=text, negation=text) for node in group)
        for group in (tree.nodes, tree.pruned)
    )
    tree = Tree(text, text, text, nodes, pruned=pruned)
    return replace(sample(), question=text, statement=text, tree=tree, models=Models(text, text, text))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Trees of one to six propositions, and empty ones."""

    def proposition(node_id: str, parent: str | None) -> Proposition:
        beliefs = draw(BELIEFS), draw(BELIEFS)
        integral = None not in beliefs and beliefs[0] != beliefs[1] and draw(st.booleans())
        return Proposition(node_id, parent, f"Say {node_id}.", f"Deny {node_id}.", *beliefs, integral)

    nodes = [proposition("Q", None)]
    for index in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(nodes)).id
        nodes.append(proposition(child_id(parent, draw(st.booleans()), index), parent))
    kept, pruned = (nodes, []) if draw(st.integers(0, 5)) else ([], nodes)
    root = nodes[0]
    return Tree("Is it?", root.statement, root.negation, tuple(kept), pruned=tuple(pruned))


def bare(text: str) -> str:
    """The text as it is shown, without spaces, which wrapping moves."""
    return "".join(printable(text).split())


# -- DOT -----------------------------------------------------------------------------------------------


def tokens(source: str) -> Iterator[tuple[str, str]]:
    """The tokens of DOT (its grammar's lexical part), quoted strings with what they stand for."""
    pattern = re.compile(r'\s+|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_0-9.]+)|(?P<sign>->|[\[\]{}=,;])')
    at = 0
    while at < len(source):
        found = pattern.match(source, at)
        assert found, f"no token at {source[at : at + 20]!r}"
        at = found.end()
        if found.lastgroup:
            yield found.lastgroup, found[0]


def shown(quoted: str) -> str:
    r"""What Graphviz draws of a label: \l ends a line, \\ and \" are themselves, entities are read."""
    inner = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "l" else found[1], quoted[1:-1])
    assert not re.search(r"&(?!amp;)", inner)
    return inner.replace("&amp;", "&")


@settings(deadline=None, max_examples=50)
@given(text=HOSTILE_TEXT)
def test_dot_is_read_as_nodes_and_edges_whatever_the_texts_say(text: str) -> None:
    answer = saying(text)
    found = list(tokens(render_dot(answer)))
    words = {word for kind, word in found if kind == "word"}
    assert not words & {"URL", "href", "image", "shapefile", "subgraph"}
    labels = [shown(found[i + 2][1]) for i, (_, word) in enumerate(found) if word == "label"]
    assert sum(bare(text) in "".join(label.split()) for label in labels) >= 1 + len(answer.tree.nodes)


@settings(deadline=None, max_examples=25)
@given(tree=trees(), inference=st.sampled_from(INFERENCES))
def test_dot_has_a_node_for_each_proposition_and_an_edge_for_each_reason_and_bond(
    tree: Tree, inference: Inference
) -> None:
    answer = answered(tree, inference)
    source = render_dot(answer, shown=3)
    ids = {node.id for node in (*tree.nodes, tree.root)}
    assert set(re.findall(r'^  "(\w+)" \[', source, re.MULTILINE)) == ids
    edges = re.findall(r'^  "(\w+)" -> "(\w+)" \[label="(\w+)', source, re.MULTILINE)
    reasons = [(node.parent, node.id, str(node.side)) for node in tree.nodes if node.parent]
    drawn = [(bond.one, bond.other, "agree" if bond.agrees else "disagree") for bond in bonds(answer)[:3]]
    assert edges == reasons + drawn
    assert (f"of {len(bonds(answer))} relations" in source) == (len(bonds(answer)) > 3)


# -- Mermaid -------------------------------------------------------------------------------------------

NODE = re.compile(r'  (\w+)\["([^"]*)"\]:::(held|rejected|unknown)')
LINK = re.compile(r'  (\w+) (?:---|-\.-)\|"([^"]*)"\| (\w+)')
CODE = re.compile(r"#(\d+);")
PLAIN = re.compile(r"[\w ,.()]*")


def decoded(text: str) -> str:
    """What Mermaid draws: numbered characters as themselves, without the spaces of no width."""
    return CODE.sub(lambda found: chr(int(found[1])), text).replace("\u200b", "")


@settings(deadline=None, max_examples=50)
@given(text=HOSTILE_TEXT)
def test_mermaid_is_read_as_nodes_and_links_whatever_the_texts_say(text: str) -> None:
    answer = saying(text)
    first, *lines = render_mermaid(answer).splitlines()
    assert first == "flowchart LR"
    body = [line for line in lines if not line.startswith(("  %% ", "  classDef "))]
    nodes = [found for line in body if (found := NODE.fullmatch(line))]
    links = [found for line in body if (found := LINK.fullmatch(line))]
    assert len(nodes) + len(links) == len(body)
    assert [found[1] for found in nodes] == [node.id for node in answer.tree.nodes]
    for found in nodes:
        _, statement, _ = found[2].split("<br/>")
        assert PLAIN.fullmatch(CODE.sub("", statement))
        assert "".join(decoded(statement).split()) == bare(text)


@pytest.mark.parametrize(
    ("text", "hazard"),
    [
        ("%%{init: {'theme': 'dark'}}%%", "%%"),
        ("`**bold**`", "`"),
        ("1. one", r"\d\. "),
        ("1) one", r"\d\) "),
        ('style x:y"', "style.*:"),
        ("$$x$$", r"\$"),
        ("fab:fa-car", "fa-"),
        ("a\\nb", r"\\"),
        ("ﬂ°°60¶ß", "[ﬂß]"),
        ('"]; click Q "javascript:alert(1)"', r'click Q "'),
    ],
)
def test_what_mermaid_gives_a_meaning_to_is_written_by_number(text: str, hazard: str) -> None:
    nodes = [line for line in render_mermaid(saying(text)).splitlines() if NODE.fullmatch(line)]
    assert len(nodes) == 3
    assert not any(re.search(hazard, line.split("<br/>")[1]) for line in nodes)


def test_mermaid_sees_no_node_name_but_plain_ones() -> None:
    """Python's digits are more than Mermaid's: a file may hold QT٣."""
    nodes = (Proposition("Q", None, "A.", "B."), Proposition("QT٣", "Q", "C.", "D.", 0.9, 0.1, True))
    source = render_mermaid(answered(Tree("A.", "A.", "B.", nodes)))
    assert re.findall(r"^  (\S+)\[", source, re.MULTILINE) == ["Q", "n1"]


def test_the_lines_that_mermaid_draws_are_limited_and_counted() -> None:
    reasons = [
        Proposition(f"QT{i}", "Q", f"Reason {i}.", f"No reason {i}.", 0.9, 0.1, True) for i in range(9)
    ]
    root = Proposition("Q", None, "It is.", "It is not.", 0.6, 0.5)
    answer = answered(Tree("It is.", "It is.", "It is not.", (root, *reasons)))
    source = render_mermaid(answer)
    assert source.count("-.-") == 12 < len(bonds(answer))
    assert f"the 12 heaviest of {len(bonds(answer))} relations" in source


# -- GraphML -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(text=HOSTILE_TEXT)
def test_graphml_comes_back_with_every_text_and_number(text: str) -> None:
    answer = saying(text)
    graph: Any = graph_of(answer)
    read: Any = nx.parse_graphml(render_graphml(answer), force_multigraph=True)
    assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {(u, v, k): data for u, v, k, data in read.edges(keys=True, data=True)} == {
        (u, v, k): data for u, v, k, data in graph.edges(keys=True, data=True)
    }
    assert {name: read.graph[name] for name in graph.graph} == graph.graph
    assert graph.nodes["QT0"]["text"] == printable(text)
    assert graph.graph["lm"] == printable(text)


@settings(deadline=None, max_examples=25)
@given(tree=trees(), inference=st.sampled_from(INFERENCES))
def test_the_graph_holds_what_the_answer_does(tree: Tree, inference: Inference) -> None:
    answer = answered(tree, inference)
    graph: Any = graph_of(answer)
    labels = {name: data["label"] for name, data in graph.nodes(data=True) if "label" in data}
    assert labels == dict(answer.labels)
    edges = [data for _, _, data in graph.edges(data=True)]
    relations = [data for data in edges if data["kind"] != "tree"]
    pairs = sorted((data["source_form"], data["target_form"]) for data in relations)
    assert pairs == sorted((edge.source, edge.target) for edge in answer.edges)
    beliefs = sum(c.weight for c in answer.constraints if c.target is None)
    broken = {index for index in answer.violated if answer.constraints[index].target is not None}
    total = math.fsum(c.weight for c in answer.constraints)
    assert math.fsum(data["weight"] for data in edges) + beliefs == pytest.approx(total)
    overruled = math.fsum(data["weight"] for data in edges if data["overruled"])
    assert overruled == pytest.approx(math.fsum(answer.constraints[index].weight for index in broken))


# -- WCNF ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(tree=trees(), inference=st.sampled_from(INFERENCES), seed=st.integers(0, 1000))
def test_solving_the_file_gives_the_same_optimum(tree: Tree, inference: Inference, seed: int) -> None:
    answer = answered(tree, inference, seed)
    text = render_wcnf(answer)
    problem = loads(text)
    solver = SOLVERS["exhaustive"]()
    slack = 1e-9 * (1 + len(answer.constraints))
    assert solver.solve(problem).cost == pytest.approx(answer.cost, abs=slack)
    _, variables = problem_of(answer)
    if "Q" in variables and answer.margin_unit == "nats":
        assert variables["Q"] == 1
        other = solver.solve(problem.assuming(-1 if answer.answer else 1))
        assert other.cost - answer.cost == pytest.approx(answer.margin, abs=slack)
    for name, number in variables.items():
        assert f"c variable {number} = {name}: Say {name}." in text.splitlines()


@settings(deadline=None, max_examples=30)
@given(tree=trees(), inference=st.sampled_from(INFERENCES))
def test_the_labels_break_the_same_clauses_of_the_file(tree: Tree, inference: Inference) -> None:
    answer = answered(tree, inference)
    problem, variables = problem_of(answer)
    labels = [answer.labels[name] for name in variables] if answer.labels else [True] * len(variables)
    assert problem.violated(labels) == answer.violated


@settings(deadline=None, max_examples=30)
@given(text=HOSTILE_TEXT)
def test_texts_stay_in_their_comments(text: str) -> None:
    answer = saying(text)
    source = render_wcnf(answer)
    assert source.replace("\n", "").isprintable()
    assert f"c variable 1 = Q: {printable(text)}" in source.split("\n")
    assert len(loads(source).soft) == len(answer.constraints)
    assert "variable 1 is Q" in source


def test_under_vote_the_file_says_that_q_has_no_variable() -> None:
    tree = Tree("Q?", "It is.", "It is not.", saying("x").tree.nodes)
    source = render_wcnf(answered(tree, "vote"))
    assert "c Q has no variable" in source
    assert "variable 1 = QT0" in source


def test_weights_below_what_the_format_holds_are_left_out_and_counted() -> None:
    answer = saying("x")
    light = Constraint("belief", "QT0", None, 1e-12)
    source = render_wcnf(replace(answer, constraints=(*answer.constraints, light)))
    assert len(loads(source).soft) == len(answer.constraints)
    assert "c 1 clauses that weigh less than 5e-10 are left out" in source


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_an_answer_with_a_weight_that_is_none_is_refused(weight: float) -> None:
    answer = saying("x")
    broken = replace(answer, constraints=(Constraint("belief", "QT0", None, weight),), violated=())
    with pytest.raises(InputError, match="weight"):
        render_wcnf(broken)
