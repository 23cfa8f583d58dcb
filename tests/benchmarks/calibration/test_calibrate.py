"""Learning weights: the likelihood against its definition, folds by question, and what is refused."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.statistics import bootstrap
from maieutic.benchmarks.calibration.calibrate import priors_of
from maieutic.benchmarks.calibration.fit import Evidence, evidence_of, fit, folds_of, held_out, joined
from maieutic.benchmarks.calibration.study import ProbabilityScores, Study, scored, study, without_weights
from maieutic.errors import InputError
from maieutic.inference import BeliefGraph, Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, PRIORS, TERMS
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import relate
from maieutic.solvers import load_solver
from maieutic.tree import Chain, Proposition, Tree, is_integral, taking_part

START = replace(DEFAULT_WEIGHTS, negation=0.3, wavering=0.2, bias=0.1)


def judge(premise: str, hypothesis: str) -> str:
    return random.Random(premise + hypothesis).choice(["entailment", "contradiction", "neutral"])


VERIFIER = ScriptedVerifier(judge)


def graphs_of(trees: list[Tree]) -> list[BeliefGraph]:
    return [related.graph for related in relate(trees, VERIFIER, Joint())]


def proposition(name: str, parent: str | None, p: float | None, q: float | None) -> Proposition:
    return Proposition(name, parent, f"{name} holds.", f"{name} fails.", p, q, is_integral(p, q, 0.45))


def grown(number: int, rng: random.Random, *, helpful: bool = True) -> Tree:
    """A tree of two to five propositions whose first explanation is believed on the right side."""
    gold = rng.random() < 0.5
    nodes = [proposition("Q", None, rng.random(), rng.random())]
    for name in rng.sample(["QT0", "QF0", "QT1", "QF1"], rng.randint(1, 4)):
        believed = helpful and (name[1] == "T") == gold
        nodes.append(proposition(name, "Q", *((0.9, 0.1) if believed else (0.3, 0.6))))
    return Tree(f"{number}?", "Q holds.", "Q fails.", tuple(nodes), answer=gold)


def some(count: int, seed: int = 0) -> Evidence:
    rng = random.Random(seed)
    trees = [grown(number, rng) for number in range(count)]
    return evidence_of(trees, graphs_of(trees), START)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_probabilities_that_are_learned_from_are_those_that_inference_gives(seed: int) -> None:
    rng = random.Random(seed)
    trees = [grown(number, rng, helpful=False) for number in range(3)]
    trees.append(replace(trees[0], nodes=trees[0].nodes[:1]))
    graphs = graphs_of(trees)
    weights = replace(START, **{name: rng.uniform(0, 2) for name in TERMS})
    found = evidence_of(trees, graphs, weights).p_true(weights)
    inference = Joint(weights, solver=load_solver("exhaustive"))
    expected = [inference.infer(t, g).p_true for t, g in zip(trees, graphs, strict=True)]
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_best_labels_are_those_that_inference_gives(seed: int) -> None:
    rng = random.Random(seed)
    trees = [grown(number, rng, helpful=False) for number in range(4)]
    graphs = graphs_of(trees)
    weights = replace(START, **{name: rng.uniform(0.1, 2) for name in TERMS})
    found = evidence_of(trees, graphs, weights).best_labels(weights)
    inference = Joint(weights, solver=load_solver("exhaustive"), answer_by="labelling")
    for tree, graph, labels in zip(trees, graphs, found, strict=True):
        verdict = inference.infer(tree, graph)
        assert labels == [verdict.labels[node.id] for node in (tree.root, *taking_part(tree))]


def test_what_is_learned_makes_the_gold_answers_likelier_and_lets_no_weight_below_zero() -> None:
    evidence = some(80)
    learned = fit(evidence, START, l2=0.1)
    before, after = (ProbabilityScores.of(evidence.p_true(w), evidence.gold) for w in (START, learned))
    assert after.nll < before.nll
    assert after.accuracy > 0.8
    assert all(getattr(learned, name) >= 0 for name in TERMS if name != "bias")
    assert (learned.clip, learned.threshold) == (START.clip, START.threshold)


def test_terms_that_are_off_stay_zero() -> None:
    learned = fit(some(40), START, off=("integral", "bias"))
    assert (learned.integral, learned.bias) == (0.0, 0.0)


def test_learning_twice_gives_the_same() -> None:
    assert fit(some(30), START) == fit(some(30), START)


def test_a_tree_is_scored_by_weights_that_never_saw_its_question() -> None:
    evidence = some(30)
    p = held_out(evidence, START, folds=3, seed=1)
    place = folds_of(evidence.questions, 1, 3)
    first = [fold == place[0] for fold in place]
    weights = fit(evidence.chosen([not inside for inside in first]), START)
    assert float(p[0]) == pytest.approx(float(evidence.p_true(weights)[0]))


def test_sets_that_are_joined_keep_their_probabilities() -> None:
    one, other = some(7), some(5, seed=3)
    both = joined([one, other]).p_true(START)
    torch.testing.assert_close(both, torch.cat([one.p_true(START), other.p_true(START)]))


def test_one_kind_of_answer_and_too_few_questions_are_refused() -> None:
    evidence = some(12)
    only_true = evidence.chosen((evidence.gold > 0.5).tolist())
    with pytest.raises(InputError) as refused:
        fit(only_true, START)
    assert refused.value.subject == "gold"
    for folds in (13, 1):
        with pytest.raises(InputError) as refused:
            held_out(evidence, START, folds=folds, seed=0)
        assert refused.value.subject == "folds"


def test_scores_are_those_of_the_textbook() -> None:
    p = torch.tensor([0.9, 0.8, 0.4, 0.1], dtype=torch.float64)
    gold = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    scores = ProbabilityScores.of(p, gold)
    assert (scores.accuracy, scores.half) == (0.75, 1.0)
    assert scores.brier == pytest.approx((0.01 + 0.64 + 0.16 + 0.01) / 4)
    assert scores.ece == pytest.approx((0.1 + 0.8 + 0.4 + 0.1) / 4)


def test_the_study_has_every_way_for_every_kind_and_set() -> None:
    rng = random.Random(5)
    trees = [grown(number, rng) for number in range(24)]
    graphs = graphs_of(trees)
    evidence = evidence_of(trees, graphs, START)
    rows = list(study({"a": evidence, "b": some(20)}, Study(START, folds=3, seeds=(0, 1), ablate=True)))
    ways = {row.way for row in rows if row.data == "a"}
    expected = {"in fold", "out of fold", "from b", *(f"without {term}" for term in TERMS)}
    assert ways == expected
    (held,) = (row for row in rows if (row.data, row.kind, row.way) == ("a", "all", "out of fold"))
    assert (held.trees, len(held.scores)) == (24, 2)
    assert held.spread("nll") >= 0
    plain = list(without_weights("a", evidence, trees, graphs))
    assert {row.way for row in plain} == {"vote", "argue", "root belief"}
    assert not any(row.probabilities for row in plain)


def test_accuracy_has_the_interval_of_its_questions() -> None:
    """Trees of one question are no more evidence than one of them."""
    evidence = some(24)
    (row,) = (row for row in scored("a", evidence, "default", START) if row.kind == "all")
    right = ((evidence.p_true(START) >= 0.5) == (evidence.gold > 0.5)).tolist()
    assert row.interval == bootstrap(right, evidence.questions, seed=0)
    assert row.interval.low <= row.mean("accuracy") <= row.interval.high
    (twice,) = (row for row in scored("a", joined([evidence] * 2), "default", START) if row.kind == "all")
    assert (twice.trees, twice.interval) == (48, row.interval)


@given(
    questions=st.lists(st.sampled_from([f"Question {n}?" for n in range(12)] + ["Question  3?"]), min_size=6),
    seed=st.integers(0, 99),
    folds=st.integers(2, 5),
)
def test_folds_are_even_and_keep_equal_questions_together(
    questions: list[str], seed: int, folds: int
) -> None:
    place = folds_of(questions, seed, folds)
    of_question: dict[str, set[int]] = {}
    for question, fold in zip(questions, place, strict=True):
        of_question.setdefault(" ".join(question.split()), set()).add(fold)
    assert all(len(found) == 1 for found in of_question.values())
    sizes = [sum(found == {fold} for found in of_question.values()) for fold in range(folds)]
    assert max(sizes) - min(sizes) <= 1
    assert folds_of(questions[::-1], seed, folds) == place[::-1]


def test_a_fold_that_leaves_one_kind_of_answer_is_named() -> None:
    evidence = some(40)
    of_kind = [bool(gold) for gold in evidence.gold.tolist()]
    first = of_kind.index(True)
    lone = evidence.chosen([not kind or place == first for place, kind in enumerate(of_kind)])
    with pytest.raises(InputError) as refused:
        held_out(lone, START, folds=3, seed=0)
    lone_place = lone.gold.tolist().index(1.0)
    assert refused.value.subject == f"fold {folds_of(lone.questions, 0, 3)[lone_place]}"


@pytest.mark.parametrize("l2", [-1.0, math.inf, math.nan])
def test_a_pull_that_is_no_number_is_refused(l2: float) -> None:
    with pytest.raises(InputError) as refused:
        Study(l2=l2)
    assert refused.value.subject == "l2"


def test_with_every_weight_off_nothing_is_left_to_learn() -> None:
    for off in (TERMS, ("belief",)):
        with pytest.raises(InputError) as refused:
            Study(off=off)
        assert refused.value.subject == "off"
    assert not [
        row
        for row in study({"a": some(40)}, Study(off=TERMS[1:], ablate=True, folds=2))
        if "without" in row.way
    ]


def test_the_surer_half_does_not_depend_on_the_order_of_equals() -> None:
    p = torch.tensor([0.9, 0.8, 0.8, 0.2, 0.6, 0.5], dtype=torch.float64)
    gold = torch.tensor([1, 1, 0, 0, 0, 0], dtype=torch.float64)
    # Sure of 0.9; of the three that are as sure as 0.8 two belong to the half, and two of three are right.
    assert ProbabilityScores.of(p, gold).half == pytest.approx((1 + 2 * 2 / 3) / 3)
    assert ProbabilityScores.of(p.flip(0), gold.flip(0)).half == pytest.approx(
        ProbabilityScores.of(p, gold).half
    )


# -- priors --------------------------------------------------------------------------------------------


def judged_tree(number: int, odds: float, odds_negation: float, odds_chain: float) -> Tree:
    p, p_negation, p_chain = (1 / (1 + math.exp(-value)) for value in (odds, odds_negation, odds_chain))
    root = Proposition("Q", None, f"Fact {number} holds.", f"Fact {number} does not hold.", p, p_negation)
    return Tree(f"Fact {number}?", root.statement, root.negation, (root,), chain=Chain("So.", p_chain))


ODDS = st.lists(st.tuples(*[st.floats(-1, 1)] * 3), min_size=1, max_size=8)


@given(ODDS, st.tuples(*[st.floats(-1.5, 1.5)] * 3))
def test_what_a_model_adds_to_every_statement_is_its_prior_and_drops_out(
    rows: list[tuple[float, float, float]], shift: tuple[float, float, float]
) -> None:
    plain = [judged_tree(number, *row) for number, row in enumerate(rows)]
    moved = [
        judged_tree(number, *(odds + more for odds, more in zip(row, shift, strict=True)))
        for number, row in enumerate(rows)
    ]
    before, after = priors_of(plain, START), priors_of(moved, START)
    for name, more in zip(PRIORS.values(), shift, strict=True):
        assert getattr(after, name) - getattr(before, name) == pytest.approx(more, abs=1e-6)
    one, other = (
        evidence_of(trees, graphs_of(trees), weights).p_true(weights)
        for trees, weights in ((plain, before), (moved, after))
    )
    assert one.tolist() == pytest.approx(other.tolist(), abs=1e-6)


def test_a_model_without_chains_has_no_prior_of_chains() -> None:
    tree = replace(judged_tree(1, 0.5, -0.5, 0.0), chain=None)
    assert priors_of([tree], START).prior_chain == 0.0
    assert priors_of([], START) == replace(START, **dict.fromkeys(PRIORS.values(), 0.0))
