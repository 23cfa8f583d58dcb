"""Argumentation against its definition (Rago et al., KR 2016), worked out by recursion on random trees."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.inference import Argue, Verdict
from maieutic.inference.argue import aggregate, combine
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import relate
from maieutic.tree import Proposition, Tree, child_id

BELIEFS = st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
UNIT = st.floats(0, 1)


def proposition(node_id: str, parent: str | None, p: float | None) -> Proposition:
    return Proposition(node_id, parent, f"{node_id} holds.", f"{node_id} fails.", p, 0.5)


def tree_of(*nodes: Proposition) -> Tree:
    return Tree("Q?", "Q holds.", "Q fails.", nodes)


@st.composite
def trees(draw: st.DrawFn, least: int = 0) -> Tree:
    """Trees of ``least`` + 1 to eight propositions of any shape, beliefs known or not."""
    nodes = [proposition("Q", None, draw(BELIEFS))]
    for index in range(draw(st.integers(least, 7))):
        parent = draw(st.sampled_from(nodes)).id
        nodes.append(proposition(child_id(parent, draw(st.booleans()), index), parent, draw(BELIEFS)))
    return tree_of(*nodes)


def argue(tree: Tree) -> Verdict:
    graph = relate([tree], ScriptedVerifier(lambda *_: "neutral"), Argue())[0].graph
    return Argue().infer(tree, graph)


def strength(verdict: Verdict, node_id: str = "Q") -> float:
    assert verdict.strengths is not None
    return verdict.strengths[node_id]


def by_definition(tree: Tree, node_id: str) -> float:
    """The DF-QuAD strength of a proposition: equations 1 to 3 of the paper, two arguments at a time."""
    (node,) = (node for node in tree.nodes if node.id == node_id)

    def aggregated(side: str) -> float:
        total = 0.0
        for child in tree.nodes:
            if child.parent == node_id and child.id.startswith(f"{node_id}{side}"):
                v = by_definition(tree, child.id)
                total = total + v - total * v  # f(v₁, v₂) = v₁ + v₂ − v₁·v₂, applied from left to right
        return total

    base = 0.5 if node.p_true is None else node.p_true
    attack, support = aggregated("F"), aggregated("T")
    if attack == support:
        return base
    if attack > support:
        return base - base * (attack - support)
    return base + (1 - base) * (support - attack)


@given(tree=trees())
def test_every_strength_is_the_one_of_the_definition_and_the_answer_is_whether_q_reaches_a_half(
    tree: Tree,
) -> None:
    verdict = argue(tree)
    expected = {node.id: by_definition(tree, node.id) for node in tree.nodes}
    assert verdict.strengths == pytest.approx(expected, abs=1e-9)
    assert verdict.answer == (strength(verdict) >= 0.5)
    assert verdict.labels == {node.id: strength(verdict, node.id) >= 0.5 for node in tree.nodes}
    assert (verdict.margin, verdict.margin_unit) == (abs(strength(verdict) - 0.5), "strength")
    assert (verdict.p_true, verdict.constraints, verdict.solver) == (None, (), "")


@given(tree=trees())
def test_strengths_are_between_zero_and_one(tree: Tree) -> None:
    verdict = argue(tree)
    assert all(0 <= strength(verdict, node.id) <= 1 for node in tree.nodes)


@given(
    tree=trees(least=1),
    choice=st.randoms(use_true_random=False),
    beliefs=st.lists(UNIT, min_size=2, max_size=2),
)
def test_a_stronger_supporter_never_weakens_q_and_a_stronger_attacker_never_strengthens_it(
    tree: Tree, choice: random.Random, beliefs: tuple[float, float]
) -> None:
    """A proposition speaks for Q if the path to it has an even number of attacks."""
    node = choice.choice(tree.nodes)
    weak, strong = (
        strength(argue(tree_of(*(replace(n, p_true=p) if n is node else n for n in tree.nodes))))
        for p in sorted(beliefs)
    )
    if node.id.count("F") % 2 == 0:
        assert weak <= strong + 1e-12
    else:
        assert weak >= strong - 1e-12


@given(tree=trees(), choice=st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_does_not_matter(tree: Tree, choice: random.Random) -> None:
    nodes = list(tree.nodes)
    choice.shuffle(nodes)
    verdict, shuffled = argue(tree), argue(tree_of(*nodes))
    assert shuffled.strengths == pytest.approx(verdict.strengths, abs=1e-12)
    assert next(iter(shuffled.strengths or {})) == "Q"


@given(p=BELIEFS)
@pytest.mark.parametrize("kept", [True, False])
def test_a_lone_root_has_the_strength_of_its_belief(kept: bool, p: float | None) -> None:
    root = proposition("Q", None, p)
    tree = tree_of(root) if kept else replace(tree_of(), pruned=(root,))
    assert strength(argue(tree)) == (0.5 if p is None else p)


def test_an_empty_tree_of_which_nothing_is_known_is_answered_true_with_no_margin() -> None:
    verdict = argue(tree_of())
    assert (verdict.answer, verdict.margin, verdict.labels) == (True, 0.0, {"Q": True})


@given(base=BELIEFS, others=st.lists(UNIT, max_size=3))
def test_equal_attack_and_support_leave_the_base_score(base: float | None, others: list[float]) -> None:
    sides = [
        proposition(child_id("Q", side, index), "Q", p)
        for side in (True, False)
        for index, p in enumerate(others)
    ]
    assert strength(argue(tree_of(proposition("Q", None, base), *sides))) == (0.5 if base is None else base)


@given(base=UNIT, attack=UNIT, support=UNIT)
def test_attack_lowers_and_support_raises_by_their_distance(
    base: float, attack: float, support: float
) -> None:
    combined = combine(base, attack, support)
    assert 0 <= combined <= 1
    assert (combined <= base) if attack >= support else (combined >= base)
    mirrored = combine(1 - base, support, attack)  # what attacks a claim supports its negation
    assert combined == pytest.approx(1 - mirrored, abs=1e-9)


@given(strengths=st.lists(UNIT, max_size=5), more=UNIT)
def test_one_more_argument_never_makes_a_side_weaker(strengths: list[float], more: float) -> None:
    assert aggregate([]) == 0.0
    assert aggregate([more]) == pytest.approx(more, abs=1e-12)
    assert max([0.0, *strengths]) - 1e-12 <= aggregate(strengths) <= 1
    assert aggregate(strengths) <= aggregate([*strengths, more]) + 1e-12
    assert aggregate([*strengths, 1.0]) == 1.0


def test_argumentation_needs_no_verifier_and_has_no_settings() -> None:
    assert not Argue().uses_verifier
    assert Argue.__dataclass_fields__ == {}
