"""The plots of a comparison: accuracy against cost, curves of growth, risk, calibration, tree sizes.

All plots use the questions common to all runs, and the same colour and marker for a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison, matched
from maieutic.benchmarks.analysis.growth_curve import growth_curve
from maieutic.benchmarks.analysis.metrics import risk_coverage
from maieutic.benchmarks.report.plot_labels import Box, label_ends, label_points, spread
from maieutic.benchmarks.report.plot_panels import calibration, depth_width
from maieutic.benchmarks.report.plot_style import (
    data_line,
    frozen,
    look,
    new_figure,
    save_plots,
    styled,
    to_svg,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from maieutic.benchmarks.runs.folder import Run

__all__ = [
    "accuracy_tokens",
    "calibration",
    "depth_width",
    "figures",
    "growth_curves",
    "risk_coverage_curves",
    "save_plots",
    "to_svg",
]

_APART = 9.0  # least distance of intervals, in pixels
_LOG_FROM = 8.0  # ratio of most to fewest tokens from which the axis is logarithmic
_MIN_RISK_QUESTIONS = 10  # fewest questions, and at least 2 %, for which risk is shown, since it is noisy
_MAX_POINTS = 300  # approximate number of points of a curve


def figures(
    runs: Sequence[Run], comparison: Comparison, shown: Sequence[Run] | None = None
) -> dict[str, Figure]:
    """File name → plot, for all plots with data.

    Args:
        runs: the runs of the comparison, in its order.
        shown: the same runs with records in full, maybe of some questions only, for the curves of growth;
            by default ``runs``.
    """
    same = matched(runs)
    grown = same if shown is None else matched(shown)
    plots: dict[str, Callable[[Sequence[Run], Comparison], Figure | None]] = {
        "accuracy-tokens": accuracy_tokens,
        "growth": lambda _, compared: growth_curves(grown, compared),
        "risk-coverage": risk_coverage_curves,
        "calibration": calibration,
        "depth-width": depth_width,
    }
    drawn = {name: plot(same, comparison) for name, plot in plots.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


# -- accuracy against tokens ---------------------------------------------------------------------------


def accuracy_tokens(runs: Sequence[Run], comparison: Comparison) -> Figure | None:
    """Runs as points with 95 % intervals.

    Points of similar cost are moved apart by a few pixels. None if no run used tokens.
    """
    if not any(row.metrics.costs.tokens for row in comparison.rows):
        return None
    with styled():
        figure = new_figure("accuracy-tokens", f"Accuracy against cost ({data_line(comparison)})", (7.2, 4.4))
        axes = figure.add_subplot()
        axes.set_xlabel("tokens per question, prompt and generated")
        axes.set_ylabel("accuracy (%), with 95 % interval")
        _limit(axes, [end for row in comparison.rows for end in _bar(row, row.metrics.costs.tokens)])
        figure.draw_without_rendering()
        bars = [_bar(row, x) for row, x in zip(comparison.rows, _apart(axes, comparison), strict=True)]
        for place, bar in enumerate(bars):
            style = look(place)
            axes.plot(*_columns(bar), color=style.colour, linewidth=1.4)
            axes.plot(*_columns(bar[1:2]), color=style.colour, marker=style.marker, markersize=7)
        busy = [box for line in bars for box in _covered(axes, line)]
        texts = [wrapped(row.label) for row in comparison.rows]
        colours = [look(place).colour for place in range(len(bars))]
        label_points(axes, [bar[1] for bar in bars], texts, colours, busy)
        return frozen(figure)


def _bar(row: ComparedRun, tokens: float) -> list[tuple[float, float]]:
    """(tokens, %) of the low end of the interval, the accuracy and the high end."""
    return [(tokens, 100 * y) for y in (row.interval.low, row.metrics.accuracy, row.interval.high)]


def _apart(axes: Axes, comparison: Comparison) -> list[float]:
    """Positions of the runs in tokens, moved apart where intervals would overlap."""
    pixels = [axes.transData.transform((row.metrics.costs.tokens, 0.0))[0] for row in comparison.rows]
    frame = axes.get_window_extent()
    shares = spread([(x - frame.x0) / frame.width for x in pixels], [_APART / frame.width] * len(pixels))
    back = axes.transData.inverted()
    return [float(back.transform((frame.x0 + share * frame.width, frame.y0))[0]) for share in shares]


def _limit(axes: Axes, drawn: Sequence[tuple[float, float]]) -> None:
    """Set limits with margins around (tokens, %), and a logarithmic axis if costs differ in magnitude."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415

    least, most = min(x for x, _ in drawn), max(x for x, _ in drawn)
    if least > 0 and most / least >= _LOG_FROM:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(least / 1.5, most * 2.5)
    else:
        room = 0.2 * (most - least) or 0.2 * most
        axes.set_xlim(least - room if least > room else -0.05 * most, most + 1.4 * room)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens:,.0f}"))
    low, high = min(y for _, y in drawn), max(y for _, y in drawn)
    axes.set_ylim(low - 0.12 * (high - low) - 0.5, high + 0.12 * (high - low) + 0.5)


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _covered(axes: Axes, line: Sequence[tuple[float, float]]) -> list[Box]:
    """Boxes along a line in data units, with a margin of a few pixels."""
    boxes = []
    pixels = [tuple(map(float, axes.transData.transform(point))) for point in line]
    for (x1, y1), (x2, y2) in pairwise(pixels):
        steps = 1 + int(min(abs(x2 - x1), abs(y2 - y1)) / 8)  # one step for a horizontal or vertical line
        at = [(x1 + (x2 - x1) * k / steps, y1 + (y2 - y1) * k / steps) for k in range(steps + 1)]
        boxes += [
            Box(min(a, c) - 5, min(b, d) - 5, max(a, c) + 5, max(b, d) + 5) for (a, b), (c, d) in pairwise(at)
        ]
    return boxes


# -- growth --------------------------------------------------------------------------------------------


def growth_curves(runs: Sequence[Run], comparison: Comparison) -> Figure | None:
    """Anytime growth as curves over the confidences up to the runs' own; None if no run took steps."""
    curves = [(place, run, growth_curve(run)) for place, run in enumerate(runs)]
    known = [(place, run, points) for place, run, points in curves if points and points[-1].tokens > 0]
    if not known:
        return None
    with styled():
        title = f"Accuracy at every confidence of growth ({data_line(comparison, len(runs[0].records))})"
        figure = new_figure("growth", title, (7.2, 4.4))
        axes = figure.add_subplot()
        axes.set_xlabel("generated tokens per question")
        axes.set_ylabel("accuracy (%)")
        lines = [
            [(points[k].tokens, 100 * points[k].accuracy) for k in sorted({0, *_thinned(len(points))})]
            for _, _, points in known
        ]
        _limit(axes, [point for line in lines for point in line])
        figure.draw_without_rendering()
        texts, colours = [], []
        for (place, run, _), line in zip(known, lines, strict=True):
            style = look(place)
            axes.plot(*_columns(line), color=style.colour, linestyle=style.dashes, linewidth=1.6)
            axes.plot(*_columns(line[-1:]), color=style.colour, marker=style.marker, markersize=7, zorder=3)
            texts.append(
                f"{wrapped(comparison.rows[place].label)}\nconfidence ≤ {run.config.settings['confidence']:g}"
            )
            colours.append(style.colour)
        busy = [box for line in lines for box in _covered(axes, line)]
        label_points(axes, [line[-1] for line in lines], texts, colours, busy)
        return frozen(figure)


# -- risk against coverage -----------------------------------------------------------------------------


def risk_coverage_curves(runs: Sequence[Run], comparison: Comparison) -> Figure | None:
    """The error rate among the most confident answers; None if no run has confidences."""
    curves = [(place, risk_coverage(run.records)) for place, run in enumerate(runs)]
    known = [(place, curve) for place, curve in curves if curve is not None]
    if not known:
        return None
    with styled():
        title = f"Errors among the most confident answers ({data_line(comparison)})"
        figure = new_figure("risk-coverage", title, (7.2, 4.4))
        axes = figure.add_subplot()
        for place, curve in known:
            style = look(place)
            questions = len(curve.risk)
            shown = _thinned(questions, min(max(_MIN_RISK_QUESTIONS, questions // 50), questions) - 1)
            axes.plot(
                100 * curve.coverage[shown],
                100 * curve.risk[shown],
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.6,
            )
        axes.set_xlim(0, 100)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("coverage: share of questions answered, the most confident first (%)")
        axes.set_ylabel("risk: share of those answered wrongly (%)")
        axes.text(1.06, 1.015, "AURC", transform=axes.transAxes, fontsize=8.5)
        label_ends(
            axes,
            [100 * float(curve.risk[-1]) for _, curve in known],
            [f"{curve.area:.3f} {wrapped(comparison.rows[place].label)}" for place, curve in known],
            [look(place).colour for place, _ in known],
        )
        return frozen(figure)


def _thinned(points: int, start: int = 0) -> list[int]:
    """Indices of the points of a curve to draw, including the last one."""
    return list(range(points - 1, start - 1, -max(1, (points - start) // _MAX_POINTS)))[::-1]
