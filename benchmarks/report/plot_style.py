"""The style of the plots and their output: colours for light and dark backgrounds, SVG with real text.

Figures use the light colours; :func:`to_svg` can replace them by the dark ones. Figures are created without
pyplot, so that they share no state and need not be closed.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.errors import InputError
from maieutic.render.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from maieutic.benchmarks.analysis.comparison import Comparison

__all__ = [
    "FAINT",
    "INK",
    "QUIET",
    "Look",
    "data_line",
    "frozen",
    "look",
    "new_figure",
    "save_plots",
    "styled",
    "to_svg",
    "wrapped",
]

INK, QUIET, FAINT = "#1f2328", "#59636e", "#d1d9e0"  # text and points; axes and notes; grid
_DARK_INK = "#e6edf3"

# Light background → dark. Under normal vision, protanopia, deuteranopia and tritanopia (Machado et al. 2009)
# the two closest colours of a column are 19 apart in CIELAB, and each has a contrast of at least 3 : 1.
_COLOURS = {
    "#0b62e0": "#3d84ff",
    "#a23b0a": "#f0502a",
    "#0a9f66": "#2ee6a0",
    "#e64fb4": "#e03ca5",
    "#bf8a1a": "#ffcd3a",
    "#5b1b98": "#be99fa",
    "#17425e": "#afdae4",
    "#6b4a3f": "#c06d6d",
}
_DARK = {**_COLOURS, QUIET: "#9198a1", FAINT: "#3d444d"}
_MARKERS = "osD^vPX*"
_DASHES = ("-", "--", "-.", ":")
_WIDTH, _LONGEST = 26, 34  # characters in a line of a label
_DPI = 200  # of PNG files

_SETTINGS = {
    "axes.edgecolor": QUIET,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",  # ships with matplotlib, so equal everywhere
    "font.size": 9,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",  # keep text as text
    "text.color": INK,
    "text.parse_math": False,  # a name may contain a dollar sign
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}


@dataclass(frozen=True, slots=True)
class Look:
    """The style of a run, the same in every figure."""

    colour: str
    marker: str
    dashes: str


def look(place: int) -> Look:
    """The look of run number ``place``; no two of the first 32 share both colour and dashes."""
    colours = list(_COLOURS)
    turn = place // len(colours)
    return Look(
        colours[place % len(colours)],
        _MARKERS[(place + turn) % len(_MARKERS)],
        _DASHES[(place // 4 + turn) % len(_DASHES)],
    )


@contextmanager
def styled() -> Iterator[None]:
    """Apply the project's style while drawing.

    Raises:
        InputError: matplotlib is not installed.
    """
    matplotlib = bench_library("matplotlib")
    with matplotlib.rc_context(_SETTINGS):
        yield


def new_figure(name: str, title: str, size: tuple[float, float]) -> Figure:
    """An empty figure with a title; the size is in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - keeps --help fast
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=size, layout="constrained", label=name)
    FigureCanvasAgg(figure)
    figure.suptitle(printable(title), x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    return figure


def frozen(figure: Figure) -> Figure:
    """The figure with a fixed layout, since every drawing would change it slightly."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def data_line(comparison: Comparison, questions: int | None = None) -> str:
    """Data set, split and number of questions, for titles; by default those of the comparison."""
    number = comparison.questions if questions is None else questions
    return f"{comparison.dataset} {comparison.split}, {number:,} questions"


def wrapped(label: str) -> str:
    """The label of a run as printable text; a long one is wrapped: the method, then the settings."""
    text = printable(label)
    if len(text) <= _WIDTH:
        return text
    method, bracket, settings = text.partition(" (")
    whole = settings.replace(" ", "\xa0").replace(",\xa0", ", ")  # break lines after commas only
    lines = [method, *textwrap.wrap(f"({whole}" if bracket else "", _WIDTH + 4)]
    cut = [line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines[:3]]
    return "\n".join(cut).replace("\xa0", " ")


def to_svg(figure: Figure, dark: bool = False) -> str:
    """The figure as one ``<svg>`` element without external references.

    The background is transparent. Black is ``currentColor``, which the attribute ``color`` of the element
    sets; a style sheet with ``svg { color: inherit }`` overrides it. Ids are unique to figure and
    background, so that a page can contain several. Equal figures give equal text.
    """
    name = str(figure.get_label())
    salt = f"{name} {'dark' if dark else 'light'}"
    buffer = io.StringIO()
    with styled():
        import matplotlib as mpl  # noqa: PLC0415

        with mpl.rc_context({"svg.hashsalt": salt}):
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r'(?<=style=")[^"]*', lambda style: _recoloured(style[0], dark), body)
    return _opening(figure, name, dark) + _without_idle_ids(body)


def _opening(figure: Figure, name: str, dark: bool) -> str:
    width, height = (f"{72 * inches:g}" for inches in figure.get_size_inches())
    title = figure.get_suptitle() or name
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}" '
        f'color="{_DARK_INK if dark else INK}" stroke-linejoin="round" stroke-linecap="butt" '
        f'role="img" aria-label={quoteattr(title)}><title>{escape(title)}</title>'
    )


def _recoloured(style: str, dark: bool) -> str:
    style = style.replace(INK, "currentColor")
    style = re.sub(r"font-family: [^;]*", "font-family: 'DejaVu Sans', Verdana, sans-serif", style)
    if dark:
        style = re.sub(r"#[0-9a-f]{6}", lambda colour: _DARK.get(colour[0], colour[0]), style)
    return style


def _without_idle_ids(svg: str) -> str:
    """The SVG without unreferenced ids, which would be repeated in every figure of a page."""
    referenced = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    return re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in referenced else "", svg)


def save_plots(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write each figure as ``NAME.png`` on white and as ``NAME.svg``, and return the paths.

    Raises:
        InputError: the folder cannot be written; ``subject`` is its path.
    """
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            paths += [folder / f"{name}.png", folder / f"{name}.svg"]
            with styled():
                figure.savefig(paths[-2], dpi=_DPI, metadata={"Software": None})
            paths[-1].write_text(to_svg(figure) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write plots to {folder} ({error.strerror}); give a writable folder", subject=str(folder)
        ) from None
    return paths
