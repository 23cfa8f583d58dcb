"""``maieutic bench choose``: run a method over questions with options."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.bench.options import LimitOption, RunSeedOption
from maieutic.cli.completion import lm_names, nli_names
from maieutic.cli.options import (
    CacheOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    WeightsOption,
    weights_from,
)
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.benchmarks.choice.run import ChoiceSummary

__all__ = ["choose"]


def choose(
    data: Annotated[
        Path,
        typer.Argument(
            help="File of CommonsenseQA, ARC, OpenBookQA, PIQA or Social IQa as published (with the labels "
            "of the last two beside it), or of questions with grown trees."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="File for the records; the same command continues it.", metavar="FILE"),
    ],
    method: Annotated[
        str,
        typer.Option(
            "--method", help="letters, continuations, chain-of-thought, self-consistency or maieutic."
        ),
    ] = "maieutic",
    lm: Annotated[
        str, typer.Option("--lm", help="Language model; not needed for trees.", autocompletion=lm_names)
    ] = AGORA,
    nli: Annotated[
        str, typer.Option("--nli", help="Verifier of the method maieutic.", autocompletion=nli_names)
    ] = AGORA,
    weights: WeightsOption = None,
    limit: LimitOption = 0,
    seed: RunSeedOption = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = True,
    json: JsonOption = False,
) -> None:
    """Choose among the options of every question by one method, and store every choice.

    maieutic bench choose arc.jsonl --method letters --lm ./model --out letters.jsonl
    """
    from maieutic.benchmarks.choice.items import read_choices
    from maieutic.benchmarks.choice.methods import CHOICE_METHODS, MaieuticChoice
    from maieutic.benchmarks.choice.run import answer_choices, read_choice_records, summary_of
    from maieutic.benchmarks.datasets.drawing import draw
    from maieutic.benchmarks.runs.models import needed_models
    from maieutic.cli.console import Pulse, response_cache, tracked
    from maieutic.files.json_text import dump_json
    from maieutic.inference import Joint

    if method not in CHOICE_METHODS:
        raise InputError(f"method must be {', '.join(CHOICE_METHODS)}, not {method!r}", subject="--method")
    items = draw(read_choices(data), limit, seed)
    chosen = CHOICE_METHODS[method]()
    if isinstance(chosen, MaieuticChoice):
        chosen = MaieuticChoice(Joint(weights_from(weights)))
    grown = all(item.trees for item in items)
    needs_lm = not (grown and isinstance(chosen, MaieuticChoice))
    store = response_cache() if cache else None
    opened = needed_models(
        lm if needs_lm else "",
        nli if chosen.uses_verifier else "",
        cache=store,
        device=device,
        dtype=dtype,
        download=download,
    )
    for _ in tracked(answer_choices(items, chosen, opened, out), method, len(items), pulse=Pulse()):
        pass
    asked = {item.id for item in items}
    summary = summary_of([record for record in read_choice_records(out) if record.id in asked])
    typer.echo(dump_json(asdict(summary)) if json else "\n".join(_lines(summary)))


def _lines(summary: ChoiceSummary) -> list[str]:
    low, high = (f"{100 * end:.1f}" for end in (summary.interval.low, summary.interval.high))
    lines = [f"{name} {100 * value:.1f} %" for name, value in summary.accuracy.items()]
    lines[0] += f" (95 % interval {low} to {high}) of {summary.questions} questions"
    if summary.unscored:
        lines.append(f"{summary.unscored} questions have no choice and count as wrong")
    usage = summary.usage
    cost = f"{usage.calls} calls, {usage.generated_tokens} generated tokens, {usage.pairs} pairs"
    return [*lines, cost]
