"""Labels next to points and lines, placed so that they do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.benchmarks.report.plot_style import INK

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure

__all__ = ["Box", "label_ends", "label_points", "places", "spread"]

_DISTANCES = (8.0, 15.0, 25.0, 38.0, 54.0, 72.0, 95.0, 120.0)  # pixels from a point to its label
_DIRECTIONS = 16  # directions around a point
_LEADER = 16.0  # pixels; a line joins points and labels further apart
_ROUNDS = 4


class Box(NamedTuple):
    """A rectangle, in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: Box) -> float:
        """The area of the intersection."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The point of the rectangle nearest to (x, y)."""
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return (self.right - self.left) * (self.top - self.bottom)


def places(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    busy: Sequence[Box],
    frame: Box,
) -> list[tuple[Box, float]]:
    """A box for each point, and its distance: close, inside the frame, and with little busy area.

    Coordinate descent: each box in turn takes its best place while the others stay, for a few rounds.
    """
    options = [_options(point, size) for point, size in zip(points, sizes, strict=True)]
    costs = [
        [_cost(point, box, distance, busy, frame) for box, distance in boxes]
        for point, boxes in zip(points, options, strict=True)
    ]
    best = [0] * len(points)
    placed: dict[int, list[Box]] = {}  # a label and the line to its point
    for _ in range(_ROUNDS):
        for number, (point, boxes) in enumerate(zip(points, options, strict=True)):
            others = [box for other, covered in placed.items() if other != number for box in covered]
            total = [
                cost + 20.0 * sum(own.shared(other) for own in _all(point, *option) for other in others)
                for option, cost in zip(boxes, costs[number], strict=True)
            ]
            best[number] = total.index(min(total))
            placed[number] = _all(point, *boxes[best[number]])
    return [boxes[number] for boxes, number in zip(options, best, strict=True)]


def _options(point: tuple[float, float], size: tuple[float, float]) -> list[tuple[Box, float]]:
    """Boxes around a point at all distances and in all directions."""
    boxes = []
    for distance, turn in product(_DISTANCES, range(_DIRECTIONS)):
        angle = 2 * pi * turn / _DIRECTIONS
        sides = (cos(angle), sin(angle))
        left, bottom = (
            at + side * distance + (max(-1.0, min(1.0, 1.6 * side)) - 1) * length / 2
            for at, side, length in zip(point, sides, size, strict=True)
        )
        boxes.append((Box(left, bottom, left + size[0], bottom + size[1]), distance))
    return boxes


def _cost(point: tuple[float, float], box: Box, distance: float, busy: Sequence[Box], frame: Box) -> float:
    outside = box.area - box.shared(frame)
    hidden = sum(box.shared(other) for other in busy)
    crossed = sum(step.shared(other) for step in _leader(point, box, distance) for other in busy)
    return distance + 20.0 * outside + 3.0 * hidden + 2.0 * crossed


def _all(point: tuple[float, float], box: Box, distance: float) -> list[Box]:
    return [box, *_leader(point, box, distance)]


def _leader(point: tuple[float, float], box: Box, distance: float) -> list[Box]:
    """Boxes along the line from a point to its label, without the pixels of the point."""
    if distance <= _LEADER:
        return []
    (x, y), (right, up) = point, box.nearest(*point)
    steps = max(2, int(hypot(right - x, up - y) / 6))
    near = [(x + (right - x) * k / steps, y + (up - y) * k / steps) for k in range(2, steps)]
    return [Box(a - 1, b - 1, a + 1, b + 1) for a, b in near]


def label_points(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    colours: Sequence[str],
    busy: Sequence[Box],
) -> None:
    """Write each text next to its point (in data units). The axes must have their final limits.

    Args:
        colours: of the lines that join points and distant texts.
        busy: drawn areas that should stay visible.
    """
    figure, renderer = _ready(axes)
    frame = Box(*axes.get_window_extent().extents)
    anchors = [_pair(axes.transData.transform(point)) for point in points]
    sizes = []
    for text in texts:
        sample = axes.text(0, 0, text)
        sizes.append(_pair(sample.get_window_extent(renderer).size))
        sample.remove()
    placed = places(anchors, sizes, busy, frame)
    for text, point, anchor, colour, (box, distance) in zip(
        texts, points, anchors, colours, placed, strict=True
    ):
        note = axes.annotate(
            text,
            point,
            ((box.left - anchor[0]) * 72 / figure.dpi, (box.bottom - anchor[1]) * 72 / figure.dpi),
            textcoords="offset points",
            va="bottom",
            color=INK,
            arrowprops=_line(box, anchor, colour) if distance > _LEADER else None,
        )
        note.set_in_layout(False)


def _ready(axes: Axes) -> tuple[Figure, RendererBase]:
    """The figure of the axes, after its layout, and a renderer to measure text."""
    figure = cast("Figure", axes.figure)
    figure.draw_without_rendering()
    canvas = cast("Any", figure.canvas)  # the Agg canvas, whose method is untyped
    return figure, cast("RendererBase", canvas.get_renderer())


def _pair(array: npt.ArrayLike) -> tuple[float, float]:
    x, y = cast("Sequence[float]", array)
    return float(x), float(y)


def _line(box: Box, anchor: tuple[float, float], colour: str) -> dict[str, Any]:
    """A thin line from the nearest point of the label."""
    x, y = box.nearest(*anchor)
    start = ((x - box.left) / (box.right - box.left), (y - box.bottom) / (box.top - box.bottom))
    return {
        "arrowstyle": "-",
        "color": colour,
        "linewidth": 0.9,
        "shrinkA": 1,
        "shrinkB": 4,
        "relpos": start,
    }


def label_ends(axes: Axes, ends: Sequence[float], texts: Sequence[str], colours: Sequence[str]) -> None:
    """Write each text to the right of the axes, close to the height (in data units) where its line ends."""
    _, renderer = _ready(axes)
    frame = axes.get_window_extent()
    wanted = [(axes.transData.transform((0.0, end))[1] - frame.y0) / frame.height for end in ends]
    notes = [
        axes.annotate(
            text,
            (1.0, height),
            (1.06, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color=INK,
            fontsize=8.5,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.9,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0.0, 0.5),
            },
        )
        for text, height, colour in zip(texts, wanted, colours, strict=True)
    ]
    heights = [note.get_window_extent(renderer).height / frame.height + 0.012 for note in notes]
    for note, height in zip(notes, spread(wanted, heights), strict=True):
        note.set_position((1.06, height))


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Centres of labels without overlap, closest to the wanted ones (least squares, same order).

    They stay in [0, 1] if there is room for all.
    """
    import numpy as np  # noqa: PLC0415 - keeps --help fast

    order = np.argsort(wanted, kind="stable")
    tall = np.asarray(heights)[order]
    below = np.cumsum(tall) - tall / 2  # centres when stacked from 0
    free = bench_library("scipy.optimize").isotonic_regression(np.asarray(wanted)[order] - below).x
    room = 1.0 - tall.sum()
    centres = np.empty(len(order))
    centres[order] = np.clip(free, min(0.0, room), max(0.0, room)) + below
    return [float(centre) for centre in centres]
