"""The tables of a report: the comparison, explanations, curves of growth and published results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.calibration_error import BINS
from maieutic.benchmarks.analysis.formatting import (
    CALIBRATION_AND_COST,
    Column,
    from_cache,
    left_out,
    pairs_right,
    percent_with_interval,
    probability,
    spread,
    twinless,
    what_was_measured,
)
from maieutic.benchmarks.report.cells import Cell, Note, Table, Whisker, row_of, scale_of
from maieutic.render.text import printable

if TYPE_CHECKING:
    from maieutic.benchmarks.agora.nodes import NodeCounts
    from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison, Difference
    from maieutic.benchmarks.analysis.growth_curve import CurvePoint
    from maieutic.benchmarks.analysis.published import Published
    from maieutic.benchmarks.analysis.seeds import SeedSpread
    from maieutic.benchmarks.analysis.statistics import Interval

__all__ = [
    "accuracy_table",
    "difference_table",
    "discard_table",
    "explanation_table",
    "growth_table",
    "published_table",
    "seed_table",
]

CLEAR = 0.05  # corrected p-values below it are in bold
_STEPS = 10  # steps between the rows of a curve's table, as shares of the most tokens

# -- the runs ------------------------------------------------------------------------------------------


def _scored(row: ComparedRun) -> str | None:
    """Accuracy among the questions with an answer, in percent."""
    accuracy = row.metrics.accuracy_scored
    return None if accuracy is None else f"{100 * accuracy:.1f}"


_COLUMNS: tuple[Column, ...] = (
    ("right", lambda row: f"{row.metrics.right:,}"),
    ("unscored", lambda row: f"{row.metrics.questions - row.metrics.scored:,}"),
    ("of scored %", _scored),
    ("pairs %", pairs_right),
    *CALIBRATION_AND_COST,
)

_MEANINGS = {
    "unscored": "questions without an answer; they count as wrong",
    "of scored %": "correct among the questions with an answer",
    "ECE": f"expected calibration error in {BINS} bins; 0 is best, as for Brier and AURC",
    "Brier": "mean squared difference of P(true) and the truth (0 or 1)",
    "AURC": "area under the risk-coverage curve, most confident first: by P(true), else by the margin",
    "AUROC": "how often a right answer has more confidence than a wrong one; 0.5 for a constant",
    "tokens": "of prompts and replies, per question, as are calls, NLI pairs and seconds",
    "calls": "texts sampled and prompts scored by the language model",
    "NLI pairs": "pairs of propositions scored by the verifier",
    "–": "not available for every answer in one unit",
}


def accuracy_table(comparison: Comparison) -> Table:
    """Accuracy, calibration and cost of every run, without empty columns."""
    whole = all(row.metrics.scored == row.metrics.questions for row in comparison.rows)
    shown = [
        (name, cell)
        for name, cell in _COLUMNS
        if any(map(cell, comparison.rows)) and not (whole and cell is _scored)
    ]
    place = scale_of([row.interval for row in comparison.rows])
    rows = []
    for row in comparison.rows:
        value, interval = row.metrics.accuracy, row.interval
        accuracy = Cell(percent_with_interval(value, interval), place(value, interval))
        rows.append(row_of(row.label, accuracy, *(cell(row) or "–" for _, cell in shown)))
    terms = {name for name, _ in shown} | {cell.text for row in rows for cell in row}
    return Table(
        caption="Accuracy, calibration and cost",
        columns=("run", "accuracy %", *(name for name, _ in shown)),
        rows=tuple(rows),
        notes=(*_data_notes(comparison), *(note for note in _MEANINGS.items() if note[0] in terms)),
    )


def _data_notes(comparison: Comparison) -> list[Note]:
    pairs = comparison.rows[0].metrics.pairwise
    notes = [("[ ]", f"95 % interval: {comparison.intervals}")]
    if pairs:
        meaning = f"of {pairs.pairs:,} pairs, those with both twins correct{twinless(comparison)}"
        notes.append(("pairs %", meaning))
    if missing := left_out(comparison):
        notes.append(("left out", f"because another run has no record of them: {printable(missing)}"))
    if cached := from_cache(comparison):
        notes.append(
            ("seconds", f"not those of an uncached run; from the response cache: {printable(cached)}")
        )
    return notes


# -- pairs of runs -------------------------------------------------------------------------------------


def difference_table(comparison: Comparison) -> Table | None:
    """The paired tests; None for a single run."""
    if not comparison.differences:
        return None
    place = scale_of([difference.interval for difference in comparison.differences], zero=True)
    return Table(
        caption="Differences, at the same questions",
        columns=("run − other", "accuracy, points", "gained", "lost", "p", "p, Holm"),
        rows=tuple(_difference(difference, place) for difference in comparison.differences),
        notes=(
            ("gained, lost", "questions that only the run, or only the other, answers correctly"),
            ("p", f"McNemar's exact test; Holm: corrected for all tests of this table, bold below {CLEAR}"),
        ),
    )


def seed_table(seeds: Sequence[SeedSpread]) -> Table | None:
    """Runs that differ in their seed alone, together; None if there are none."""
    if not seeds:
        return None
    return Table(
        caption="Seeds of one run",
        columns=("runs", "number", "mean %", "s. d.", "range %", "tokens"),
        rows=tuple(row_of(*spread(each)) for each in seeds),
        notes=(("mean", "of the accuracies; each run counts at its own questions, which its seed drew"),),
    )


def _difference(difference: Difference, place: Callable[[float, Interval], Whisker]) -> tuple[Cell, ...]:
    text = percent_with_interval(difference.difference, difference.interval, "+")
    return row_of(
        f"{difference.run} − {difference.against}",
        Cell(text, place(difference.difference, difference.interval)),
        f"{difference.gained:,}",
        f"{difference.lost:,}",
        probability(difference.p),
        Cell(probability(difference.p_holm), clear=difference.p_holm < CLEAR),
    )


# -- explanations whose truth is known -----------------------------------------------------------------


def explanation_table(labels: Sequence[str], counts: Sequence[NodeCounts | None]) -> Table | None:
    """How the explanations in trees are labelled; None if no run has counts."""
    known = [(label, nodes) for label, nodes in zip(labels, counts, strict=True) if nodes is not None]
    if not known:
        return None
    rows = [
        row_of(
            label,
            f"{nodes.nodes:,}",
            _share(nodes.true, nodes.nodes),
            _share(nodes.by_belief, nodes.nodes),
            _share(nodes.integral_by_belief, nodes.integral),
            _share(nodes.by_label, nodes.nodes),
            f"{nodes.unknown:,}",
        )
        for label, nodes in known
    ]
    return Table(
        caption="Explanations, compared with the world",
        columns=("run", "explanations", "true %", "beliefs %", "integral %", "labels %", "unknown"),
        rows=tuple(rows),
        notes=(
            ("beliefs %", "labelled correctly by the model's raw beliefs"),
            ("integral %", "the same among the integral ones"),
            ("labels %", "labelled correctly after solving"),
            ("unknown", "not counted: truth value unknown, or no verdict of the model"),
        ),
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


# -- texts that were rejected ----------------------------------------------------------------------------


def discard_table(rows: Sequence[ComparedRun]) -> Table | None:
    """How many texts of the model each run rejected, and why; None if no run has any."""
    found = [(row, row.metrics.discards) for row in rows if row.metrics.discards is not None]
    counts = [{(item.kind, item.reason): item.count for item in discards.counts} for _, discards in found]
    kinds = sorted({key for each in counts for key in each})
    if not kinds:
        return None
    return Table(
        caption="Texts that were discarded",
        columns=("run", "explanations", *(f"{kind}: {reason}" for kind, reason in kinds)),
        rows=tuple(
            row_of(row.label, f"{discards.explanations:,}", *(f"{each.get(key, 0):,}" for key in kinds))
            for (row, discards), each in zip(found, counts, strict=True)
        ),
        notes=(("explanations", "given by the model, those that were discarded included"),),
    )


# -- curves of growth, and what others published -------------------------------------------------------


def growth_table(label: str, points: Sequence[CurvePoint], questions: int) -> Table:
    """Accuracy and cost of anytime growth by confidence, for about every tenth of the most tokens.

    Args:
        points: at least one.
        questions: their number.
    """
    last = len(points) - 1
    wanted = [points[last].tokens * step / _STEPS for step in range(_STEPS)]
    nearest = {min(range(last + 1), key=lambda k: abs(points[k].tokens - tokens)) for tokens in wanted}
    rows = [
        row_of(
            f"{points[k].confidence:.3f}",
            f"{100 * points[k].grown:.1f}",
            f"{points[k].tokens:,.1f}",
            f"{points[k].calls:,.1f}",
            f"{100 * points[k].accuracy:.1f}",
        )
        for k in sorted(nearest | {last})
    ]
    return Table(
        caption=f"Confidences of {printable(label)}, {questions:,} questions",
        columns=("confidence", "grown %", "generated tokens", "calls", "accuracy %"),
        rows=tuple(rows),
        notes=(
            ("confidence", "growth stops where P of the answer reaches it; the last one is the run's own"),
            ("grown %", "questions that take a step after the direct answer"),
            ("generated tokens", "per question, without prompts; calls of the language model while growing"),
        ),
        words=(),
    )


def published_table(figures: Sequence[Published]) -> Table | None:
    """Published results on the data set; None if there are none."""
    if not figures:
        return None
    rows = [
        row_of(
            figure.source,
            f"{figure.accuracy:.1f}",
            figure.split or "–",
            what_was_measured(figure),
        )
        for figure in figures
    ]
    return Table(
        caption="Published",
        columns=("source", "accuracy %", "split", "what"),
        rows=tuple(rows),
        notes=(("published", "with other questions, models and prompts, so not directly comparable"),),
        words=(0, 2, 3),
    )
