"""Answers for other programs: each file reads back, and no text of a model is read as code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer, Models
from maieutic.errors import InputError, ProblemError
from maieutic.inference import Argue, Inference, Joint, Literal, Vote
from maieutic.inference.constraints import Constraint
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.base import Pair, Probabilities
from maieutic.pipeline import Maieutic
from maieutic.render.dot import render_dot
from maieutic.render.graphml import graph_of, render_graphml
from maieutic.render.mermaid import render_mermaid
from maieutic.render.text import printable
from maieutic.render.view import bonds
from maieutic.render.wcnf import encoding_of, render_wcnf
from maieutic.solvers import load_solver
from maieutic.solvers.wcnf import loads
from maieutic.tree import Proposition, Tree, child_id

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates, too
PIECES = ['"', "\\", "\n", "#34;", "&quot;", "<b>", "`", "%%{init: {}}%%", "];", "click Q", "\u202e", "]]>"]
HOSTILE_TEXT = st.lists(st.sampled_from(PIECES) | ANY_TEXT, min_size=1, max_size=4).map("".join)
BELIEFS = st.none() | st.floats(0, 1)
JOINT, VOTE = Joint(), Vote()
INFERENCES = st.sampled_from([JOINT, VOTE, Argue()])


@dataclass(frozen=True)
class Noise:
    """A verifier whose view of a pair is random, the same in every run."""

    seed: int = 0
    name: str = "noise"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        rows = np.random.default_rng(self.seed).dirichlet([0.5] * 3, size=len(pairs))
        return rows.astype(np.float32)


def answered(tree: Tree, inference: Inference = JOINT, seed: int = 0) -> Answer:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, Noise(seed), inference=inference).conclude([tree])
    return answer


@cache
def sample(inference: Inference = JOINT) -> Answer:
    """An answer with relations of every kind and a pruned proposition."""
    nodes = (
        Proposition("Q", None, "a", "b", 0.6, 0.5),
        Proposition("QT0", "Q", "c", "d", 0.95, 0.02, True),
        Proposition("QF0", "Q", "e", "f", 0.9, 0.1, True),
    )
    tree = Tree("a?", "a", "b", nodes, pruned=(Proposition("QF1", "Q", "g", "h", None, 0.5),))
    return answered(tree, inference)


def saying(text: str) -> Answer:
    """The sample with the text in every field that a model or a file can fill."""
    tree = sample().tree
    nodes, pruned = (
        tuple(replace(node, statement=text, negation=text) for node in group)
        for group in (tree.nodes, tree.pruned)
    )
    tree = Tree(text, text, text, nodes, pruned=pruned)
    verdict = replace(sample().verdict, solver=text)
    return replace(sample(), tree=tree, verdict=verdict, models=Models(text, text))


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
        token = pattern.match(source, at)
        assert token, f"no token at {source[at : at + 20]!r}"
        at = token.end()
        if token.lastgroup:
            yield token.lastgroup, token[0]


def shown(quoted: str) -> str:
    r"""What Graphviz draws of a label: \l ends a line, \\ and \" are themselves, entities are read."""
    inner = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "l" else match[1], quoted[1:-1])
    assert not re.search(r"&(?!amp;)", inner)
    return inner.replace("&amp;", "&")


@settings(deadline=None, max_examples=50)
@given(text=HOSTILE_TEXT)
def test_dot_is_read_as_nodes_and_edges_whatever_the_texts_say(text: str) -> None:
    answer = saying(text)
    lexed = list(tokens(render_dot(answer)))
    words = {word for kind, word in lexed if kind == "word"}
    assert not words & {"URL", "href", "image", "shapefile", "subgraph"}
    labels = [shown(lexed[i + 2][1]) for i, (_, word) in enumerate(lexed) if word == "label"]
    assert sum(bare(text) in "".join(label.split()) for label in labels) >= 1 + len(answer.tree.nodes)


@settings(deadline=None, max_examples=25)
@given(tree=trees(), inference=INFERENCES)
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
    return CODE.sub(lambda match: chr(int(match[1])), text).replace("\u200b", "")


@settings(deadline=None, max_examples=50)
@given(text=HOSTILE_TEXT)
def test_mermaid_is_read_as_nodes_and_links_whatever_the_texts_say(text: str) -> None:
    answer = saying(text)
    first, *lines = render_mermaid(answer).splitlines()
    assert first == "flowchart LR"
    body = [line for line in lines if not line.startswith(("  %% ", "  classDef "))]
    nodes = [node for line in body if (node := NODE.fullmatch(line))]
    links = [link for line in body if (link := LINK.fullmatch(line))]
    assert len(nodes) + len(links) == len(body)
    assert [node[1] for node in nodes] == [node.id for node in answer.tree.nodes]
    for node in nodes:
        _, statement, _ = node[2].split("<br/>")
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
def test_sequences_that_mermaid_interprets_become_character_references(text: str, hazard: str) -> None:
    nodes = [line for line in render_mermaid(saying(text)).splitlines() if NODE.fullmatch(line)]
    assert len(nodes) == 3
    assert not any(re.search(hazard, line.split("<br/>")[1]) for line in nodes)


def test_all_node_names_in_mermaid_are_ascii() -> None:
    """Python takes more characters for digits than Mermaid does: a file may hold QT٣."""
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
@given(tree=trees(), inference=INFERENCES)
def test_the_graph_holds_what_the_answer_does(tree: Tree, inference: Inference) -> None:
    answer = answered(tree, inference)
    graph: Any = graph_of(answer)
    labels = {name: data["label"] for name, data in graph.nodes(data=True) if "label" in data}
    assert labels == dict(answer.labels)
    edges = [data for _, _, data in graph.edges(data=True)]
    relations = [data for data in edges if data["kind"] != "tree"]
    pairs = sorted((data["source_form"], data["target_form"]) for data in relations)
    assert pairs == sorted((str(r.source), str(r.target)) for r in answer.graph.relations)
    for name, values in (("strength", answer.verdict.strengths), ("weighed", answer.verdict.p_labels)):
        assert {id: data[name] for id, data in graph.nodes(data=True) if name in data} == dict(values or {})
    constraints = answer.verdict.constraints
    beliefs = sum(c.weight for c in constraints if c.target is None)
    broken = [c.weight for c in answer.verdict.broken if c.target is not None]
    total = math.fsum(c.weight for c in constraints)
    assert math.fsum(data["weight"] for data in edges) + beliefs == pytest.approx(total)
    overruled = math.fsum(data["weight"] for data in edges if data["overruled"])
    assert overruled == pytest.approx(math.fsum(broken))


# -- WCNF ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(tree=trees(), inference=st.sampled_from([JOINT, VOTE]), seed=st.integers(0, 1000))
def test_solving_the_file_gives_the_same_optimum(tree: Tree, inference: Inference, seed: int) -> None:
    answer = answered(tree, inference, seed)
    text = render_wcnf(answer)
    problem = loads(text)
    solver, cost = load_solver("exhaustive"), answer.verdict.cost
    slack = 1e-9 * (1 + len(answer.verdict.constraints))
    variables = encoding_of(answer).variables
    if answer.verdict.margin_unit == "nats":
        assert variables["Q"] == 1
        own, other = (1, -1) if answer.answer else (-1, 1)
        assert solver.solve(problem.assuming(own)).cost == pytest.approx(cost, abs=slack)
        extra = solver.solve(problem.assuming(other)).cost - cost
        assert max(0.0, extra) == pytest.approx(answer.margin, abs=slack)
    else:
        assert solver.solve(problem).cost == pytest.approx(cost, abs=slack)
    for name, number in variables.items():
        assert f"c variable {number} = {name}: Say {name}." in text.splitlines()


@settings(deadline=None, max_examples=30)
@given(tree=trees(), inference=st.sampled_from([JOINT, VOTE]))
def test_the_labels_break_the_same_clauses_of_the_file(tree: Tree, inference: Inference) -> None:
    answer = answered(tree, inference)
    encoding = encoding_of(answer)
    labels = [answer.labels[name] for name in encoding.variables]
    assert encoding.problem.violated(labels) == answer.verdict.violated


@settings(deadline=None, max_examples=30)
@given(text=HOSTILE_TEXT)
def test_texts_stay_in_their_comments(text: str) -> None:
    answer = saying(text)
    source = render_wcnf(answer)
    assert source.replace("\n", "").isprintable()
    assert f"c variable 1 = Q: {printable(text)}" in source.split("\n")
    assert len(loads(source).soft) == len(answer.verdict.constraints)


def test_q_is_not_a_variable_of_vote_inference() -> None:
    variables = re.findall(r"^c variable (\d+) = (\w+)", render_wcnf(sample(VOTE)), re.MULTILINE)
    assert variables == [("1", "QT0"), ("2", "QF0")]


def test_argue_inference_has_no_problem_to_write() -> None:
    with pytest.raises(InputError) as caught:
        render_wcnf(sample(Argue()))
    assert (caught.value.subject, caught.value.exit_code) == ("argue", 2)


@pytest.mark.parametrize("render", [render_dot, render_mermaid])
def test_pictures_of_argue_inference_show_the_strengths(render: Callable[[Answer], str]) -> None:
    answer = sample(Argue())
    assert answer.verdict.strengths is not None
    source = decoded(render(answer))
    for node_id, strength in answer.verdict.strengths.items():
        assert re.search(rf"{node_id}.*strength {strength:.2f}", source)


def test_weights_below_what_the_format_holds_are_left_out_and_counted() -> None:
    answer = saying("x")
    constraints = answer.verdict.constraints
    light = Constraint("belief", Literal("QT0"), None, 1e-12)
    source = render_wcnf(with_constraints(answer, *constraints, light))
    assert len(loads(source).soft) == len(constraints)
    assert re.search(r"^c 1 clauses .* left out$", source, re.MULTILINE)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_an_answer_with_an_impossible_weight_is_refused(weight: float) -> None:
    broken = with_constraints(saying("x"), Constraint("belief", Literal("QT0"), None, weight))
    with pytest.raises(ProblemError):
        render_wcnf(broken)


def with_constraints(answer: Answer, *constraints: Constraint) -> Answer:
    return replace(answer, verdict=replace(answer.verdict, constraints=constraints, violated=()))
