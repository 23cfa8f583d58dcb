"""Merging propositions that entail each other both ways."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.answer import Answer
from maieutic.inference import BeliefGraph, Form, Joint, Literal, Relation
from maieutic.inference.assumptions import assumptions_of
from maieutic.inference.constraints import Constraint, Encoding
from maieutic.inference.flips import with_flip
from maieutic.inference.merge import deduplicated, merged_literals
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.solvers import load_solver
from maieutic.tree import Proposition, Tree
from tests.inference.weights import TELLING

Pairs = dict[tuple[Literal, Literal], float]
IDS = ("Q", "QT0", "QT1", "QF0", "QF1")


Q, QT0, QT1, QF0 = (Literal(name) for name in ("Q", "QT0", "QT1", "QF0"))


def graph_of(pairs: Pairs, *literals: Literal) -> BeliefGraph:
    """A graph of Q, ¬Q and these; of each pair the probability of entailment."""
    forms = tuple(Form(literal, str(literal)) for literal in (Q, ~Q, *literals))
    return BeliefGraph(
        forms, tuple(Relation(*pair, (1 - p) / 2, (1 - p) / 2, p) for pair, p in pairs.items())
    )


def both_ways(*pairs: tuple[Literal, Literal], p: float = 0.9) -> Pairs:
    return {pair: p for one, other in pairs for pair in ((one, other), (other, one))}


def test_two_that_entail_each_other_are_one_and_a_third_joins_them() -> None:
    graph = graph_of(both_ways((QT0, ~QT1), (~QT1, QF0)), QT0, ~QT1, QF0)
    assert merged_literals(graph, 0.5) == ((QT0, ~QT1, QF0),)


@pytest.mark.parametrize("root", [Q, ~Q], ids=str)
def test_the_root_is_not_joined_with_what_says_the_same(root: Literal) -> None:
    assert merged_literals(graph_of(both_ways((root, QT0)), QT0), 0.5) == ()


def test_one_way_or_below_the_threshold_is_not_enough() -> None:
    graph = graph_of({(QT0, QT1): 0.99} | both_ways((QT0, QF0), p=0.7), QT0, QT1, QF0)
    assert merged_literals(graph, 0.8) == ()
    assert merged_literals(graph, 0.6) == ((QT0, QF0),)


def test_what_must_hold_by_itself_is_not_joined_with_another_such() -> None:
    graph = graph_of(both_ways((QT0, QT1)), QT0, QT1)
    assert merged_literals(graph, 0.5, held=[QT0, ~QT1]) == ()
    assert merged_literals(graph, 0.5, held=[QT0]) == ((QT0, QT1),)


@given(seed=st.integers(0, 10_000))
def test_groups_are_apart_consistent_and_of_joined_pairs(seed: int) -> None:
    rng = random.Random(seed)
    literals = [Literal(name, rng.random() < 0.5) for name in IDS[1:]]
    pairs = {
        pair: rng.choice([0.2, 0.6, 0.8, 0.99]) for pair in itertools.permutations([Q, ~Q, *literals], 2)
    }
    groups = merged_literals(graph_of(pairs, *literals), 0.7)
    members = [literal.id for group in groups for literal in group]
    assert len(members) == len(set(members))
    variables = Encoding.of(IDS, [], merged=groups).variables
    assert {abs(v) for v in variables.values()} == set(range(1, 6 - len(members) + len(groups)))
    for group in groups:
        assert len({variables[each.id] if each.positive else -variables[each.id] for each in group}) == 1
    for one, other in itertools.combinations(literals, 2):
        joined = any({one, other} <= {*group, *(~each for each in group)} for group in groups)
        certain = min(pairs[one, other], pairs[other, one]) > 0.7
        alone = not {one.id, other.id} & set(members)
        assert not (certain and alone and not joined)


def test_of_constraints_that_ask_the_same_the_heaviest_is_left() -> None:
    variables = Encoding.of(["Q", "QT0", "QT1"], [], merged=[(QT0, QT1)]).variables
    left = deduplicated(
        (
            Constraint("belief", QT0, None, 1.0),
            Constraint("belief", QT1, None, 2.0),
            Constraint("belief", ~QT1, None, 0.5),
            Constraint("entailment", QT0, QT1, 3.0),
            Constraint("tree", QT0, Q, 0.4),
            Constraint("tree", QT1, Q, 0.4),
            Constraint("entailment", QT1, Q, 0.1),
        ),
        variables,
    )
    assert [(c.kind, c.source, c.weight) for c in left] == [
        ("belief", QT1, 2.0),
        ("belief", ~QT1, 0.5),
        ("tree", QT0, 0.4),
        ("entailment", QT1, 0.1),
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


def answer(joint: Joint, *assumed: str) -> Answer:
    def judge(premise: str, hypothesis: str) -> str:
        same = {premise, hypothesis} == {"It is light.", "It has little weight."}
        follows = premise == FLUFFY and hypothesis in ("It is light.", "It has little weight.")
        return "entailment" if same or follows else "neutral"

    inference = replace(joint, assumptions=assumptions_of(assumed), solver=load_solver("exhaustive"))
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (only,) = Maieutic(lm, ScriptedVerifier(judge), inference=inference).conclude([tree()])
    return only


def test_a_reason_given_twice_in_other_words_counts_once() -> None:
    apart, joined = answer(Joint(TELLING)), answer(Joint(TELLING, merge=True))
    assert (apart.verdict.merged, joined.verdict.merged) == ((), ((QT0, QT1),))
    assert joined.labels["QT0"] == joined.labels["QT1"]
    assert joined.verdict.twin("QT1") == QT0
    assert joined.verdict.twin("QT0") is None
    assert len([c for c in joined.verdict.constraints if c.kind == "tree"]) == 1
    assert apart.p_true is not None
    assert joined.p_true is not None
    assert 0.5 < joined.p_true < apart.p_true
    assert Answer.from_json(joined.to_json()) == joined


def test_pruned_propositions_take_part_with_a_share_of_their_weight() -> None:
    without, little, full = (answer(Joint(TELLING, pruned=share)) for share in (0.0, 0.25, 1.0))
    assert "QF0" not in without.labels
    assert [node.id for node in little.propositions] == ["Q", "QT0", "QT1", "QF0"]
    weights = [
        next(c.weight for c in one.verdict.constraints if c.kind == "tree" and c.source == QF0)
        for one in (little, full)
    ]
    assert weights[0] == pytest.approx(0.25 * weights[1])
    p = [one.p_true or 0.0 for one in (without, little, full)]
    assert p[0] > p[1] > p[2]  # it was given as a reason against Q
    assert Answer.from_json(little.to_json()) == little


def test_what_is_assumed_of_one_of_two_that_are_merged_counts_once() -> None:
    joined = answer(Joint(TELLING, merge=True), FLUFFY)
    assert joined.labels["QT0"] == joined.labels["QT1"] is True
    assert len([c for c in joined.verdict.constraints if c.source == Literal("A1")]) == 1
    flip = with_flip(joined).verdict.flip
    assert flip is not None
    assert flip
    assert Answer.from_json(joined.to_json()) == joined


def test_one_of_two_that_are_merged_may_be_settled_by_an_assumption() -> None:
    joined = answer(Joint(TELLING, merge=True), "It has much weight.")
    assert (joined.verdict.merged, joined.verdict.held) == (((QT0, QT1),), (Literal("A1"), ~QT1))
    assert (joined.labels["QT0"], joined.labels["QT1"]) == (False, False)


def test_the_twin_of_what_was_merged_with_a_negation_is_that_negation() -> None:
    verdict = replace(answer(Joint(TELLING)).verdict, merged=((QT0, ~QT1),))
    assert (verdict.twin("QT1"), verdict.twin("QF0")) == (~QT0, None)
