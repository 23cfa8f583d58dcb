"""The summary and the estimate that ``maieutic bench run`` prints."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict

import typer

from maieutic.benchmarks.agora.nodes import known_explanations
from maieutic.benchmarks.analysis.discards import Discards
from maieutic.benchmarks.analysis.metrics import Metrics, measure
from maieutic.benchmarks.runs.brief import stream_records
from maieutic.benchmarks.runs.estimating import Estimate, Range
from maieutic.benchmarks.runs.folder import Run, run_name
from maieutic.cli.console import table_console
from maieutic.config import PROBABILITIES
from maieutic.render.text import printable

__all__ = ["print_estimate", "print_summary"]


def print_summary(run: Run, *, json: bool) -> None:
    """Print the run's metrics as text, or as one JSON object; trees are read from its folder."""
    config, folder, records = run.config, run.folder, run.records
    metrics = measure(records) if any(record.gold is not None for record in records) else None
    nodes = known_explanations(config.dataset, stream_records(folder))
    if json:
        summary = {
            "run": run_name(config),
            "folder": str(folder),
            "belief_source": config.beliefs,
            "warnings": list(config.warnings),
            "metrics": metrics and asdict(metrics),
        }
        typer.echo(jsonlib.dumps(summary | ({"nodes": asdict(nodes)} if nodes else {})))
        return
    console = table_console()
    names = [config.dataset, config.split, config.lm or "trees", config.nli]
    lines = [f"{run_name(config)} on {', '.join(name for name in names if name)}"]
    if config.beliefs != PROBABILITIES:
        lines.append(f"beliefs: {config.beliefs}, not the model's probabilities")
    if ungraded := sum(record.gold is None for record in records):
        lines.append(f"{ungraded:,} of {len(records):,} questions have no gold answer and are not scored")
    for line in (*lines, *(_lines(metrics) if metrics else []), *([str(nodes)] if nodes else [])):
        console.print(printable(line), markup=False, emoji=False)
    console.print(f"records in {printable(str(folder))}", markup=False, emoji=False)


def _lines(metrics: Metrics) -> list[str]:
    line = f"{metrics.right} of {metrics.questions} correct, {100 * metrics.accuracy:.1f} %"
    if metrics.scored < metrics.questions:
        unscored = metrics.questions - metrics.scored
        line += f"; {unscored} unscored" + (
            f", {100 * metrics.accuracy_scored:.1f} % of those scored" if metrics.accuracy_scored else ""
        )
    lines = [line]
    if metrics.pairwise is not None and metrics.pairwise.pairs:
        pairs = metrics.pairwise
        lines.append(f"both twins correct in {pairs.right} of {pairs.pairs} pairs")
    lines += [
        f"{kind.right:,} of {kind.questions:,} with a tree of kind {kind.kind}, {100 * kind.accuracy:.1f} %"
        for kind in metrics.kinds
    ]
    if metrics.discards is not None and metrics.discards.counts:
        lines.append(_discarded(metrics.discards))
    costs = metrics.costs
    lines.append(
        f"per question: {costs.tokens:,.0f} tokens in {costs.calls:.1f} calls, "
        f"{costs.verifier_pairs:.1f} verifier pairs, {costs.seconds:.3f} s"
    )
    if metrics.cached:
        lines.append(
            f"{metrics.cached:,} of {metrics.requests:,} requests came from the response cache; "
            "seconds are not those of an uncached run"
        )
    return lines


def _discarded(discards: Discards) -> str:
    """ "discarded: explanation (echo) 3, belief (no verdict) 1; 40 explanations were given"."""
    counts = ", ".join(f"{item.kind} ({item.reason}) {item.count:,}" for item in discards.counts)
    return f"discarded: {counts}; {discards.explanations:,} explanations were given"


def print_estimate(estimate: Estimate, *, json: bool) -> None:
    """Print the estimated cost of the whole run as a sentence, or as one JSON object."""
    minutes, calls, pairs = _between(estimate.minutes, 1), _between(estimate.calls), _between(estimate.pairs)
    prompt, generated = _between(estimate.prompt_tokens), _between(estimate.generated_tokens)
    sentence = (
        f"{minutes} minutes for {estimate.questions:,} questions, from a sample of {estimate.sampled}: "
        f"{calls} calls of the language model with {prompt} prompt and {generated} generated tokens, "
        f"and {pairs} pairs for the verifier"
    )
    typer.echo(jsonlib.dumps(asdict(estimate)) if json else sentence)


def _between(numbers: Range, decimals: int = 0) -> str:
    """Both ends, or one number where they are the same as shown."""
    low, high = (f"{end:,.{decimals}f}" for end in (numbers.low, numbers.high))
    return low if low == high else f"{low} to {high}"
