"""``maieutic bench``: methods against each other on statements whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.options import DeviceOption, DownloadOption, DtypeOption, JsonOption

__all__ = ["bench"]

bench = typer.Typer(help="Measure whether reasoning pays.", no_args_is_help=True)


@bench.callback()
def _bench() -> None:
    """Measure whether reasoning pays."""


@bench.command()
def run(
    dataset: Annotated[str, typer.Argument(help="agora: contested statements of the bundled world.")],
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="direct, cot, self-consistency, maieutic or maieutic-vote; repeatable. All, if left out.",
            show_default=False,
        ),
    ] = None,
    lm: Annotated[str, typer.Option("--lm", help="Language model: agora, folder or hub id.")] = "agora",
    nli: Annotated[str, typer.Option("--nli", help="Verifier: agora, folder or hub id, or 'lm'.")] = "agora",
    prompts: Annotated[str, typer.Option("--prompts", help="As for ask.")] = "auto",
    count: Annotated[int, typer.Option("--count", help="Statements; half of them are true.", min=2)] = 800,
    split: Annotated[str, typer.Option("--split", help="train, dev or test.")] = "test",
    seed: Annotated[int, typer.Option("--seed", help="Of the choice and of all sampling.", min=0)] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File for the records, one JSON object a line; new.", show_default=False),
    ] = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    json: JsonOption = False,
) -> None:
    """Answer statements by each method; report accuracy, paired tests and the truth of every node.

    maieutic bench run agora --method direct --method maieutic
    """
    from maieutic.benchmarks.agora.claims import check_split
    from maieutic.benchmarks.agora.methods import METHODS, check_method
    from maieutic.benchmarks.agora.questions import questions
    from maieutic.benchmarks.agora.run import run as answer
    from maieutic.benchmarks.agora.world import load_world
    from maieutic.cli.bench_report import BenchReport, open_records
    from maieutic.errors import InputError
    from maieutic.pipeline import load_models

    if dataset != "agora":
        raise InputError(f"the data set must be agora, not {dataset!r}")
    methods = list(dict.fromkeys(map(check_method, method))) if method else list(METHODS)
    world = load_world()
    asked = questions(world, check_split(split), count, seed)
    with open_records(out) as file:
        models = load_models(lm, nli, prompts=prompts, device=device, dtype=dtype, download=download)
        report = BenchReport(world, methods, split, (models.lm.name, models.verifier.name), json=json)
        if len(asked) < count:
            report.warn(f"the {split} split has {len(asked)} contested statements, not {count}")
        report.follow(answer(asked, methods, models, seed), file, total=len(asked))
