"""Which forms take part, which pairs the verifier scores, and what the graph holds of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import MaieuticError
from maieutic.inference import Argue, Form, Inference, Joint, Literal, Relation, Vote
from maieutic.inference.assumptions import assumptions_of
from maieutic.inference.graph import form_of, forms_of, root_forms
from maieutic.inference.weights import EVERY_TERM
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import Related, relate
from maieutic.tree import Proposition, Tree, child_id
from maieutic.usage import Usage

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
    assert form.literal == Literal("QT0", positive)


def test_a_negation_takes_part_with_the_two_beliefs_swapped() -> None:
    node = Proposition("QF1", "Q", "It is.", "It is not.", 0.2, 0.7, integral=True)
    assert form_of(node, positive=True) == Form(Literal("QF1"), "It is.", 0.2, 0.7, True)
    assert form_of(node, positive=False) == Form(~Literal("QF1"), "It is not.", 0.7, 0.2, True)


@given(tree=trees())
def test_every_proposition_but_the_root_takes_part_once_and_as_its_likelier_side(tree: Tree) -> None:
    forms = forms_of(tree)
    assert [form.literal.id for form in forms] == [n.id for n in tree.nodes if n.parent is not None]
    for form in forms:
        if form.belief is not None and form.counter is not None:
            assert form.belief >= form.counter


# -- pairs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decided", [True, False])
@pytest.mark.parametrize("cls", [Joint, Vote])
@given(tree=trees())
def test_the_pairs_scored_are_all_of_the_definition_and_each_once(
    cls: type[Joint | Vote], decided: bool, tree: Tree
) -> None:
    verifier = Ledger()
    inference = Joint(EVERY_TERM, decided=decided) if cls is Joint else cls(decided=decided)
    relate([tree], verifier, inference)
    texts = [form.text for form in forms_of(tree)]
    root = [tree.root.statement, tree.root.negation]
    expected = [*(() if decided else permutations(texts, 2)), *product(texts, root)]
    if cls is Joint:
        expected += product(root, texts)
    scored = [pair for call in verifier.calls for pair in call]
    assert sorted(scored) == sorted(expected)


def test_joint_scores_pairs_to_and_from_the_root_and_vote_only_those_to_it() -> None:
    tree = tree_of(proposition("Q", None), proposition("QT0", "Q", 0.2, 0.9))
    form, root, not_root = "QT0 fails.", "Q holds.", "Q fails."
    to_root = {(form, root), (form, not_root)}
    for inference, expected in (
        (Joint(EVERY_TERM), to_root | {(root, form), (not_root, form)}),
        (Vote(), to_root),
    ):
        verifier = Ledger()
        relate([tree], verifier, inference)
        (scored,) = verifier.calls
        assert set(scored) == expected


@given(tree=trees())
def test_assumptions_are_paired_with_every_form_and_with_one_another(tree: Tree) -> None:
    assumptions = assumptions_of(["Ice is cold."], ["Fire is cold."])
    plain, assuming = Ledger(), Ledger()
    relate([tree], plain, Joint(EVERY_TERM))
    graph = relate([tree], assuming, Joint(EVERY_TERM, assumptions=assumptions))[0].graph
    assumed = {a.statement for a in assumptions}
    texts = [form.text for form in graph.forms]
    expected = [pair for pair in permutations(texts, 2) if assumed & set(pair)]
    scored = [pair for call in assuming.calls for pair in call]
    before = [pair for call in plain.calls for pair in call]
    assert sorted(scored) == sorted([*before, *expected])
    assert graph.forms[-2:] == tuple(Form(Literal(a.id), a.statement) for a in assumptions)


def test_pruned_propositions_are_in_the_pairs_only_where_they_take_part() -> None:
    kept, pruned = proposition("QT0", "Q"), proposition("QF0", "Q")
    tree = Tree("Q?", "Q holds.", "Q fails.", (proposition("Q", None), kept), pruned=(pruned,))
    without = relate([tree], Ledger(), Joint(EVERY_TERM))[0].graph
    with_pruned = relate([tree], Ledger(), Joint(EVERY_TERM, pruned=0.5))[0].graph
    assert [str(form.literal) for form in without.forms] == ["Q", "¬Q", "QT0"]
    assert [str(form.literal) for form in with_pruned.forms] == ["Q", "¬Q", "QT0", "QF0"]
    assert len(with_pruned.relations) == 2 * 4 + 2


def test_a_negation_that_is_missing_is_in_no_pair_of_joint() -> None:
    root = Proposition("Q", None, "Q holds.", "")
    tree = Tree("Q?", "Q holds.", "", (root, proposition("QT0", "Q")))
    graph = relate([tree], Ledger(), Joint(EVERY_TERM))[0].graph
    assert set(graph.by_pair) == {(Literal("QT0"), Literal("Q")), (Literal("Q"), Literal("QT0"))}


def test_many_trees_are_one_call_of_the_verifier() -> None:
    verifier = Ledger()
    small = tree_of(proposition("Q", None), proposition("QT0", "Q"))
    large = tree_of(*small.nodes, proposition("QF0", "Q"), proposition("QF0T0", "QF0"))
    graphs = [
        related.graph for related in relate([small, tree_of(), large, small], verifier, Joint(EVERY_TERM))
    ]
    assert len(verifier.calls) == 1
    assert [len(graph.relations) for graph in graphs] == [4, 0, 18, 4]


@pytest.mark.parametrize("nodes", [(), (proposition("Q", None, 0.9, 0.1),)], ids=["empty", "one-node"])
def test_a_tree_without_explanations_has_no_pairs_and_needs_no_verifier(
    nodes: tuple[Proposition, ...],
) -> None:
    verifier = Ledger()
    graph = relate([tree_of(*nodes)], verifier, Joint(EVERY_TERM))[0].graph
    assert verifier.calls == []
    assert [form.literal for form in graph.forms] == [Literal("Q"), ~Literal("Q")]
    assert graph.relations == ()


@pytest.mark.parametrize(
    "inference",
    [Argue(), Joint(use_verifier=False), Vote(use_verifier=False)],
    ids=["argue", "joint", "vote"],
)
@given(tree=trees())
def test_an_inference_without_a_verifier_calls_none(inference: Inference, tree: Tree) -> None:
    verifier = Ledger()
    assert not inference.uses_verifier
    assert relate([tree], verifier, inference) == [Related(inference.plan(tree).graph, Usage())]
    assert verifier.calls == []


@given(tree=trees())
def test_without_a_verifier_the_edges_of_the_tree_are_certain_relations_of_vote(tree: Tree) -> None:
    """What is believed speaks for, or against, the side of its parent that is believed."""
    graph = relate([tree], Ledger(), Vote(use_verifier=False))[0].graph
    literals = {form.literal.id: form.literal for form in forms_of(tree)} | {"Q": Literal("Q")}
    believed = [node for node in tree.nodes if node.parent is not None and literals[node.id].positive]
    expected = {
        (literals[node.id], literals[node.parent]): node.side == literals[node.parent].positive
        for node in believed
        if node.parent is not None
    }
    assert set(graph.by_pair) == set(expected)
    for pair, entails in expected.items():
        relation = graph.by_pair[pair]
        assert (relation.entailment, relation.neutral, relation.contradiction) == (entails, 0, not entails)


def test_no_trees_give_no_graphs() -> None:
    verifier = Ledger()
    assert relate([], verifier, Joint(EVERY_TERM)) == []
    assert verifier.calls == []


# -- graph ---------------------------------------------------------------------------------------------


@given(some=st.lists(trees(), max_size=3))
def test_every_relation_has_the_verifiers_row_for_its_own_texts(some: list[Tree]) -> None:
    rows: dict[Pair, tuple[float, float, float]] = {}

    class Remembering(Ledger):
        def predict(self, pairs: Sequence[Pair]) -> Probabilities:
            table = super().predict(pairs)
            rows.update(zip(pairs, map(tuple, table.tolist()), strict=True))
            return table

    named = [  # the same id in two trees must not be mixed up
        tree_of(*(Proposition(n.id, n.parent, f"{i} {n.id}", f"{i} ¬{n.id}", n.p_true) for n in tree.nodes))
        for i, tree in enumerate(some)
    ]
    relations = 0
    for related in relate(named, Remembering(), Joint(EVERY_TERM)):
        graph = related.graph
        texts = {form.literal: form.text for form in graph.forms}
        for relation in graph.relations:
            row = rows[texts[relation.source], texts[relation.target]]
            assert (relation.contradiction, relation.neutral, relation.entailment) == row
            relations += 1
    assert relations == len(rows)


@given(tree=trees())
def test_the_forms_of_a_graph_are_the_root_as_both_and_then_the_explanations(tree: Tree) -> None:
    roots = root_forms(tree)
    assert [form.literal for form in roots] == [Literal("Q"), ~Literal("Q")]
    for inference in (Joint(EVERY_TERM), Vote(), Argue()):
        graph = relate([tree], Ledger(), inference)[0].graph
        assert graph.forms == (*roots, *forms_of(tree))
        places = [[form.literal for form in graph.forms].index(r.source) for r in graph.relations]
        assert places == sorted(places)


def test_columns_of_the_verifier_are_read_as_the_seam_defines_them() -> None:
    tree = tree_of(proposition("Q", None), proposition("QT0", "Q"))
    verifier = ScriptedVerifier(lambda a, b: "entailment" if "QT0" in a else "contradiction")
    graph = relate([tree], verifier, Joint(EVERY_TERM))[0].graph
    q, child = Literal("Q"), Literal("QT0")
    assert graph.by_pair[child, q].kind == "entailment"
    assert graph.by_pair[q, child].kind == "contradiction"


@pytest.mark.parametrize("rows", [0, 3, 5])
def test_a_verifier_that_does_not_return_a_row_for_each_pair_is_refused_by_name(rows: int) -> None:
    class Short(Ledger):
        def predict(self, pairs: Sequence[Pair]) -> Probabilities:
            return super().predict([("a", "b")] * rows)

    tree = tree_of(proposition("Q", None), proposition("QT0", "Q"))
    with pytest.raises(MaieuticError) as refused:
        relate([tree], Short(name="short"), Joint(EVERY_TERM))
    assert refused.value.subject == "Short.predict"


def relation(contradiction: float, neutral: float, entailment: float) -> Relation:
    return Relation(Literal("QT0"), Literal("Q"), contradiction, neutral, entailment)


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
    assert relation(contradiction, neutral, entailment).kind == kind


@given(row=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=3, max_size=3))
def test_the_kind_is_the_argmax_of_the_verifiers_columns(row: list[float]) -> None:
    names = {CONTRADICTION: "contradiction", NEUTRAL: "neutral", ENTAILMENT: "entailment"}
    assert relation(*row).kind == names[int(np.argmax(row))]
