"""``maieutic bench compare``: a comparison of runs, with intervals, paired tests and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.cli.bench.options import BaselineOption, BootstrapSeedOption, RunsArgument
from maieutic.cli.bench.tables import Grid, as_csv, as_latex, as_markdown, as_table, comparison_parts
from maieutic.cli.completion import one_of
from maieutic.cli.options import OUTPUT, JsonOption
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.benchmarks.analysis.comparison import Comparison
    from maieutic.benchmarks.analysis.published import Published
    from maieutic.benchmarks.analysis.reference import Agreement

__all__ = ["compare", "comparison_json"]

FORMATS = ("text", "md", "latex", "csv", "json")


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
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar=" | ".join(FORMATS),
            help="How to print: csv has a line for each run with unrounded numbers.",
            autocompletion=one_of(FORMATS),
            rich_help_panel=OUTPUT,
        ),
    ] = FORMATS[0],
    json: JsonOption = False,
) -> None:
    """Compare runs at the questions that all of them have.

    maieutic bench compare runs/direct runs/maieutic
    """
    from maieutic.benchmarks.analysis.comparison import compare as compare_runs
    from maieutic.benchmarks.analysis.published import published as published_on
    from maieutic.benchmarks.analysis.reference import agreement, read_reference
    from maieutic.benchmarks.runs.brief import read_brief
    from maieutic.cli.console import complain

    if format not in FORMATS:
        raise InputError(f"--format is {', '.join(FORMATS)}, not {format!r}", subject="format")
    read = [read_brief(folder) for folder in runs]
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
    if json or format == "json":
        typer.echo(comparison_json(comparison, figures, agreements))
    elif format == "csv":
        typer.echo(as_csv(comparison), nl=False)
    else:
        parts = [*comparison_parts(comparison, figures), *map(_agreement, agreements)]
        _print(parts, format)


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


def _print(parts: Sequence[Grid | str], format: str) -> None:
    if format != "text":
        typer.echo(as_markdown(parts) if format == "md" else as_latex(parts), nl=False)
        return
    from rich.text import Text

    from maieutic.cli.console import table_console

    console = table_console()
    for place, part in enumerate(parts):
        if place:
            console.print()
        console.print(Text(part) if isinstance(part, str) else as_table(part))


def _agreement(agreement: Agreement) -> str:
    """How often a run agrees with the reference, and the questions where it does not."""
    from maieutic.render.text import printable

    share = 100 * agreement.same / max(1, agreement.compared)
    head = f"{agreement.run}: the reference's answer on {agreement.same:,} of {agreement.compared:,}"
    lines = [f"{head} questions, {share:.2f} %"]
    for record in agreement.differing:
        given = "no answer" if record.answer is None else str(record.answer).lower()
        margin = "" if record.margin is None else f", margin {record.margin:g} {record.margin_unit}"
        lines.append(f"  {record.id}: {given}{margin}: {record.text}")
    return "\n".join(map(printable, lines))
