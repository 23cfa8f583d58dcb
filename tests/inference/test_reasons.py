"""The reasons of a verdict: each piece of evidence once, moved by exactly what the definition says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer
from maieutic.inference import Joint
from maieutic.inference import reasons as module
from maieutic.inference.argue import Argue
from maieutic.inference.assumptions import assumptions_of
from maieutic.inference.reasons import Reason, reasons_of
from maieutic.inference.weights import EVERY_TERM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.tree import Proposition, Tree
from tests.inference.random_answers import INFERENCES, random_answer

SEEDS = st.integers(0, 60)
EACH = pytest.mark.parametrize("name", INFERENCES)


def reasons(answer: Answer) -> tuple[Reason, ...]:
    return reasons_of(answer.tree, answer.verdict, answer.graph)


def p_root(
    answer: Answer, left_out: Collection[int] = (), given: Mapping[str, bool] | None = None
) -> float | None:
    """P(Q) without some constraints, given some labels: the sum over all labellings, written out."""
    encoding = answer.verdict.encoding
    soft = [c for i, c in enumerate(encoding.problem.soft) if i not in left_out]
    problem = replace(encoding.problem, soft=tuple(soft))
    weighed: dict[bool, float] = {True: 0.0, False: 0.0}
    for labels in itertools.product((False, True), repeat=problem.variables):
        named = {i: labels[abs(v) - 1] == (v > 0) for i, v in encoding.variables.items()}
        if problem.satisfies_hard(labels) and all(named[i] == v for i, v in (given or {}).items()):
            weighed[named["Q"]] += math.exp(-problem.cost(labels))
    total = sum(weighed.values())
    return weighed[True] / total if total else None


def connected(answer: Answer) -> set[str]:
    """The propositions that chains of constraints connect with Q; those of one variable are one."""
    variables = answer.verdict.encoding.variables
    graph: nx.Graph[int] = nx.Graph()
    graph.add_node(abs(variables["Q"]))
    for constraint in answer.verdict.constraints:
        nx.add_path(graph, [abs(variables[i]) for i in constraint.ids])
    reached = nx.node_connected_component(graph, abs(variables["Q"]))
    return {i for i, variable in variables.items() if abs(variable) in reached and i != "Q"}


@settings(max_examples=25)
@given(seed=SEEDS)
def test_every_connected_explanation_is_exactly_one_reason_and_every_other_is_none(seed: int) -> None:
    answer = random_answer(seed, "joint")
    ids = [i for reason in reasons(answer) if reason.source == "explanation" for i in reason.ids]
    assert len(ids) == len(set(ids))
    assert set(ids) == connected(answer)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_an_explanation_moves_q_by_what_its_other_label_would_change(seed: int) -> None:
    answer = random_answer(seed, "joint")
    now = p_root(answer)
    assert now is not None
    for reason in reasons(answer):
        if reason.source == "explanation":
            label = answer.labels[reason.ids[0]]
            assert (reason.held, {answer.labels[i] for i in reason.ids}) == (label, {label})
            assert reason.otherwise == pytest.approx(p_root(answer, given={reason.ids[0]: not label}))
            assert reason.moves == pytest.approx(now - (reason.otherwise or 0.0))
            if abs(reason.moves) > 1e-6:
                assert reason.supports == ((reason.moves > 0) == label)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_what_the_model_says_of_q_moves_it_by_what_leaving_it_out_would_change(seed: int) -> None:
    answer = random_answer(seed, "joint")
    kinds = {"direct": "belief", "thought": "chain", "common": "bias"}
    about: dict[str, int] = {
        c.kind: i for i, c in enumerate(answer.verdict.constraints) if c.ids == {"Q"} and not c.target
    }
    found = {kinds[r.source]: r for r in reasons(answer) if r.ids == ("Q",)}
    assert found.keys() == about.keys()
    for kind, reason in found.items():
        assert reason.otherwise == pytest.approx(p_root(answer, {about[kind]}))
        assert reason.supports == answer.verdict.constraints[about[kind]].source.positive
        assert reason.supports == (reason.moves > 0)


@EACH
@settings(max_examples=25)
@given(seed=SEEDS)
def test_the_strongest_come_first_and_only_what_is_labelled_is_a_reason(name: str, seed: int) -> None:
    answer = random_answer(seed, name)
    found = reasons(answer)
    sizes = [abs(reason.moves) for reason in found]
    assert sizes == sorted(sizes, reverse=True)
    ids = [i for reason in found if reason.source == "explanation" for i in reason.ids]
    assert len(ids) == len(set(ids))
    assert set(ids) <= answer.labels.keys() - {"Q"}
    for reason in found:
        if reason.rival is not None:
            assert not reason.held
            assert answer.labels[reason.rival]
            assert reason.rival not in reason.ids


@settings(max_examples=25)
@given(seed=SEEDS)
def test_the_votes_of_the_reasons_add_up_to_the_margin(seed: int) -> None:
    answer = random_answer(seed, "vote")
    if answer.verdict.margin_unit == "votes":
        total = sum(reason.moves for reason in reasons(answer))
        assert total == sum((answer.verdict.votes or {}).values())
        assert abs(total) == answer.margin


@settings(max_examples=25)
@given(seed=SEEDS)
def test_an_argument_moves_q_by_what_its_strength_loses_without_it(seed: int) -> None:
    answer = random_answer(seed, "argue")
    strengths, tree = answer.verdict.strengths, answer.tree
    assert strengths is not None
    found = {reason.ids[0]: reason for reason in reasons(answer)}
    assert found.keys() - {"Q"} == strengths.keys() - {"Q"}
    for node_id, reason in found.items():
        below = {node_id} if node_id != "Q" else set()
        for node in sorted(tree.nodes, key=lambda node: node.depth):
            below |= {node.id} if node.parent in below else set()
        left = tuple(node for node in tree.nodes if node.id not in below)
        if node_id == "Q":
            left = tuple(replace(n, p_true=None) if n.id == "Q" else n for n in left)
        without = Argue().infer(replace(tree, nodes=left), answer.graph).strengths
        assert without is not None
        assert reason.moves == pytest.approx(strengths["Q"] - without["Q"])
        assert reason.moves * (1 if reason.supports else -1) >= -1e-9


def assumed(text: str, *, holds: bool = True) -> Answer:
    """Q, two explanations, and an assumption; cold things are not wet, and so on."""
    nodes = (
        Proposition("Q", None, "Ice is wet.", "Ice is not wet.", 0.6, 0.5),
        Proposition("QT0", "Q", "Ice melts.", "Ice does not melt.", 0.7, 0.2),
        Proposition("QF0", "Q", "Ice is cold.", "Ice is not cold.", 0.8, 0.3),
    )

    def judge(premise: str, hypothesis: str) -> str:
        return "contradiction" if "is cold" in premise and hypothesis == "Ice is wet." else "neutral"

    facts = assumptions_of([text] if holds else [], [] if holds else [text])
    pipeline = Maieutic(
        ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5),
        ScriptedVerifier(judge),
        inference=Joint(EVERY_TERM, assumptions=facts),
    )
    (answer,) = pipeline.conclude([Tree("Ice is wet.", "Ice is wet.", "Ice is not wet.", nodes)])
    return answer


def test_an_assumption_moves_q_by_what_leaving_it_out_would_change() -> None:
    answer = assumed("Snow is cold.")
    (reason,) = (reason for reason in reasons(answer) if reason.source == "assumption")
    about = {i for i, c in enumerate(answer.verdict.constraints) if "A1" in c.ids}
    assert about
    assert (reason.ids, reason.held, reason.supports) == (("A1",), True, False)
    assert reason.otherwise == pytest.approx(p_root(answer, about))
    assert reason.moves < 0
    assert not any(reason.source == "assumption" for reason in reasons(assumed("Rain falls.")))


def test_an_explanation_that_an_assumption_fixes_counts_by_what_leaving_it_out_would_change() -> None:
    answer = assumed("Ice is cold.")
    (reason,) = (reason for reason in reasons(answer) if reason.ids == ("QF0",))
    about = {i for i, c in enumerate(answer.verdict.constraints) if "QF0" in c.ids}
    assert reason.otherwise == pytest.approx(p_root(answer, about))
    assert (reason.held, reason.supports) == (True, False)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_where_exact_sums_are_out_of_reach_weights_order_the_same_reasons(seed: int) -> None:
    answer = random_answer(seed, "joint")
    verdict = replace(answer.verdict, p_true=None, p_labels=None)
    found, exact = reasons(replace(answer, verdict=verdict)), reasons(answer)
    assert all(reason.otherwise is None for reason in found)
    assert sorted(reason.ids for reason in found) == sorted(reason.ids for reason in exact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_WIDTH", -1)
        assert reasons(answer) == found
