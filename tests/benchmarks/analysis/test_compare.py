"""Runs are compared at matched questions only, and the tests of them are scipy's and statsmodels'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.comparison import Comparison, compare, labels, matched
from maieutic.benchmarks.analysis.published import published
from maieutic.benchmarks.analysis.statistics import mcnemar
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError

QUICK = settings(deadline=None, max_examples=25)


def made(
    name: str, right: Sequence[bool | None], folder: str = "", twins: bool = False, **config: Any
) -> Run:
    """A run with a record for each entry, None for a question without an answer."""
    records = []
    for k, hit in enumerate(right):
        gold = k % 3 > 0
        answer = None if hit is None else hit == gold
        records.append(Record(f"q{k}", f"Text {k}.", gold, f"{k // 2}" if twins else "", answer))
    fields = {"dataset": "csqa2", "split": "dev", "method": "direct"} | config
    return Run(name, Path(folder or f"runs/{name}"), RunConfig(**fields), tuple(records))


def without(run: Run, *ids: str) -> Run:
    return replace(run, records=tuple(record for record in run.records if record.id not in ids))


# -- matching ------------------------------------------------------------------------------------------


def test_only_questions_of_all_runs_count_and_the_others_are_counted() -> None:
    one = without(made("one", [True] * 6), "q0")
    other = without(made("other", [False] * 6), "q4", "q5")
    found = compare([one, other])
    assert found.questions == 3
    assert [row.left_out for row in found.rows] == [2, 1]
    assert [record.id for record in matched([one, other])[1].records] == ["q1", "q2", "q3"]


def test_the_order_of_questions_is_the_first_runs_and_does_not_matter() -> None:
    one, other = made("one", [True, False, True, True]), made("other", [False, False, True, True])
    turned = replace(other, records=other.records[::-1])
    assert compare([one, turned]) == compare([one, other])


@pytest.mark.parametrize(("field", "value"), [("text", "Else."), ("gold", True), ("pair", "x")])
def test_a_question_that_is_not_the_same_is_an_error_that_names_it_and_the_runs(
    field: str, value: Any
) -> None:
    one, third = made("one", [True] * 3), made("third", [True] * 3)
    edited = (replace(third.records[0], **{field: value}), *third.records[1:])
    with pytest.raises(InputError) as raised:
        compare([one, made("two", [True] * 3), replace(third, records=edited)])
    assert raised.value.subject == field
    assert all(name in str(raised.value) for name in ("'q0'", "runs/third", "runs/one"))


@pytest.mark.parametrize(
    ("other", "subject"),
    [
        (made("b", [True], split="train"), "runs/b"),
        (made("b", [True], dataset="creak"), "runs/b"),
        (made("b", [True], folder="runs/./a"), "runs/a"),
        (without(made("b", [True, True, True]), "q0", "q1"), "runs"),
    ],
)
def test_what_cannot_be_compared_is_refused(other: Run, subject: str) -> None:
    with pytest.raises(InputError) as refused:
        compare([made("a", [True, True]), other])
    assert refused.value.subject == subject


def test_no_run_and_a_run_with_a_question_twice_are_refused() -> None:
    one = made("one", [True])
    for runs, subject in (([], "runs"), ([replace(one, records=one.records * 2)], "runs/one")):
        with pytest.raises(InputError) as refused:
            compare(runs)
        assert refused.value.subject == subject


# -- differences ---------------------------------------------------------------------------------------


def test_a_difference_by_hand() -> None:
    """Later minus earlier: 3 of 8 gained, 1 lost; p = 2 · (1 + 4) / 2⁴."""
    direct = made("direct", [True, False, False, False, True, True, False, True])
    maieutic = made("maieutic", [False, True, True, True, True, True, False, True])
    (found,) = compare([direct, maieutic]).differences
    assert (found.run, found.against) == ("maieutic", "direct")
    assert (found.gained, found.lost, found.difference) == (3, 1, 0.25)
    assert found.p == pytest.approx(10 / 16)
    assert found.p_holm == found.p


def test_a_run_against_itself_differs_by_nothing() -> None:
    right = [True, False, True, True, False]
    (found,) = compare([made("one", right), made("two", right)]).differences
    assert found.difference == 0
    assert found.interval.low == -found.interval.high
    assert (found.gained, found.lost, found.p, found.p_holm) == (0, 0, 1, 1)


def test_no_answer_is_wrong_in_tests_too() -> None:
    (found,) = compare([made("a", [None, None, True]), made("b", [True, False, True])]).differences
    assert (found.gained, found.lost) == (1, 0)


def test_one_run_alone_has_a_row_and_no_tests() -> None:
    found = compare([made("one", [True, False], twins=True)])
    assert (found.differences, found.baseline) == ((), None)
    assert found.rows[0].metrics.accuracy == 0.5
    interval = found.rows[0].interval
    assert interval.low + interval.high == pytest.approx(1.0)  # one pair, half right


def three() -> list[Run]:
    right = [[k % 3 > 0 for k in range(60)], [k % 5 > 0 for k in range(60)], [k % 7 > 0 for k in range(60)]]
    return [made(name, hits) for name, hits in zip("abc", right, strict=True)]


def test_all_pairs_or_all_against_a_baseline_are_tested() -> None:
    every = compare(three())
    assert [(d.run, d.against) for d in every.differences] == [("b", "a"), ("c", "a"), ("c", "b")]
    based = compare(three(), baseline="b")
    assert [(d.run, d.against) for d in based.differences] == [("a", "b"), ("c", "b")]
    assert based.baseline == "b"
    assert compare(three(), baseline=Path("runs/b")) == based


def test_an_unknown_baseline_is_refused_with_the_names_there_are() -> None:
    twins = [made("a", [True], folder="x/1", seed=0), made("a", [True], folder="x/2", seed=1)]
    for runs, baseline, names in ((three(), "d", "a; b; c"), (twins, "a", "a, seed 0; a, seed 1")):
        with pytest.raises(InputError) as refused:
            compare(runs, baseline=baseline)
        assert refused.value.subject == "baseline"
        assert names in str(refused.value)
    assert compare(twins, baseline="a, seed 1").baseline == "a, seed 1"


drawn = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=40)


@given(drawn, st.booleans())
@QUICK
def test_every_comparison_keeps_its_definitions(answers: list[tuple[bool, bool, bool]], twins: bool) -> None:
    right = [list(column) for column in zip(*answers, strict=True)]
    found = compare([made(name, hits, twins=twins) for name, hits in zip("abc", right, strict=True)])
    by_name = dict(zip("abc", right, strict=True))
    for row in found.rows:
        assert row.metrics.accuracy == pytest.approx(sum(by_name[row.label]) / len(answers))
        assert row.interval.low - 1e-12 <= row.metrics.accuracy <= row.interval.high + 1e-12
    smallest = min(difference.p for difference in found.differences)
    for difference in found.differences:
        one, other = by_name[difference.run], by_name[difference.against]
        assert difference.difference == pytest.approx((sum(one) - sum(other)) / len(answers))
        assert difference.gained - difference.lost == sum(one) - sum(other)
        assert difference.interval.low - 1e-12 <= difference.difference <= difference.interval.high + 1e-12
        assert difference.p == pytest.approx(mcnemar(one, other))
        assert difference.p - 1e-12 <= difference.p_holm <= 1
        assert difference.p_holm >= min(1.0, 3 * smallest) - 1e-9


def test_intervals_do_not_depend_on_the_other_runs() -> None:
    one, other, third = three()
    assert compare([one, other]).rows == compare([one, other, third]).rows[:2]
    assert compare([one, other]).rows[::-1] == compare([other, one]).rows


def test_ten_runs_of_the_largest_data_set() -> None:
    """Vectorised: what a loop over questions and resamples would take hours for."""
    runs = [made(f"run {k}", [(7 * n + k * k) % (k + 2) > 0 for n in range(2500)]) for k in range(10)]
    found: Comparison = compare(runs, seed=3)
    assert (len(found.rows), len(found.differences), found.seed) == (10, 45, 3)


# -- labels --------------------------------------------------------------------------------------------


def test_labels_tell_runs_apart_by_what_differs() -> None:
    runs = [
        made("cot", [True], folder="x/1", lm="one", seed=0),
        made("cot", [True], folder="x/2", lm="two", seed=0),
        made("cot", [True], folder="x/3", lm="two", seed=1),
        made("direct", [True], folder="x/4"),
    ]
    assert labels(runs) == ["cot, lm one", "cot, lm two, seed 0", "cot, lm two, seed 1", "direct"]
    same = [made("cot", [True], folder=folder) for folder in ("x/1", "x/2", "y/2")]
    assert labels(same) == ["cot, 1", "cot, 2 #1", "cot, 2 #2"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 1)), max_size=8))
@QUICK
def test_labels_are_unique(drawn: list[tuple[str, str, int]]) -> None:
    runs = [
        made(name, [True], folder=f"{k}/{lm}", lm=lm, seed=seed) for k, (name, lm, seed) in enumerate(drawn)
    ]
    assert len(set(labels(runs))) == len(runs)


# -- published figures ---------------------------------------------------------------------------------


def test_every_published_figure_is_whole_and_has_a_source() -> None:
    figures = [figure for dataset in ("csqa2", "creak", "com2sense") for figure in published(dataset)]
    assert len(figures) == 8
    for figure in figures:
        assert 0 < figure.accuracy <= 100
        assert figure.method
        assert figure.source
    assert {f.accuracy for f in published("creak") if f.split == "dev"} == {85.2}
    assert published("agora") == []
