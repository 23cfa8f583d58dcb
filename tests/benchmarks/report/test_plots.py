"""Plots show what is in the runs, their labels keep clear of each other, their SVG is safe in any page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.analysis.comparison import compare
from maieutic.benchmarks.methods.base import Usage
from maieutic.benchmarks.report.plot_labels import Box, places, spread
from maieutic.benchmarks.report.plot_style import _COLOURS, look, wrapped
from maieutic.benchmarks.report.plots import figures, save_plots, to_svg
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError
from tests.benchmarks.stepped import run_of, stepped

pytest.importorskip("matplotlib")
QUICK = settings(deadline=None, max_examples=40)


def made(name: str, tokens: int, *, sure: bool = True, seed: int = 0, **config: Any) -> Run:
    """A run of 60 questions with P(true), or with margins in nats."""
    rng = np.random.default_rng([seed, len(name)])
    records = []
    for k in range(60):
        gold, right, confidence = bool(k % 2), bool(rng.random() < 0.7), float(rng.uniform(0.5, 1))
        answer = gold == right
        p_true = confidence if answer else 1 - confidence
        record = Record(f"q{k}", f"Text {k}.", gold, "", answer, usage=Usage(tokens + k, 0))
        confident: dict[str, Any] = (
            {"p_true": p_true} if sure else {"margin": confidence, "margin_unit": "nats"}
        )
        records.append(replace(record, **confident))
    fields = {"dataset": "csqa2", "split": "dev", "method": "direct"} | config
    return Run(name, Path(f"runs/{name}"), RunConfig(**fields), tuple(records))


def drawn(runs: Sequence[Run]) -> dict[str, Any]:
    return figures(runs, compare(runs))


def texts(svg: str) -> list[str]:
    return [
        "".join(node.itertext()) for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")
    ]


# -- what is drawn -------------------------------------------------------------------------------------


def test_points_stand_at_their_runs_tokens_and_accuracy() -> None:
    runs = [made("direct", 100), made("cot", 9000)]
    comparison = compare(runs)
    axes: Any = figures(runs, comparison)["accuracy-tokens"].axes[0]
    points = [line.get_xydata()[0] for line in axes.lines if line.get_marker() in ("o", "s")]
    expected = [(row.metrics.costs.tokens, 100 * row.metrics.accuracy) for row in comparison.rows]
    assert np.allclose(points, expected)
    assert axes.get_xscale() == "log"
    bars = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 3]
    assert [(bar[0], bar[2]) for bar in bars] == [
        (100 * row.interval.low, 100 * row.interval.high) for row in comparison.rows
    ]


def test_intervals_of_equal_cost_stand_side_by_side() -> None:
    found = drawn([made("joint", 500), made("vote", 500)])["accuracy-tokens"]
    axes = found.axes[0]
    xs = [
        axes.transData.transform((line.get_xdata()[0], 0))[0]
        for line in axes.lines
        if len(line.get_xdata()) == 3
    ]
    assert 5 < abs(xs[0] - xs[1]) < 20


def test_there_is_a_plot_only_where_there_are_data() -> None:
    assert list(drawn([made("direct", 100)])) == ["accuracy-tokens", "risk-coverage", "calibration"]
    assert list(drawn([made("maieutic", 100, sure=False)])) == ["accuracy-tokens", "risk-coverage"]
    bare = made("direct", 100)
    answers = tuple(replace(record, p_true=None, usage=Usage()) for record in bare.records)
    assert drawn([replace(bare, records=answers)]) == {}


def test_calibration_has_a_panel_with_counts_for_each_run_with_probabilities() -> None:
    found = drawn([made("a", 10), made("b", 20, sure=False), made("c", 30)])["calibration"]
    assert len(found.axes) == 4
    counts = [sum(bar.get_height() for bar in axes.patches) for axes in found.axes[1::2]]
    assert counts == [60, 60]


def test_growth_is_a_curve_from_the_direct_answers_to_the_run() -> None:
    sure = [0.5 + k / 200 for k in range(60)]
    records = [stepped(f"q{k}", True, (1 - p, 0, 4), (0.9, 50, 2)) for k, p in enumerate(sure)]
    axes = drawn([run_of(records)])["growth"].axes[0]
    curve = max((line.get_xydata() for line in axes.lines), key=len)
    assert len(curve) == 61
    assert list(curve[0]) == pytest.approx([0, 100 / 60])  # a coin toss is answered true
    assert list(curve[-1]) == pytest.approx([50, 100])
    assert "generated tokens" in axes.get_xlabel()
    assert [text.get_text() for text in axes.texts] == ["maieutic\nconfidence ≤ 0.9"]


def test_runs_without_steps_have_no_curve() -> None:
    old = [stepped(f"q{k}", k % 2 == 0) for k in range(9)]
    direct = [stepped(f"q{k}", k % 2 == 0, (0.95, 0, 4)) for k in range(9)]  # no question grew
    for records in (old, direct):
        assert "growth" not in drawn([run_of(records)])


def grown(depth: int, widths: tuple[int, ...], **others: Any) -> Run:
    run = made(f"maieutic (depth {depth}, widths {widths})", 100 * depth, seed=depth + sum(widths))
    config = replace(run.config, method="maieutic", settings={"depth": depth, "widths": widths} | others)
    return replace(run, config=config)


def test_trees_that_differ_in_size_alone_are_a_grid() -> None:
    runs = [grown(1, (3, 1)), grown(2, (3, 1)), grown(2, (1, 1)), replace(made("direct", 50))]
    found = drawn(runs)["depth-width"]
    accuracies = [f"{100 * row.metrics.accuracy:.1f} %" for row in compare(runs).rows[:3]]
    written = [text.get_text() for text in found.axes[0].texts]
    assert sorted(text for text in written if text.endswith("%")) == sorted(accuracies)
    assert [tick.get_text() for tick in found.axes[0].get_xticklabels()] == ["1", "2"]
    assert [tick.get_text() for tick in found.axes[0].get_yticklabels()] == ["1, 1", "3, 1"]
    assert "depth-width" not in drawn([grown(1, (3,), inference="joint"), grown(2, (3,), inference="vote")])


# -- labels --------------------------------------------------------------------------------------------

points = st.lists(
    st.tuples(st.floats(60, 540), st.floats(60, 340)), min_size=1, max_size=5, unique_by=lambda p: round(p[0])
)


@given(points)
@QUICK
def test_labels_of_a_few_points_overlap_neither_each_other_nor_the_frame(
    at: list[tuple[float, float]],
) -> None:
    frame = Box(0, 0, 600, 400)
    boxes = [box for box, _ in places(at, [(110.0, 14.0)] * len(at), [], frame)]
    for box in boxes:
        assert box.shared(frame) == pytest.approx(box.area)
    for one, other in combinations(boxes, 2):
        assert one.shared(other) == 0


def test_a_label_goes_round_what_is_busy() -> None:
    busy = Box(104, 0, 400, 400)
    ((box, _),) = places([(100, 200)], [(60.0, 12.0)], [busy], Box(0, 0, 400, 400))
    assert box.right <= 104
    assert box.area == 60 * 12


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 0.12)), min_size=1, max_size=8))
@QUICK
def test_labels_at_line_ends_keep_their_order_and_do_not_overlap(ends: list[tuple[float, float]]) -> None:
    wanted, heights = zip(*ends, strict=True)
    found = spread(wanted, heights)
    ranked = sorted(range(len(ends)), key=lambda k: (wanted[k], found[k]))
    for below, above in pairwise(ranked):
        assert found[above] - found[below] >= (heights[above] + heights[below]) / 2 - 1e-9
    assert min(f - h / 2 for f, h in zip(found, heights, strict=True)) >= -1e-9
    assert max(f + h / 2 for f, h in zip(found, heights, strict=True)) <= 1 + 1e-9


def test_labels_with_room_stay_where_they_are_wanted() -> None:
    assert spread([0.9, 0.2, 0.5], [0.1] * 3) == pytest.approx([0.9, 0.2, 0.5])


def test_long_labels_break_between_settings() -> None:
    assert wrapped("direct") == "direct"
    assert (
        wrapped("maieutic (verifier none, integrity false)") == "maieutic\n(verifier none,\nintegrity false)"
    )
    assert wrapped("x" * 200 + " (" + "y" * 20 + ")").splitlines() == ["x" * 33 + "…", f"({'y' * 20})"]
    assert wrapped("a\x1b[31m") == "a\\x1b[31m"


# -- colours -------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_stand_out_from_both_backgrounds() -> None:
    for light, dark in _COLOURS.items():
        assert 1.05 / (luminance(light) + 0.05) >= 3
        assert (luminance(dark) + 0.05) / (luminance("#0d1117") + 0.05) >= 3


def test_runs_look_different() -> None:
    assert len({(look(k).colour, look(k).marker) for k in range(16)}) == 16
    assert len({(look(k).colour, look(k).dashes) for k in range(32)}) == 32
    assert len({look(k).colour for k in range(8)}) == len({look(k).marker for k in range(8)}) == 8


# -- SVG and files -------------------------------------------------------------------------------------

HOSTILE = '</text><script>alert(1) ($x^2$ "\x1b[2J)'


@pytest.fixture(scope="module")
def plots() -> dict[str, Any]:
    return drawn([made("direct", 100), made(HOSTILE, 300), grown(1, (3,)), grown(2, (3,))])


def test_all_four_plots_are_self_contained_elements(plots: dict[str, Any]) -> None:
    assert list(plots) == ["accuracy-tokens", "risk-coverage", "calibration", "depth-width"]
    for figure in plots.values():
        svg = to_svg(figure)
        assert svg.startswith("<svg ")
        root = ElementTree.fromstring(svg)
        names = {node.tag.rpartition("}")[2] for node in root.iter()}
        assert names <= {"svg", "title", "g", "path", "defs", "use", "text", "clipPath", "rect", "tspan"}
        links = re.findall(r'(?:href="|url\()([^")]*)', svg)
        assert all(link.startswith("#") for link in links)
        namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert set(re.findall(r'https?://[^"\s<]*', svg)) == namespaces
        assert "#ffffff" not in svg.partition("</title>")[2].split("<g", 1)[0]  # no background


def test_a_hostile_label_is_text(plots: dict[str, Any]) -> None:
    for name in ("accuracy-tokens", "risk-coverage", "calibration"):
        svg = to_svg(plots[name])
        assert "<script" not in svg
        assert "\x1b" not in svg
        assert any("script>alert(1)" in text for text in texts(svg))
        assert any("$x^2$" in text for text in texts(svg))


def test_the_same_runs_give_the_same_text(plots: dict[str, Any]) -> None:
    again = drawn([made("direct", 100), made(HOSTILE, 300), grown(1, (3,)), grown(2, (3,))])
    for name, figure in plots.items():
        assert to_svg(figure) == to_svg(again[name])
        assert to_svg(figure) == to_svg(figure)


def test_all_plots_of_a_page_have_ids_of_their_own(plots: dict[str, Any]) -> None:
    page = [to_svg(figure, dark) for figure in plots.values() for dark in (False, True)]
    ids = [set(re.findall(r' id="([^"]*)"', svg)) for svg in page]
    assert all(not one & other for one, other in combinations(ids, 2))
    for svg, own in zip(page, ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', svg)) == own


def test_dark_exchanges_the_colours_and_nothing_else(plots: dict[str, Any]) -> None:
    light, dark = to_svg(plots["calibration"]), to_svg(plots["calibration"], dark=True)
    used = [colour for colour in _COLOURS if colour in light]
    assert len(used) == 4
    assert not any(colour in dark for colour in _COLOURS)
    assert all(_COLOURS[colour] in dark for colour in used)
    assert texts(light) == texts(dark)
    assert "fill: currentColor" in light
    assert (light.count('color="#1f2328"'), dark.count('color="#e6edf3"')) == (1, 1)


def test_plots_are_written_as_png_and_svg(plots: dict[str, Any], tmp_path: Path) -> None:
    one = {"risk-coverage": plots["risk-coverage"]}
    paths = save_plots(one, tmp_path / "new" / "plots")
    assert [path.name for path in paths] == ["risk-coverage.png", "risk-coverage.svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[1].read_text(encoding="utf-8") == to_svg(plots["risk-coverage"]) + "\n"
    first = paths[0].read_bytes()
    save_plots(one, tmp_path / "new" / "plots")
    assert paths[0].read_bytes() == first


def test_a_folder_that_is_a_file_is_refused(plots: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("precious")
    with pytest.raises(InputError) as caught:
        save_plots(plots, tmp_path / "plots")
    assert caught.value.subject == str(tmp_path / "plots")
