"""Literals and belief graphs: negation, text, JSON, networkx, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import InputError
from maieutic.files.json_text import dump_json, parse_json
from maieutic.inference import BeliefGraph, Form, Literal, Relation

IDS = st.from_regex(r"Q([TF][0-9]){0,3}|A[1-9]", fullmatch=True)
LITERALS = st.builds(Literal, IDS, st.booleans())
UNIT = st.none() | st.floats(0, 1)
Q, QT0 = Literal("Q"), Literal("QT0")


@dataclass(frozen=True)
class Record:
    """Literals where records have them: as a value, in a list, as keys."""

    one: Literal
    some: tuple[Literal, ...]
    votes: dict[Literal, int]


@st.composite
def graphs(draw: st.DrawFn) -> BeliefGraph:
    literals = draw(st.lists(LITERALS, unique=True, max_size=6))
    forms = tuple(Form(each, draw(st.text(max_size=5)), draw(UNIT), draw(UNIT)) for each in literals)
    pairs = [pair for pair in permutations(literals, 2) if draw(st.booleans())]
    rows = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
    return BeliefGraph(forms).with_relations(Relation(*pair, *draw(rows)) for pair in pairs)


# -- literals ------------------------------------------------------------------------------------------


@given(literal=LITERALS, label=st.booleans())
def test_a_literal_and_its_opposite_are_two_sides_of_one_proposition(literal: Literal, label: bool) -> None:
    assert ~~literal == literal
    assert ~literal != literal
    assert (~literal).id == literal.id
    assert literal.holds(label) != (~literal).holds(label)
    assert Literal(literal.id).holds(True)


@given(literal=LITERALS)
def test_a_literal_is_read_back_from_its_text(literal: Literal) -> None:
    assert Literal.parse(str(literal)) == literal
    assert str(literal) == ("" if literal.positive else "¬") + literal.id


@given(literals=st.lists(LITERALS, unique=True, min_size=1, max_size=4))
def test_literals_are_text_in_json(literals: list[Literal]) -> None:
    record = Record(literals[0], tuple(literals), dict.fromkeys(literals, 1))
    text = dump_json(record)
    assert parse_json(Record, text) == record
    assert f'"one":"{literals[0]}"' in text


# -- graphs --------------------------------------------------------------------------------------------


@given(graph=graphs())
def test_the_graph_for_networkx_has_the_same_nodes_and_edges(graph: BeliefGraph) -> None:
    other = graph.to_networkx()
    assert list(other.nodes) == [str(form.literal) for form in graph.forms]
    assert [data["form"] for _, data in other.nodes(data=True)] == list(graph.forms)
    edges = {(s, t): data["relation"] for s, t, data in other.edges(data=True)}
    assert edges == {(str(r.source), str(r.target)): r for r in graph.relations}
    assert list(edges.values()) == list(graph.relations)  # by source, in the order of the forms


@given(graph=graphs())
def test_a_graph_comes_back_from_json_as_it_was(graph: BeliefGraph) -> None:
    assert parse_json(BeliefGraph, dump_json(graph)) == graph


@given(graph=graphs(), random=st.randoms(use_true_random=False))
def test_relations_are_put_in_the_order_of_their_sources(graph: BeliefGraph, random: Random) -> None:
    relations = list(graph.relations)
    random.shuffle(relations)
    again = graph.with_relations(relations)
    places = [[form.literal for form in graph.forms].index(r.source) for r in again.relations]
    assert places == sorted(places)
    assert again.by_pair == graph.by_pair


@given(graph=graphs())
def test_every_relation_is_at_its_pair(graph: BeliefGraph) -> None:
    assert all(graph.by_pair[r.source, r.target] is r for r in graph.relations)
    assert len(graph.by_pair) == len(graph.relations)


def relation(source: Literal, target: Literal) -> Relation:
    return Relation(source, target, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("literals", "relations", "subject"),
    [
        ((Q, Q), (), "forms"),
        ((Q, QT0), (relation(Q, QT0), relation(Q, QT0)), "relations"),
        ((Q, QT0), (relation(Q, ~QT0),), "¬QT0"),
        ((Q, QT0), (relation(~Q, QT0),), "¬Q"),
        ((), (relation(Q, Q),), "Q"),
    ],
)
def test_what_is_there_twice_or_not_at_all_is_refused(
    literals: tuple[Literal, ...], relations: tuple[Relation, ...], subject: str
) -> None:
    forms = tuple(Form(literal, "") for literal in literals)
    with pytest.raises(InputError) as refused:
        BeliefGraph(forms, relations)
    assert refused.value.subject == subject
    with pytest.raises(InputError) as refused:
        BeliefGraph(forms).with_relations(relations)
    assert refused.value.subject == subject


def test_a_form_is_known_where_both_beliefs_are() -> None:
    beliefs = [(0.1, 0.9), (0.1, None), (None, 0.9), (None, None)]
    assert [Form(Q, "", *pair).known for pair in beliefs] == [True, False, False, False]
