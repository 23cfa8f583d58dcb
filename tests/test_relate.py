"""Which forms take part, which pairs are asked, and what the graph holds of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import Form, Relation, bare_graph, form_of, forms_of, relate
from maieutic.tree import Proposition, Tree, child_id

BELIEFS = st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


def proposition(
    node_id: str, parent: str | None, p: float | None = None, p_negation: float | None = None
) -> Proposition:
    return Proposition(node_id, parent, f"{node_id} holds.", f"{node_id} fails.", p, p_negation)


def tree_of(*nodes: Proposition) -> Tree:
    return Tree("Q?", "Q holds.", "Q fails.", nodes)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Trees of up to six nodes of any shape, beliefs known or not; the empty tree among them."""
    nodes = [proposition("Q", None, draw(BELIEFS), draw(BELIEFS))]
    for index in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(nodes)).id
        node_id = child_id(parent, draw(st.booleans()), index)
        nodes.append(proposition(node_id, parent, draw(BELIEFS), draw(BELIEFS)))
    return tree_of(*nodes) if draw(st.integers(0, 9)) else tree_of()


@dataclass
class Ledger:
    """A verifier that keeps each call's pairs and gives every pair of a call a row of its own."""

    name: str = "ledger"
    calls: list[list[Pair]] = field(default_factory=list)

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        self.calls.append(list(pairs))
        entailment = np.linspace(0, 0.75, len(pairs), dtype=np.float32)
        return np.stack([np.full_like(entailment, 0.25), 0.75 - entailment, entailment], axis=1)


# -- forms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "p_negation", "positive"),
    [
        (0.9, 0.1, True),
        (0.1, 0.9, False),
        (0.5, 0.5, False),  # P(true | E) is not greater
        (0.0, 0.0, False),
        (None, 0.9, True),
        (0.1, None, True),
        (None, None, True),
    ],
)
def test_a_proposition_takes_part_as_its_statement_if_likelier_or_not_known(
    p: float | None, p_negation: float | None, positive: bool
) -> None:
    (form,) = forms_of(tree_of(proposition("Q", None), proposition("QT0", "Q", p, p_negation)))
    assert form.positive == positive
    assert form.name == ("QT0" if positive else "¬QT0")


def test_a_negation_takes_part_with_the_two_beliefs_swapped() -> None:
    node = Proposition("QF1", "Q", "It is.", "It is not.", 0.2, 0.7, integral=True)
    assert form_of(node, positive=True) == Form("QF1", True, "It is.", 0.2, 0.7, True)
    assert form_of(node, positive=False) == Form("QF1", False, "It is not.", 0.7, 0.2, True)


@given(tree=trees())
def test_every_proposition_but_the_root_takes_part_once_and_as_its_likelier_side(tree: Tree) -> None:
    forms = forms_of(tree)
    assert [form.proposition for form in forms] == [n.id for n in tree.nodes if n.parent is not None]
    for form in forms:
        if form.belief is not None and form.counter is not None:
            assert form.belief >= form.counter


# -- pairs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("among", [True, False])
@pytest.mark.parametrize("from_root", [True, False])
@given(tree=trees())
def test_the_pairs_asked_are_all_of_the_definition_and_each_once(
    from_root: bool, among: bool, tree: Tree
) -> None:
    verifier = Ledger()
    relate([tree], verifier, from_root=from_root, among=among)
    texts = [form.text for form in forms_of(tree)]
    root = [tree.root.statement, tree.root.negation]
    expected = [*(permutations(texts, 2) if among else ()), *product(texts, root)]
    if from_root:
        expected += product(root, texts)
    asked = [pair for call in verifier.calls for pair in call]
    assert sorted(asked) == sorted(expected)


def test_pairs_to_and_from_the_root_are_asked_unless_told_otherwise() -> None:
    verifier = Ledger()
    relate([tree_of(proposition("Q", None), proposition("QT0", "Q", 0.2, 0.9))], verifier)
    (asked,) = verifier.calls
    form, root, not_root = "QT0 fails.", "Q holds.", "Q fails."
    assert set(asked) == {(form, root), (root, form), (form, not_root), (not_root, form)}


def test_many_trees_are_one_call_of_the_verifier() -> None:
    verifier = Ledger()
    small = tree_of(proposition("Q", None), proposition("QT0", "Q"))
    large = tree_of(*small.nodes, proposition("QF0", "Q"), proposition("QF0T0", "QF0"))
    graphs = relate([small, tree_of(), large, small], verifier)
    assert len(verifier.calls) == 1
    assert [graph.number_of_edges() for graph in graphs] == [4, 0, 18, 4]


@pytest.mark.parametrize("nodes", [(), (proposition("Q", None, 0.9, 0.1),)], ids=["empty", "one-node"])
def test_a_tree_without_explanations_has_no_pairs_and_needs_no_verifier(
    nodes: tuple[Proposition, ...],
) -> None:
    verifier = Ledger()
    (graph,) = relate([tree_of(*nodes)], verifier)
    assert verifier.calls == []
    assert set(graph) == {"Q", "¬Q"}
    assert graph.number_of_edges() == 0


def test_no_trees_give_no_graphs() -> None:
    verifier = Ledger()
    assert relate([], verifier) == []
    assert verifier.calls == []


# -- graph ---------------------------------------------------------------------------------------------


@given(some=st.lists(trees(), max_size=3))
def test_every_edge_carries_what_the_verifier_said_of_its_own_texts(some: list[Tree]) -> None:
    said: dict[Pair, tuple[float, float, float]] = {}

    class Remembering(Ledger):
        def predict(self, pairs: Sequence[Pair]) -> Probabilities:
            table = super().predict(pairs)
            said.update(zip(pairs, map(tuple, table.tolist()), strict=True))
            return table

    named = [  # the same id in two trees must not be mixed up
        tree_of(*(Proposition(n.id, n.parent, f"{i} {n.id}", f"{i} ¬{n.id}", n.p_true) for n in tree.nodes))
        for i, tree in enumerate(some)
    ]
    edges = 0
    for graph in relate(named, Remembering()):
        for source, target, data in graph.edges(data=True):
            relation = data["relation"]
            pair = graph.nodes[source]["form"].text, graph.nodes[target]["form"].text
            assert (relation.contradiction, relation.neutral, relation.entailment) == said[pair]
            edges += 1
    assert edges == len(said)


@given(tree=trees())
def test_the_nodes_are_the_forms_by_name_and_the_root_as_both(tree: Tree) -> None:
    graph = bare_graph(tree)
    root = [form_of(tree.root, positive=side) for side in (True, False)]
    expected = {form.name: form for form in [*root, *forms_of(tree)]}
    assert {name: data["form"] for name, data in graph.nodes(data=True)} == expected
    assert [form.name for form in root] == ["Q", "¬Q"]


def test_columns_of_the_verifier_are_read_as_the_seam_defines_them() -> None:
    tree = tree_of(proposition("Q", None), proposition("QT0", "Q"))
    (graph,) = relate([tree], ScriptedVerifier(lambda a, b: "entailment" if "QT0" in a else "contradiction"))
    assert graph.edges["QT0", "Q"]["relation"].kind == "entailment"
    assert graph.edges["Q", "QT0"]["relation"].kind == "contradiction"


@pytest.mark.parametrize(
    ("contradiction", "neutral", "entailment", "kind"),
    [
        (0.6, 0.3, 0.1, "contradiction"),
        (0.1, 0.6, 0.3, "neutral"),
        (0.3, 0.1, 0.6, "entailment"),
        (0.4, 0.4, 0.2, "contradiction"),
        (0.4, 0.2, 0.4, "contradiction"),
        (0.2, 0.4, 0.4, "neutral"),
        (1 / 3, 1 / 3, 1 / 3, "contradiction"),
    ],
)
def test_the_kind_is_the_likeliest_and_on_a_tie_the_first_column(
    contradiction: float, neutral: float, entailment: float, kind: str
) -> None:
    assert Relation(contradiction, neutral, entailment).kind == kind


@given(row=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=3, max_size=3))
def test_the_kind_is_the_argmax_of_the_verifiers_columns(row: list[float]) -> None:
    names = {CONTRADICTION: "contradiction", NEUTRAL: "neutral", ENTAILMENT: "entailment"}
    assert Relation(*row).kind == names[int(np.argmax(row))]
