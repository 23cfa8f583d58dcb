"""Every metric against scikit-learn, against its definition, and by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from math import exp
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.calibration_error import BINS
from maieutic.benchmarks.analysis.metrics import (
    P_TRUE,
    calibration_bins,
    discrimination,
    measure,
    pairwise,
    risk_coverage,
)
from maieutic.benchmarks.methods.base import Usage
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError

QUICK = settings(deadline=None, max_examples=40)


def record(
    right: bool | None, confidence: float | None = None, *, pair: str = "", gold: bool = True
) -> Record:
    """A record that is right, wrong or unscored, with P(its answer is right) as the confidence."""
    answer = None if right is None else right == gold
    p_true = confidence if answer or confidence is None else 1 - confidence
    return Record("q", "Text.", gold, pair, answer, p_true)


def margins(rows: Sequence[tuple[bool | None, float]], unit: str = "nats") -> list[Record]:
    return [replace(record(right), margin=margin, margin_unit=unit) for right, margin in rows]


rows = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40)


def records(drawn: Sequence[tuple[bool, float]]) -> list[Record]:
    return [record(right, p, gold=place % 3 > 0) for place, (right, p) in enumerate(drawn)]


# -- accuracy ------------------------------------------------------------------------------------------


def test_a_question_without_an_answer_is_wrong_but_not_scored() -> None:
    found = measure([record(True), record(True), record(False), record(None)])
    assert (found.questions, found.scored, found.right) == (4, 3, 2)
    assert found.accuracy == 0.5
    assert found.accuracy_scored == pytest.approx(2 / 3)
    none = measure([record(None)])
    assert (none.accuracy, none.accuracy_scored, none.aurc, none.ece) == (0.0, None, None, None)


def test_nothing_and_questions_without_a_gold_answer_cannot_be_measured() -> None:
    for unmeasurable in ([], [replace(record(True), gold=None)]):
        with pytest.raises(InputError) as caught:
            measure(unmeasurable)
        assert caught.value.subject == "records"


def test_a_question_without_a_gold_answer_is_in_no_number() -> None:
    assert measure([record(True), record(False), replace(record(True), gold=None)]) == measure(
        [record(True), record(False)]
    )


def test_a_pair_counts_only_if_both_twins_are_right() -> None:
    drawn = [(True, "a"), (False, "b"), (True, "a"), (True, "b"), (False, "c"), (False, "c")]
    found = pairwise([record(right, pair=pair) for right, pair in [*drawn, (True, "widow"), (True, "")]])
    assert found is not None
    assert (found.pairs, found.right, found.left_out) == (3, 1, 1)
    assert found.accuracy == pytest.approx(1 / 3)
    assert pairwise([record(True)]) is None
    alone = pairwise([record(True, pair="a"), record(True, pair="b")])
    assert alone is not None
    assert (alone.accuracy, alone.left_out) == (None, 2)
    unanswered = pairwise([record(None, pair="a"), record(True, pair="a")])
    assert unanswered is not None
    assert unanswered.accuracy == 0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
@QUICK
def test_pairs_are_right_no_oftener_than_either_twin(twins: list[tuple[bool, bool]]) -> None:
    drawn = [record(right, pair=str(k)) for k, both in enumerate(twins) for right in both]
    found = pairwise(drawn)
    assert found is not None
    assert found.accuracy is not None
    assert 2 * measure(drawn).accuracy - 1 - 1e-12 <= found.accuracy <= measure(drawn).accuracy


# -- calibration ---------------------------------------------------------------------------------------


def test_calibration_error_by_hand() -> None:
    """Two bins: three answers at 0.9 of which two are right, one at 0.55 that is wrong."""
    drawn = [record(True, 0.9), record(True, 0.9, gold=False), record(False, 0.9), record(False, 0.55)]
    first, second = calibration_bins(drawn)
    assert (first.count, first.accuracy, second.count) == (1, 0.0, 3)
    assert second.accuracy == pytest.approx(2 / 3)
    assert measure(drawn).ece == pytest.approx((1 * 0.55 + 3 * (0.9 - 2 / 3)) / 4)


@pytest.mark.parametrize(("confidence", "bin_"), [(0.0, 0), (1 / 15, 0), (0.0667, 1), (0.6, 8), (1.0, 14)])
def test_a_bin_holds_its_upper_end_and_the_first_one_zero(confidence: float, bin_: int) -> None:
    for gold in (True, False):  # 1 − 0.6 is not quite 0.4
        (found,) = calibration_bins([record(True, confidence, gold=gold)])
        assert found.low == pytest.approx(bin_ / BINS)


@given(rows)
@QUICK
def test_the_bins_are_scikit_learns(drawn: list[tuple[bool, float]]) -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    away = [(right, p) for right, p in drawn if abs(p * BINS - round(p * BINS)) > 1e-6]
    bins = calibration_bins(records(away))
    if not away:
        assert bins == []
        return
    right = [right for right, _ in away]
    accuracy, confidence = calibration.calibration_curve(right, [p for _, p in away], n_bins=BINS)
    assert [found.accuracy for found in bins] == pytest.approx(list(accuracy))
    assert [found.confidence for found in bins] == pytest.approx(list(confidence), abs=1e-8)
    assert sum(found.count for found in bins) == len(away)


@given(rows)
@QUICK
def test_calibration_error_lies_between_the_overall_gap_and_one(drawn: list[tuple[bool, float]]) -> None:
    error = measure(records(drawn)).ece
    assert error is not None
    gap = abs(np.mean([right for right, _ in drawn]) - np.mean([p for _, p in drawn]))
    assert gap - 1e-8 <= error <= 1
    assert measure(records(drawn)[::-1]).ece == pytest.approx(error)


@given(rows)
@QUICK
def test_the_brier_score_is_scikit_learns(drawn: list[tuple[bool, float]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    made = records(drawn)
    gold, p_true = [bool(r.gold) for r in made], [r.p_true for r in made]
    assert measure(made).brier == pytest.approx(metrics.brier_score_loss(gold, p_true))


@given(rows)
@QUICK
def test_brier_score_is_the_mean_squared_distance_from_the_truth(drawn: list[tuple[bool, float]]) -> None:
    made = records(drawn)
    expected = np.mean([(r.p_true - bool(r.gold)) ** 2 for r in made if r.p_true is not None])
    assert measure(made).brier == pytest.approx(expected)


def test_brier_score_by_hand() -> None:
    """P(true) 0.8 of a truth, 0.3 of a falsehood, 0.6 of a falsehood: (0.04 + 0.09 + 0.36) / 3."""
    drawn = [Record("q", "T.", gold, "", p > 0.5, p) for gold, p in [(True, 0.8), (False, 0.3), (False, 0.6)]]
    assert measure(drawn).brier == pytest.approx(0.49 / 3)


# -- risk against coverage -----------------------------------------------------------------------------


def test_area_under_the_risk_coverage_curve_by_hand() -> None:
    """Right, wrong, right by falling confidence: risks 0, 1/2, 1/3."""
    curve = risk_coverage([record(True, 0.7), record(True, 0.9), record(False, 0.8)])
    assert curve is not None
    assert list(curve.risk) == pytest.approx([0, 1 / 2, 1 / 3])
    assert list(curve.coverage) == pytest.approx([1 / 3, 2 / 3, 1])
    assert curve.area == pytest.approx(5 / 18)
    assert curve.ranked_by == P_TRUE


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.5, 0.7, 0.9])), min_size=1, max_size=6))
@QUICK
def test_ties_are_the_mean_over_all_orders(drawn: list[tuple[bool, float]]) -> None:
    risks = [
        np.cumsum([not right for right, _ in order]) / np.arange(1, len(order) + 1)
        for order in permutations(drawn)
        if [p for _, p in order] == sorted((p for _, p in drawn), reverse=True)
    ]
    curve = risk_coverage(records(drawn))
    assert curve is not None
    assert list(curve.risk) == pytest.approx(list(np.mean(risks, axis=0)))


@given(rows, st.randoms())
@QUICK
def test_the_curve_ends_at_the_error_rate_and_knows_no_order(
    drawn: list[tuple[bool, float]], random: Random
) -> None:
    made = records(drawn)
    curve = risk_coverage(made)
    assert curve is not None
    assert 0 <= curve.area <= 1
    assert curve.risk[-1] == pytest.approx(1 - measure(made).accuracy)
    random.shuffle(made)
    shuffled = risk_coverage(made)
    assert shuffled is not None
    assert list(shuffled.risk) == pytest.approx(list(curve.risk))


@given(rows)
@QUICK
def test_only_the_order_of_margins_matters(drawn: list[tuple[bool, float]]) -> None:
    rounded = [(right, round(margin, 3)) for right, margin in drawn]
    one = risk_coverage(margins(rounded))
    other = risk_coverage(margins([(right, exp(3 * margin)) for right, margin in rounded]))
    assert one is not None
    assert other is not None
    assert list(one.risk) == pytest.approx(list(other.risk))
    assert one.ranked_by == "nats"


@given(st.integers(1, 20), st.integers(0, 20))
@QUICK
def test_no_ranking_beats_the_one_with_all_errors_last(right: int, wrong: int) -> None:
    best = risk_coverage(records([(True, 0.9)] * right + [(False, 0.6)] * wrong))
    blind = risk_coverage(records([(True, 0.7)] * right + [(False, 0.7)] * wrong))
    worst = risk_coverage(records([(True, 0.6)] * right + [(False, 0.9)] * wrong))
    assert best is not None
    assert blind is not None
    assert worst is not None
    assert best.area <= blind.area + 1e-12
    assert blind.area == pytest.approx(wrong / (right + wrong))
    assert blind.area <= worst.area + 1e-12


def test_no_answer_comes_last_and_is_wrong() -> None:
    curve = risk_coverage([record(None), record(True, 0.5), record(True, 0.4)])
    assert curve is not None
    assert list(curve.risk) == pytest.approx([0, 0, 1 / 3])
    assert measure([record(None), record(True, 1.0)]).ece == 0


# -- discrimination ------------------------------------------------------------------------------------


@QUICK
@given(rows)
def test_the_auroc_is_that_of_scikit_learn_and_the_share_of_ordered_pairs(
    drawn: Sequence[tuple[bool, float]],
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    graded = [(right, round(p, 1)) for right, p in drawn]
    found = discrimination(records(graded))
    good = [p for right, p in graded if right]
    bad = [p for right, p in graded if not right]
    if not good or not bad:
        assert found is None
        return
    ordered = sum((a > b) + (a == b) / 2 for a in good for b in bad) / (len(good) * len(bad))
    assert found == pytest.approx(ordered)
    assert found == pytest.approx(
        metrics.roc_auc_score([right for right, _ in graded], [p for _, p in graded])
    )


def test_the_auroc_leaves_out_questions_without_an_answer_and_takes_margins() -> None:
    graded = [record(None), record(True, 0.5), record(False, 0.4)]
    assert measure(graded).auroc == 1.0
    assert measure(margins([(True, 0.2), (False, 0.2), (False, 0.9)])).auroc == 0.25
    assert measure([record(True), record(False)]).auroc is None


# -- what is not given ---------------------------------------------------------------------------------


def test_margins_of_two_units_are_not_ranked() -> None:
    found = measure(margins([(True, 2.0)], "votes") + margins([(False, 0.3)], "probability"))
    assert (found.aurc, found.ranked_by) == (None, None)


def test_a_margin_called_probability_is_not_the_probability_of_being_true() -> None:
    found = measure(margins([(True, 0.9), (False, 0.2)], "probability"))
    assert (found.ece, found.brier, found.ranked_by) == (None, None, "probability")
    assert found.aurc == pytest.approx(0.25)


def test_probabilities_of_some_answers_only_are_no_calibration() -> None:
    found = measure([record(True, 0.9), record(False)])
    assert (found.ece, found.brier, found.aurc) == (None, None, None)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused_by_question(p: float) -> None:
    for records, subject in (
        ([Record("q", "Text.", True, "", True, p)], "p_true"),
        (margins([(True, -1.0)]), "margin"),
    ):
        with pytest.raises(InputError) as refused:
            measure(records)
        assert refused.value.subject == subject
        assert "'q'" in str(refused.value)


def test_rounding_beyond_one_is_forgiven() -> None:
    found = measure([Record("q", "Text.", True, "", True, 1 + 1e-7)])
    assert (found.ece, found.brier) == (0, 0)


# -- cost ----------------------------------------------------------------------------------------------


def test_costs_are_means_over_all_questions() -> None:
    drawn = [
        replace(record(True), usage=Usage(100, 10, 2, 0), seconds=1.0),
        replace(record(None), usage=Usage(300, 20, 4, 6), seconds=2.0),
    ]
    costs = measure(drawn).costs
    assert (costs.prompt_tokens, costs.generated_tokens, costs.tokens) == (200, 15, 215)
    assert (costs.calls, costs.verifier_pairs, costs.seconds) == (3, 3, 1.5)
