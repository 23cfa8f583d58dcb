"""Merging propositions that entail each other both ways."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.answer import Answer
from maieutic.config import JointConfig
from maieutic.inference.assumptions import assumptions_of
from maieutic.inference.constraints import Constraint, variables_of
from maieutic.inference.flips import with_flip
from maieutic.inference.merge import deduplicated, merged_forms
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import conclude
from maieutic.relate import Relation, opposite
from maieutic.solvers import SOLVERS
from maieutic.tree import Proposition, Tree

IDS = ("Q", "QT0", "QT1", "QF0", "QF1")


def graph_of(pairs: dict[tuple[str, str], float], names: tuple[str, ...]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    for (source, target), p in pairs.items():
        graph.add_edge(source, target, relation=Relation((1 - p) / 2, (1 - p) / 2, p))
    return graph


def both_ways(*pairs: tuple[str, str], p: float = 0.9) -> dict[tuple[str, str], float]:
    return {pair: p for one, other in pairs for pair in ((one, other), (other, one))}


def test_two_that_entail_each_other_are_one_and_a_third_joins_them() -> None:
    names = ("Q", "¬Q", "QT0", "¬QT1", "QF0")
    graph = graph_of(both_ways(("QT0", "¬QT1"), ("¬QT1", "QF0")), names)
    assert merged_forms(graph, 0.5) == (("QT0", "¬QT1", "QF0"),)


@pytest.mark.parametrize("root", ["Q", "¬Q"])
def test_the_root_is_not_joined_with_what_says_the_same(root: str) -> None:
    assert merged_forms(graph_of(both_ways((root, "QT0")), ("Q", "¬Q", "QT0")), 0.5) == ()


def test_one_way_or_below_the_threshold_is_not_enough() -> None:
    graph = graph_of(
        {("QT0", "QT1"): 0.99} | both_ways(("QT0", "QF0"), p=0.7), ("Q", "¬Q", "QT0", "QT1", "QF0")
    )
    assert merged_forms(graph, 0.8) == ()
    assert merged_forms(graph, 0.6) == (("QT0", "QF0"),)


def test_what_must_hold_by_itself_is_not_joined_with_another_such() -> None:
    graph = graph_of(both_ways(("QT0", "QT1")), ("Q", "¬Q", "QT0", "QT1"))
    assert merged_forms(graph, 0.5, held=["QT0", "¬QT1"]) == ()
    assert merged_forms(graph, 0.5, held=["QT0"]) == (("QT0", "QT1"),)


@given(seed=st.integers(0, 10_000))
def test_groups_are_apart_consistent_and_of_joined_pairs(seed: int) -> None:
    rng = random.Random(seed)
    names = ("Q", "¬Q", *(rng.choice(["", "¬"]) + name for name in IDS[1:]))
    pairs = {pair: rng.choice([0.2, 0.6, 0.8, 0.99]) for pair in itertools.permutations(names, 2)}
    groups = merged_forms(graph_of(pairs, names), 0.7)
    members = [form.removeprefix("¬") for group in groups for form in group]
    assert len(members) == len(set(members))
    variables = variables_of(IDS, groups)
    assert {abs(v) for v in variables.values()} == set(range(1, 6 - len(members) + len(groups)))
    for group in groups:
        literals = {-variables[form[1:]] if form.startswith("¬") else variables[form] for form in group}
        assert len(literals) == 1
    for one, other in itertools.combinations(names, 2):
        joined = any({one, other} <= {*group, *map(opposite, group)} for group in groups)
        certain = min(pairs[one, other], pairs[other, one]) > 0.7
        alone = not any(name in {*g, *map(opposite, g)} for g in groups for name in (one, other))
        assert not (certain and alone and not joined) or {one, other} & {"Q", "¬Q"}


def test_of_constraints_that_ask_the_same_the_heaviest_is_left() -> None:
    variables = variables_of(["Q", "QT0", "QT1"], [("QT0", "QT1")])
    found = deduplicated(
        (
            Constraint("belief", "QT0", None, 1.0),
            Constraint("belief", "QT1", None, 2.0),
            Constraint("belief", "¬QT1", None, 0.5),
            Constraint("entailment", "QT0", "QT1", 3.0),
            Constraint("tree", "QT0", "Q", 0.4),
            Constraint("tree", "QT1", "Q", 0.4),
            Constraint("entailment", "QT1", "Q", 0.1),
        ),
        variables,
    )
    assert [(c.kind, c.source, c.weight) for c in found] == [
        ("belief", "QT1", 2.0),
        ("belief", "¬QT1", 0.5),
        ("tree", "QT0", 0.4),
        ("entailment", "QT1", 0.1),
    ]


FLUFFY = "It is full of air."


def tree() -> Tree:
    nodes = (
        Proposition("Q", None, "It floats.", "It sinks.", 0.5, 0.5),
        Proposition("QT0", "Q", "It is light.", "It is heavy.", 0.9, 0.1, True),
        Proposition("QT1", "Q", "It has little weight.", "It has much weight.", 0.9, 0.1, True),
    )
    pruned = (Proposition("QF0", "Q", "It is of lead.", "It is not of lead.", 0.5, 0.4),)
    return Tree("It floats.", "It floats.", "It sinks.", nodes, pruned=pruned)


def answer(config: JointConfig, *assumed: str) -> Answer:
    def judge(premise: str, hypothesis: str) -> str:
        same = {premise, hypothesis} == {"It is light.", "It has little weight."}
        told = premise == FLUFFY and hypothesis in ("It is light.", "It has little weight.")
        return "entailment" if same or told else "neutral"

    solver, facts = SOLVERS["exhaustive"](), assumptions_of(assumed)
    (found,) = conclude([tree()], ScriptedVerifier(judge), solver, "joint", joint=config, assumptions=facts)
    return found


def test_a_reason_given_twice_in_other_words_counts_once() -> None:
    apart, joined = answer(JointConfig()), answer(JointConfig(merge=True))
    assert (apart.merged, joined.merged) == ((), (("QT0", "QT1"),))
    assert joined.labels["QT0"] == joined.labels["QT1"]
    assert joined.same_as("QT1") == "QT0"
    assert joined.same_as("QT0") is None
    assert len([c for c in joined.constraints if c.kind == "tree"]) == 1
    assert apart.p_true is not None
    assert joined.p_true is not None
    assert 0.5 < joined.p_true < apart.p_true
    assert Answer.from_json(joined.to_json()) == joined


def test_pruned_propositions_take_part_with_a_share_of_their_weight() -> None:
    without, little, full = (answer(JointConfig(pruned=share)) for share in (0.0, 0.25, 1.0))
    assert "QF0" not in without.labels
    assert [node.id for node in little.propositions] == ["Q", "QT0", "QT1", "QF0"]
    weights = [
        next(c.weight for c in found.constraints if c.kind == "tree" and c.source == "QF0")
        for found in (little, full)
    ]
    assert weights[0] == pytest.approx(0.25 * weights[1])
    p = [found.p_true or 0.0 for found in (without, little, full)]
    assert p[0] > p[1] > p[2]  # it was given as a reason against Q
    assert Answer.from_json(little.to_json()) == little


def test_what_is_assumed_of_one_of_two_that_are_merged_counts_once() -> None:
    joined = answer(JointConfig(merge=True), FLUFFY)
    assert joined.labels["QT0"] == joined.labels["QT1"] is True
    assert len([c for c in joined.constraints if c.source == "A1"]) == 1
    flip = with_flip(joined).flip
    assert flip is not None
    assert flip
    assert Answer.from_json(joined.to_json()) == joined


def test_one_of_two_that_are_merged_may_be_settled_by_an_assumption() -> None:
    joined = answer(JointConfig(merge=True), "It has much weight.")
    assert (joined.merged, joined.held) == ((("QT0", "QT1"),), ("A1", "¬QT1"))
    assert (joined.labels["QT0"], joined.labels["QT1"]) == (False, False)
