"""Trees: node ids, rejected shapes and the JSON round trip."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import InputError
from maieutic.tree import INTEGRITY_THRESHOLD, ROOT, Discard, Proposition, Tree, child_id, is_integral

TEXTS = st.text(max_size=40) | st.sampled_from(['"', "\\", "\u2028", "\x00\x1b[2J", "🦉 née", "\n\r\t", "{}"])
BELIEFS = st.none() | st.floats(0, 1) | st.sampled_from([0.0, 1.0, 5e-324, math.nextafter(1, 0)])
SIDES = st.sampled_from([True, False])
FAST = settings(deadline=None, max_examples=60)


@st.composite
def ids(draw: st.DrawFn) -> list[tuple[str, str | None]]:
    """(id, parent) of a well-formed tree, parents before children; sometimes of no node at all."""
    if draw(st.sampled_from([True, *[False] * 9])):
        return []
    grown: list[tuple[str, str | None]] = [(ROOT, None)]
    for step in draw(st.lists(st.tuples(st.integers(0, 99), SIDES, st.integers(0, 12)), max_size=12)):
        parent = grown[step[0] % len(grown)][0]
        node = (child_id(parent, *step[1:]), parent)
        if node not in grown:
            grown.append(node)
    return grown


def propositions(place: tuple[str, str | None]) -> st.SearchStrategy[Proposition]:
    return st.builds(Proposition, *map(st.just, place), TEXTS, TEXTS, BELIEFS, BELIEFS, st.booleans())


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    places = draw(ids())
    kept = draw(st.integers(0, len(places)))  # parents come first, so any beginning is a tree
    grown = [draw(propositions(place)) for place in places]
    discards = st.builds(Discard, TEXTS, TEXTS, st.none() | SIDES, TEXTS, TEXTS)
    return Tree(
        question=draw(TEXTS),
        statement=draw(TEXTS),
        negation=draw(TEXTS),
        nodes=tuple(grown[:kept]),
        answer=draw(st.none() | st.booleans()),
        discarded=tuple(draw(st.lists(discards, max_size=3))),
        pruned=tuple(grown[kept:]),
    )


def record(*nodes: dict[str, Any], **more: Any) -> str:
    """The JSON of a tree with its required fields."""
    return json.dumps({"question": "q?", "statement": "s.", "negation": "n.", "nodes": nodes} | more)


def node(id: str, parent: str | None, **more: Any) -> dict[str, Any]:
    return {"id": id, "parent": parent, "statement": "a.", "negation": "b."} | more


@FAST
@given(trees())
def test_a_tree_survives_json_exactly(tree: Tree) -> None:
    text = tree.to_json()
    assert Tree.from_json(text) == tree
    assert Tree.from_json(text.encode()) == tree
    assert Tree.from_json(text).to_json() == text


@FAST
@given(trees())
def test_a_tree_is_one_line_of_standard_json(tree: Tree) -> None:
    text = tree.to_json()
    assert b"\n" not in text.encode()
    read = json.loads(text)
    assert [entry["id"] for entry in read["nodes"]] == [node.id for node in tree.nodes]
    assert [entry["p_true"] for entry in read["nodes"]] == [node.p_true for node in tree.nodes]
    assert read["question"] == tree.question


@FAST
@given(trees())
def test_every_node_but_the_root_is_its_parents_child_on_its_side(tree: Tree) -> None:
    for proposition in tree.nodes:
        assert tree.by_id[proposition.id] is proposition
        if proposition.parent is None:
            assert (proposition.id, proposition.side, proposition.depth) == (ROOT, None, 0)
        else:
            assert proposition in list(tree.children(proposition.parent))
            assert proposition.depth == tree.by_id[proposition.parent].depth + 1
            index = int(proposition.id[len(proposition.parent) + 1 :])
            assert proposition.side is not None
            assert proposition.id == child_id(proposition.parent, proposition.side, index)


def test_optional_fields_may_be_missing() -> None:
    bare = Tree.from_json(record(node("Q", None)))
    assert bare == Tree("q?", "s.", "n.", (Proposition("Q", None, "a.", "b."),))
    assert (bare.answer, bare.discarded, bare.pruned) == (None, (), ())
    assert (bare.root.p_true, bare.root.p_true_negation, bare.root.integral) == (None, None, False)


def test_unknown_fields_are_ignored() -> None:
    text = record(node("Q", None, colour="red"), source="elsewhere")
    assert Tree.from_json(text) == Tree.from_json(record(node("Q", None)))


@pytest.mark.parametrize("field", ["question", "statement", "negation", "nodes"])
def test_a_missing_field_of_the_tree_is_named(field: str) -> None:
    fields = json.loads(record(node("Q", None)))
    del fields[field]
    with pytest.raises(InputError) as caught:
        Tree.from_json(json.dumps(fields))
    assert caught.value.subject == field


@pytest.mark.parametrize("field", ["id", "parent", "statement", "negation"])
def test_a_missing_field_of_a_node_is_named_with_its_place(field: str) -> None:
    broken = node("QT0", "Q")
    del broken[field]
    with pytest.raises(InputError) as caught:
        Tree.from_json(record(node("Q", None), broken))
    assert caught.value.subject == f"nodes[1].{field}"


@pytest.mark.parametrize(
    ("places", "node_id"),
    [
        ([("Q", None), ("QT0", "Q"), ("QT0", "Q")], "QT0"),
        ([("Q", None), ("Q", None)], "Q"),
        ([("QT0", "Q")], "QT0"),
        ([("Q", None), ("QF0T1", "QF0")], "QF0T1"),
        ([("Q", "Q")], "Q"),
        ([("Q", "QT0"), ("QT0", "Q")], "Q"),
        ([("Q", None), ("QT0", "QF0"), ("QF0", "QT0")], "QT0"),
        ([("Q", None), ("QT0", "Q"), ("QT0F0", "Q")], "QT0F0"),
        ([("Q", None), ("QT0", "Q"), ("QF1", "QT0")], "QF1"),
        ([("Q", None), ("QT0", None)], "QT0"),
        ([("QF0", None)], "QF0"),
        ([("", None)], ""),
        ([("q", None)], "q"),
        ([("Q\n", None)], "Q\n"),
        *[
            ([("Q", None), (bad, "Q")], bad)
            for bad in ["QT", "QX0", "Q0", "QT-1", "QT0 ", "QT1.5", "QTT0", "RT0", "T0"]
        ],
    ],
)
def test_a_bad_shape_names_the_node(places: list[tuple[str, str | None]], node_id: str) -> None:
    nodes = tuple(Proposition(id, parent, "a.", "b.") for id, parent in places)
    with pytest.raises(InputError) as built:
        Tree("q?", "s.", "n.", nodes)
    with pytest.raises(InputError) as read:
        Tree.from_json(record(*(node(id, parent) for id, parent in places)))
    assert built.value.subject == read.value.subject == node_id
    assert str(read.value) == str(built.value)


@FAST
@given(trees(), st.data())
def test_a_tree_without_a_parent_is_refused(tree: Tree, data: st.DataObject) -> None:
    parents = sorted({proposition.parent for proposition in tree.nodes if proposition.parent is not None})
    if parents:
        gone = data.draw(st.sampled_from(parents))
        rest = tuple(proposition for proposition in tree.nodes if proposition.id != gone)
        with pytest.raises(InputError) as caught:
            Tree("q?", "s.", "n.", rest)
        assert re.fullmatch(rf"{gone}[TF]\d+", caught.value.subject)


@pytest.mark.parametrize("field", ["p_true", "p_true_negation"])
@pytest.mark.parametrize(
    "value", ["-0.001", "1.0000001", "NaN", "Infinity", "-Infinity", "1e999", '"0.5"', "true", "[]", "{}"]
)
def test_what_is_no_probability_is_named_with_its_place(field: str, value: str) -> None:
    text = record(node("Q", None), node("QT0", "Q", **{field: "HERE"})).replace('"HERE"', value)
    with pytest.raises(InputError) as caught:
        Tree.from_json(text)
    assert caught.value.subject == f"nodes[1].{field}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 3),
        ("parent", 0),
        ("statement", None),
        ("negation", ["b."]),
        ("integral", 1),
        ("integral", "no"),
    ],
)
def test_a_field_of_a_wrong_type_is_named_with_its_place(field: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        Tree.from_json(record(node("Q", None), node("QT0", "Q") | {field: value}))
    assert caught.value.subject == f"nodes[1].{field}"


@pytest.mark.parametrize(
    ("field", "value"),
    [("question", 1), ("answer", 0), ("answer", "true"), ("nodes", {}), ("nodes", None), ("pruned", 7)],
)
def test_a_field_of_the_tree_of_a_wrong_type_is_named(field: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        Tree.from_json(record(node("Q", None), **{field: value}))
    assert caught.value.subject == field


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", '"Q"', b"\xff", "{'question': 1}", "[" * 100_000, b'{"a": "\xc3"}']
)
def test_what_is_no_json_object_is_refused_in_one_short_sentence(text: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        Tree.from_json(text)
    assert "\n" not in str(caught.value)
    assert 0 < len(str(caught.value)) < 200


def test_a_huge_wrong_value_is_quoted_shortly() -> None:
    with pytest.raises(InputError) as caught:
        Tree.from_json(record(node("Q", None, p_true="x" * 100_000)))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("side", [True, False])
def test_a_childs_id_tells_parent_side_and_depth(side: bool) -> None:
    child = child_id("QT12", side, 10)
    assert child == ("QT12T10" if side else "QT12F10")
    assert Proposition(child, "QT12", "a.", "b.").side is side
    assert Proposition(child, "QT12", "a.", "b.").depth == 2


@pytest.mark.parametrize(
    ("places", "kind"),
    [
        ([], "empty"),
        ([("Q", None)], "one-node"),
        ([("Q", None), ("QF0", "Q")], "grown"),
        ([("Q", None), ("QF0", "Q"), ("QF0T0", "QF0")], "grown"),
    ],
)
def test_the_kind_counts_the_nodes(places: list[tuple[str, str | None]], kind: str) -> None:
    assert Tree("q?", "s.", "n.", tuple(Proposition(*place, "a.", "b.") for place in places)).kind == kind


def test_the_root_is_found_among_the_nodes_then_among_the_pruned() -> None:
    root, child = Proposition("Q", None, "s.", "n.", 0.4, 0.6), Proposition("QT0", "Q", "a.", "b.")
    assert Tree("q?", "s.", "n.", (root, child)).root is root
    assert Tree("q?", "s.", "n.", (), pruned=(child, root)).root is root


def test_a_tree_without_any_root_believes_nothing_of_it() -> None:
    assert Tree("q?", "s.", "n.", ()).root == Proposition("Q", None, "s.", "n.", None, None, False)


def test_the_integrity_threshold_itself_is_not_enough() -> None:
    assert not is_integral(0.75, 0.25, 0.5)
    assert not is_integral(0.25, 0.75, 0.5)
    assert is_integral(0.75, 0.25, math.nextafter(0.5, 0))
    assert not is_integral(0.5, 0.5, 0)
    assert not is_integral(1.0, 0.0, 1.0)


@given(BELIEFS, BELIEFS, st.floats(0, 1))
def test_integral_means_both_known_and_further_apart_than_the_threshold(
    one: float | None, other: float | None, threshold: float
) -> None:
    apart = one is not None and other is not None and max(one, other) - min(one, other) > threshold
    assert is_integral(one, other, threshold) == is_integral(other, one, threshold) == apart


def test_the_threshold_is_the_papers() -> None:
    assert INTEGRITY_THRESHOLD == 0.45
