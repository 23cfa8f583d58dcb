"""What ``maieutic bench run`` prints when it is done: one run in numbers."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from maieutic.benchmarks.agora.nodes import known_explanations
from maieutic.benchmarks.analysis.metrics import Metrics, measure
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import run_name
from maieutic.benchmarks.runs.records import Record
from maieutic.render.text import printable

__all__ = ["print_summary"]


def print_summary(config: RunConfig, folder: Path, records: Sequence[Record], *, json: bool) -> None:
    """The run's numbers for people, or as one JSON object."""
    metrics = measure(records)
    nodes = known_explanations(config.dataset, records)
    if json:
        found = {"run": run_name(config), "folder": str(folder), "metrics": asdict(metrics)}
        typer.echo(jsonlib.dumps(found | ({"nodes": asdict(nodes)} if nodes else {})))
        return
    console = Console(highlight=False)
    for line in (*_lines(config, metrics), *([str(nodes)] if nodes else [])):
        console.print(printable(line), markup=False, emoji=False)
    console.print(f"records in {printable(str(folder))}", markup=False, emoji=False)


def _lines(config: RunConfig, metrics: Metrics) -> list[str]:
    names = [config.dataset, config.split, config.lm or "trees", config.nli]
    lines = [f"{run_name(config)} on {', '.join(name for name in names if name)}"]
    line = f"{metrics.right} of {metrics.questions} right, {100 * metrics.accuracy:.1f} %"
    if metrics.scored < metrics.questions:
        unscored = metrics.questions - metrics.scored
        line += f"; {unscored} unscored" + (
            f", {100 * metrics.accuracy_scored:.1f} % of those scored" if metrics.accuracy_scored else ""
        )
    lines.append(line)
    if metrics.pairwise is not None and metrics.pairwise.pairs:
        pairs = metrics.pairwise
        lines.append(f"both twins right in {pairs.right} of {pairs.pairs} pairs")
    costs = metrics.costs
    lines.append(
        f"a question took {costs.tokens:,.0f} tokens in {costs.calls:.1f} calls, "
        f"{costs.verifier_pairs:.1f} verifier pairs, {costs.seconds:.3f} s"
    )
    if metrics.cached:
        lines.append(
            f"{metrics.cached:,} of {metrics.requests:,} requests came from the response cache; "
            "seconds are not those of a fresh run"
        )
    return lines
