"""The numbers of a comparison as text, for the terminal and for a report's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.tree_kinds import KINDS

if TYPE_CHECKING:
    from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison
    from maieutic.benchmarks.analysis.published import Published
    from maieutic.benchmarks.analysis.seeds import SeedSpread
    from maieutic.benchmarks.analysis.statistics import Interval

__all__ = [
    "BY_KIND",
    "CALIBRATION_AND_COST",
    "Column",
    "from_cache",
    "left_out",
    "pairs_right",
    "percent_with_interval",
    "probability",
    "spread",
    "twinless",
    "what_was_measured",
]

Column = tuple[str, "Callable[[ComparedRun], str | None]"]  # a name, and the cell of a run


def percent_with_interval(value: float, interval: Interval, sign: str = "") -> str:
    """A share in percent and its interval; ``sign`` is "+" for differences."""
    low, high = (f"{100 * end:{sign}.1f}" for end in (interval.low, interval.high))
    return f"{100 * value:{sign}.1f} [{low}, {high}]".replace("-", "−")


def probability(p: float) -> str:
    """A p-value.

    >>> probability(0.0213), probability(1.8e-37)
    ('0.021', '1.8e-37')
    """
    return f"{p:.1e}" if p < 0.001 else f"{p:.3f}"


def spread(seeds: SeedSpread) -> tuple[str, ...]:
    """The runs of several seeds, their number, mean, standard deviation and range in percent, and tokens."""
    return (
        ", ".join(seeds.labels),
        f"{len(seeds.labels):,}",
        f"{100 * seeds.mean:.1f}",
        f"{100 * seeds.deviation:.1f}",
        f"{100 * seeds.low:.1f} to {100 * seeds.high:.1f}",
        f"{seeds.tokens:,.0f}",
    )


def pairs_right(row: ComparedRun) -> str | None:
    """The share of pairs with both twins correct, in percent; None for data without twins."""
    pairs = row.metrics.pairwise
    return None if pairs is None or pairs.accuracy is None else f"{100 * pairs.accuracy:.1f}"


def left_out(comparison: Comparison) -> str:
    """For each run the number of its questions that another run lacks, as a list; empty if none."""
    return "; ".join(f"{row.left_out:,} of {row.label}" for row in comparison.rows if row.left_out)


def twinless(comparison: Comparison) -> str:
    """A clause on questions without a twin; empty if there are none."""
    pairs = comparison.rows[0].metrics.pairwise
    return f"; {pairs.left_out:,} without a twin are left out" if pairs and pairs.left_out else ""


def from_cache(comparison: Comparison) -> str:
    """The share of each run's requests that the response cache answered, as a list; empty if none."""
    return "; ".join(
        f"{100 * row.metrics.cached / row.metrics.requests:.1f} % of the requests of {row.label}"
        for row in comparison.rows
        if row.metrics.cached
    )


def what_was_measured(figure: Published) -> str:
    """Method, model and note of a published figure."""
    return ", ".join(filter(None, (figure.method, figure.model, figure.note)))


def _decimals(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _of_kind(row: ComparedRun, kind: str) -> str | None:
    """The accuracy in percent at the questions with a tree of a kind, and how many they are."""
    shares = (f"{100 * k.accuracy:.1f} of {k.questions:,}" for k in row.metrics.kinds if k.kind == kind)
    return next(shares, None)


BY_KIND: tuple[Column, ...] = tuple((f"{kind} %", partial(_of_kind, kind=kind)) for kind in KINDS)

CALIBRATION_AND_COST: tuple[Column, ...] = (
    ("ECE", lambda row: _decimals(row.metrics.ece)),
    ("Brier", lambda row: _decimals(row.metrics.brier)),
    ("AURC", lambda row: _decimals(row.metrics.aurc)),
    ("AUROC", lambda row: _decimals(row.metrics.auroc)),
    ("tokens", lambda row: f"{row.metrics.costs.tokens:,.0f}"),
    ("calls", lambda row: f"{row.metrics.costs.calls:,.1f}"),
    ("NLI pairs", lambda row: f"{row.metrics.costs.verifier_pairs:,.1f}"),
    ("seconds", lambda row: f"{row.metrics.costs.seconds:.2f}"),
)
