"""``maieutic bench compare``: a comparison of runs, with intervals, paired tests and calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.benchmarks.analysis.formatting import (
    BY_KIND,
    CALIBRATION_AND_COST,
    Column,
    from_cache,
    left_out,
    pairs_right,
    percent_with_interval,
    probability,
    twinless,
    what_was_measured,
)
from maieutic.cli.bench.options import BaselineOption, BootstrapSeedOption, RunsArgument
from maieutic.cli.options import OUTPUT, JsonOption

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison, Difference
    from maieutic.benchmarks.analysis.published import Published
    from maieutic.benchmarks.analysis.reference import Agreement

__all__ = ["compare", "comparison_json", "comparison_tables"]


def compare(
    runs: RunsArgument,
    baseline: BaselineOption = None,
    published: Annotated[
        bool,
        typer.Option(
            "--published", help="Also show published results on the data set.", rich_help_panel=OUTPUT
        ),
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            help="Answers of another implementation, as one more run. Each line is "
            '{"row": 0, "vote": true}; row is the index of the question\'s line, from 0. '
            "Questions with another answer are listed.",
            show_default=False,
        ),
    ] = None,
    seed: BootstrapSeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Compare runs at the questions that all of them have.

    maieutic bench compare runs/direct runs/maieutic
    """
    from maieutic.benchmarks.analysis.comparison import compare as compare_runs
    from maieutic.benchmarks.analysis.published import published as published_on
    from maieutic.benchmarks.analysis.reference import agreement, read_reference
    from maieutic.benchmarks.runs.folder import read_run
    from maieutic.cli.console import complain

    read = [read_run(folder) for folder in runs]
    others = [] if reference is None else [read_reference(reference, read[0])]
    comparison = compare_runs([*others, *read], baseline=baseline, seed=seed)
    agreements = [
        agreement(row.label, run.records, other)
        for other in others
        for row, run in zip(comparison.rows[1:], read, strict=True)
    ]
    figures = published_on(comparison.dataset) if published else []
    if published and not figures:
        complain(f"there are no published figures on {comparison.dataset}")
    if json:
        typer.echo(comparison_json(comparison, figures, agreements))
    else:
        _print(comparison, figures, agreements)


def comparison_json(
    comparison: Comparison, figures: Sequence[Published] = (), agreements: Sequence[Agreement] = ()
) -> str:
    """The comparison as one JSON object; accuracies in [0, 1], published ones in percent."""
    import json
    from dataclasses import asdict

    data = asdict(comparison) | {"published": [asdict(figure) for figure in figures]}
    if agreements:
        data["reference"] = [
            {"run": each.run, "compared": each.compared, "differing": [r.id for r in each.differing]}
            for each in agreements
        ]
    for row, fields in zip(comparison.rows, data["rows"], strict=True):
        fields["metrics"]["costs"]["tokens"] = row.metrics.costs.tokens
        if row.metrics.pairwise:
            fields["metrics"]["pairwise"]["accuracy"] = row.metrics.pairwise.accuracy
    return json.dumps(data, ensure_ascii=False)


def _print(comparison: Comparison, figures: Sequence[Published], agreements: Sequence[Agreement]) -> None:
    from maieutic.cli.console import table_console

    console = table_console()
    for part in (*comparison_tables(comparison, figures), *map(_agreement, agreements)):
        console.print(part)


def _agreement(agreement: Agreement) -> Text:
    """How often a run agrees with the reference, and the questions where it does not."""
    from rich.text import Text

    from maieutic.render.text import printable

    share = 100 * agreement.same / max(1, agreement.compared)
    head = f"{agreement.run}: the reference's answer on {agreement.same:,} of {agreement.compared:,}"
    lines = ["", f"{head} questions, {share:.2f} %"]
    for record in agreement.differing:
        given = "no answer" if record.answer is None else str(record.answer).lower()
        margin = "" if record.margin is None else f", margin {record.margin:g} {record.margin_unit}"
        lines.append(f"  {record.id}: {given}{margin}: {record.text}")
    return Text("\n".join(map(printable, lines)))


def comparison_tables(comparison: Comparison, figures: Sequence[Published] = ()) -> Iterator[Table | Text]:
    """The tables and lines to print, for a terminal of 100 columns."""
    from rich.text import Text

    yield _head(comparison)
    for columns in (_ACCURACY, BY_KIND, CALIBRATION_AND_COST):
        shown = [(name, cell) for name, cell in columns if any(map(cell, comparison.rows))]
        if not shown:
            continue
        rows = [(row.label, *(cell(row) or "–" for _, cell in shown)) for row in comparison.rows]
        yield Text()
        yield _table(["run", *(name for name, _ in shown)], rows)
    if comparison.differences:
        yield Text()
        names = ["run − other, same questions", "accuracy, points", "gained", "lost", "p", "Holm"]
        yield _table(names, list(map(_difference, comparison.differences)))
    yield _foot(comparison)
    if figures:
        yield Text("\nPublished, not necessarily on the same questions\n")
        yield _table(["source", "accuracy", "split", "what"], list(map(_published, figures)), words=(0, 2, 3))


def _head(comparison: Comparison) -> Text:
    from rich.text import Text

    from maieutic.render.text import printable

    lines = [f"{comparison.dataset}, {comparison.split}: {comparison.questions:,} questions"]
    if len(comparison.rows) > 1:
        lines[0] += " that all runs have"
    if missing := left_out(comparison):
        lines.append(f"left out, because another run has no record of them: {missing}")
    return Text("\n".join(map(printable, lines)))


def _foot(comparison: Comparison) -> Text:
    from rich.text import Text

    from maieutic.render.text import printable

    pairs = comparison.rows[0].metrics.pairwise
    lines = ["", f"intervals: 95 %, {comparison.intervals}"]
    if any(row.metrics.scored < row.metrics.questions for row in comparison.rows):
        lines.append("a question without an answer counts as wrong, except under “scored”")
    if pairs:
        lines.append(f"pairs: {pairs.pairs:,}, correct if both twins are{twinless(comparison)}")
    if cached := from_cache(comparison):
        lines.append(f"seconds: not those of an uncached run; from the response cache: {printable(cached)}")
    if comparison.differences:
        lines.append("gained, lost: questions that only the run, or only the other, answers correctly")
        lines.append("p: McNemar's exact test; Holm: corrected for all tests above")
    return Text("\n".join(lines))


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


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)) -> Table:
    """A plain table; the columns at ``words`` contain text, which is wrapped."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from maieutic.render.text import printable

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, name in enumerate(names):
        if place in words:
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
