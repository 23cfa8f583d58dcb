"""A comparison of runs as tables and notes, and these as text, Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.formatting import (
    BY_KIND,
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
from maieutic.render.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison, Difference
    from maieutic.benchmarks.analysis.published import Published

__all__ = ["Grid", "as_csv", "as_latex", "as_markdown", "as_table", "comparison_parts"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts as files have them; the paragraphs beside it are printable already.

    Attributes:
        words: places of the columns that have words in them, which are set on the left and may be wrapped.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)


def comparison_parts(comparison: Comparison, figures: Sequence[Published] = ()) -> Iterator[Grid | str]:
    """The tables of a comparison, and the paragraphs between them, in the order in which they are read."""
    yield _head(comparison)
    for columns in (_ACCURACY, BY_KIND, CALIBRATION_AND_COST):
        shown = [(name, cell) for name, cell in columns if any(map(cell, comparison.rows))]
        if shown:
            rows = ((row.label, *(cell(row) or "–" for _, cell in shown)) for row in comparison.rows)
            yield Grid(("run", *(name for name, _ in shown)), tuple(rows))
    if comparison.seeds:
        names = (
            "seeds of one run, each at its own questions",
            "runs",
            "mean %",
            "s. d.",
            "range %",
            "tokens",
        )
        yield Grid(names, tuple(map(spread, comparison.seeds)))
    if comparison.differences:
        names = ("run − other, same questions", "accuracy, points", "gained", "lost", "p", "Holm")
        yield Grid(names, tuple(map(_difference, comparison.differences)))
    yield _foot(comparison)
    if figures:
        yield "Published, not necessarily on the same questions"
        yield Grid(("source", "accuracy", "split", "what"), tuple(map(_published, figures)), (0, 2, 3))


def _head(comparison: Comparison) -> str:
    lines = [f"{comparison.dataset}, {comparison.split}: {comparison.questions:,} questions"]
    if len(comparison.rows) > 1:
        lines[0] += " that all runs have"
    if missing := left_out(comparison):
        lines.append(f"left out, because another run has no record of them: {missing}")
    return "\n".join(map(printable, lines))


def _foot(comparison: Comparison) -> str:
    pairs = comparison.rows[0].metrics.pairwise
    lines = [f"intervals: 95 %, {comparison.intervals}"]
    if any(row.metrics.scored < row.metrics.questions for row in comparison.rows):
        lines.append("a question without an answer counts as wrong, except under “scored”")
    if pairs:
        lines.append(f"pairs: {pairs.pairs:,}, correct if both twins are{twinless(comparison)}")
    if cached := from_cache(comparison):
        lines.append(f"seconds: not those of an uncached run; from the response cache: {printable(cached)}")
    if comparison.differences:
        lines.append("gained, lost: questions that only the run, or only the other, answers correctly")
        lines.append("p: McNemar's exact test; Holm: corrected for all tests above")
    return "\n".join(lines)


def _scored(row: ComparedRun) -> str | None:
    """Accuracy over the questions with an answer, where some have none."""
    metrics = row.metrics
    if metrics.scored == metrics.questions or metrics.accuracy_scored is None:
        return None
    return f"{100 * metrics.accuracy_scored:.1f} of {metrics.scored:,}"


_ACCURACY: tuple[Column, ...] = (
    ("accuracy %", lambda row: percent_with_interval(row.metrics.accuracy, row.interval)),
    ("scored %", _scored),
    ("pairs %", pairs_right),
)


def _difference(difference: Difference) -> tuple[str, ...]:
    return (
        f"{difference.run} − {difference.against}",
        percent_with_interval(difference.difference, difference.interval, "+"),
        f"{difference.gained:,}",
        f"{difference.lost:,}",
        probability(difference.p),
        probability(difference.p_holm),
    )


def _published(figure: Published) -> tuple[str, ...]:
    return figure.source, f"{figure.accuracy:.1f} %", figure.split or "–", what_was_measured(figure)


# -- the formats ---------------------------------------------------------------------------------------


def as_table(grid: Grid) -> Table:
    """A plain table for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, name in enumerate(grid.names):
        if place in grid.words:
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def as_markdown(parts: Iterable[Grid | str]) -> str:
    """GitHub's Markdown; characters that would be markup are escaped."""
    return "\n\n".join(_escaped(part) if isinstance(part, str) else _piped(part) for part in parts) + "\n"


def _piped(grid: Grid) -> str:
    rules = ["---" if place in grid.words else "---:" for place in range(len(grid.names))]
    rows = [[_escaped(printable(cell)) for cell in row] for row in (grid.names, *grid.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rules, *rows[1:]))


def _escaped(text: str) -> str:
    """Printable text as Markdown that shows it."""
    text = re.sub(r"([\\`*_<>|#~])", r"\\\1", text).replace("](", r"]\(")
    return text.replace("\n", "  \n")


def as_latex(parts: Iterable[Grid | str]) -> str:
    """LaTeX for booktabs: a tabular for each table; paragraphs become comments."""
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append("\n".join(f"% {line}" for line in part.splitlines()))
            continue
        columns = "".join("l" if place in part.words else "r" for place in range(len(part.names)))
        head, *rows = (" & ".join(map(_tex, row)) + r" \\" for row in (part.names, *part.rows))
        lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
        texts.append("\n".join([*lines, r"\end{tabular}"]))
    return "\n\n".join(texts) + "\n"


_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {character: f"\\{character}" for character in "&%$#_{}"} | {"−": "$-$", "–": "--"}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in printable(text))


def as_csv(comparison: Comparison) -> str:
    """One line for each run, numbers as they were computed (shares in [0, 1]); empty where there is none."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["run", *(name for name, _ in _FIELDS)])
    for row in comparison.rows:
        writer.writerow([printable(row.label), *("" if (v := of(row)) is None else v for _, of in _FIELDS)])
    return buffer.getvalue()


_FIELDS: tuple[tuple[str, Callable[[ComparedRun], float | None]], ...] = (
    ("questions", lambda row: row.metrics.questions),
    ("scored", lambda row: row.metrics.scored),
    ("right", lambda row: row.metrics.right),
    ("accuracy", lambda row: row.metrics.accuracy),
    ("accuracy_low", lambda row: row.interval.low),
    ("accuracy_high", lambda row: row.interval.high),
    ("pairs_accuracy", lambda row: row.metrics.pairwise.accuracy if row.metrics.pairwise else None),
    ("ece", lambda row: row.metrics.ece),
    ("brier", lambda row: row.metrics.brier),
    ("aurc", lambda row: row.metrics.aurc),
    ("auroc", lambda row: row.metrics.auroc),
    ("prompt_tokens", lambda row: row.metrics.costs.prompt_tokens),
    ("generated_tokens", lambda row: row.metrics.costs.generated_tokens),
    ("calls", lambda row: row.metrics.costs.calls),
    ("verifier_pairs", lambda row: row.metrics.costs.verifier_pairs),
    ("seconds", lambda row: row.metrics.costs.seconds),
)
