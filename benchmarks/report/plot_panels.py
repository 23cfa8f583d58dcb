"""Plots with several panels or cells: calibration per run, and accuracy by tree size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.benchmarks.analysis.calibration_error import Bin
from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison
from maieutic.benchmarks.analysis.metrics import calibration_bins
from maieutic.benchmarks.report.plot_style import (
    INK,
    QUIET,
    Look,
    data_line,
    frozen,
    look,
    new_figure,
    styled,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from maieutic.benchmarks.runs.folder import Run

__all__ = ["calibration", "depth_width"]

_COLUMNS = 4  # panels in a row


def calibration(runs: Sequence[Run], comparison: Comparison) -> Figure | None:
    """A reliability diagram with counts for each run with P(true); None if there is none."""
    binned = [(place, calibration_bins(run.records)) for place, run in enumerate(runs)]
    known = [(place, bins) for place, bins in binned if bins]
    if not known:
        return None
    columns = min(_COLUMNS, len(known))
    rows = -(-len(known) // columns)
    least = min(0.5, *(bins[0].low for _, bins in known))
    with styled():
        title = f"Calibration ({data_line(comparison)})"
        size = (max(5.0, 0.6 + 2.3 * columns), 0.7 + 3.1 * rows)
        figure = new_figure("calibration", title, size)
        grid = figure.add_gridspec(2 * rows, columns, height_ratios=[3, 1] * rows)
        for number, (place, bins) in enumerate(known):
            row, column = divmod(number, columns)
            above = figure.add_subplot(grid[2 * row, column])
            below = figure.add_subplot(grid[2 * row + 1, column], sharex=above)
            _draw_reliability(above, bins, look(place), comparison.rows[place])
            _draw_counts(below, bins, look(place))
            above.set_xlim(100 * least - 2, 102)
            if column == 0:
                above.set_ylabel("right (%)")
                below.set_ylabel("answers")
            below.set_xlabel("confidence (%)")
        return frozen(figure)


def _draw_reliability(axes: Axes, bins: Sequence[Bin], style: Look, row: ComparedRun) -> None:
    axes.plot([0, 100], [0, 100], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    confidence = [100 * bin_.confidence for bin_ in bins]
    accuracy = [100 * bin_.accuracy for bin_ in bins]
    axes.vlines(confidence, confidence, accuracy, color=style.colour, linewidth=3, alpha=0.35)
    axes.plot(confidence, accuracy, color=style.colour, marker=style.marker, markersize=4.5, linewidth=1.2)
    axes.set_ylim(0, 104)
    axes.set_xticks(range(0, 101, 25))
    axes.tick_params(labelbottom=False)
    metrics = row.metrics
    numbers = f"ECE {metrics.ece:.3f}, Brier {metrics.brier:.3f}"
    axes.set_title(f"{wrapped(row.label)}\n{numbers}", fontsize=8.5, color=INK)


def _draw_counts(axes: Axes, bins: Sequence[Bin], style: Look) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    middles = [50 * (bin_.low + bin_.high) for bin_ in bins]
    widths = [88 * (bin_.high - bin_.low) for bin_ in bins]
    axes.bar(middles, [bin_.count for bin_ in bins], widths, color=style.colour)
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))


def depth_width(runs: Sequence[Run], comparison: Comparison) -> Figure | None:
    """Accuracy by tree size, for the largest set of runs that differ only in it; None for fewer than 2."""
    groups: dict[str, dict[tuple[int, tuple[int, ...]], ComparedRun]] = {}
    for run, row in zip(runs, comparison.rows, strict=True):
        if size := _tree_size(run):
            groups.setdefault(_all_but_size(run), {})[size] = row
    cells = max(groups.values(), key=len, default={})
    if len(cells) < 2:
        return None
    depths = sorted({depth for depth, _ in cells})
    widths = sorted({width for _, width in cells})
    with styled():
        title = f"Accuracy by size of tree ({data_line(comparison)})"
        inches = (max(5.6, 1.6 + 1.5 * len(depths)), 1.7 + 0.75 * len(widths))
        figure = new_figure("depth-width", title, inches)
        axes = figure.add_subplot()
        _draw_cells(axes, [[cells.get((depth, width)) for depth in depths] for width in widths])
        axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
        axes.set_yticks(range(len(widths)), [", ".join(map(str, width)) for width in widths])
        axes.set_xlabel("depth: waves of explanations")
        axes.set_ylabel("widths: explanations\nper side at depth 1, 2, …")
        return frozen(figure)


def _tree_size(run: Run) -> tuple[int, tuple[int, ...]] | None:
    depth, widths = run.config.settings.get("depth"), run.config.settings.get("widths")
    if not run.config.method.startswith("maieutic") or not isinstance(depth, int):
        return None
    if not isinstance(widths, list | tuple):
        return None
    return depth, tuple(widths)


def _all_but_size(run: Run) -> str:
    """A key that is equal for runs that belong in one grid."""
    config = run.config
    settings: Mapping[str, Any] = {
        name: value for name, value in config.settings.items() if name not in ("depth", "widths")
    }
    return repr((config.method, config.lm, config.nli, config.seed, sorted(settings.items())))


def _draw_cells(axes: Axes, cells: Sequence[Sequence[ComparedRun | None]]) -> None:
    """Draw each cell in the colour of its accuracy, with the accuracy and the tokens per question."""
    import matplotlib as mpl  # noqa: PLC0415 - keeps --help fast
    import numpy as np  # noqa: PLC0415
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    accuracy = np.array([[np.nan if row is None else row.metrics.accuracy for row in line] for line in cells])
    low, high = float(np.nanmin(accuracy)), float(np.nanmax(accuracy))
    colours = mpl.colormaps["cividis"]
    axes.set_xlim(-0.5, len(cells[0]) - 0.5)
    axes.set_ylim(-0.5, len(cells) - 0.5)
    axes.grid(visible=False)
    for (y, x), share in np.ndenumerate((accuracy - low) / (high - low or 1.0)):
        row = cells[y][x]
        if row is None:
            continue
        axes.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colours(float(share))))
        ink = "#000000" if share > 0.45 else "#ffffff"
        text = f"{100 * row.metrics.accuracy:.1f} %"
        axes.text(x, y + 0.13, text, color=ink, ha="center", va="center", fontweight="bold")
        cost = f"{row.metrics.costs.tokens:,.0f} tokens"
        axes.text(x, y - 0.2, cost, color=ink, ha="center", va="center", fontsize=7.5)
