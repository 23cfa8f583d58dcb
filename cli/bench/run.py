"""``maieutic bench run``: a method over a data set, into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.options import CacheOption, DeviceOption, DownloadOption, DtypeOption, JsonOption

__all__ = ["run"]

KEPT = {"context", "config", "out", "download", "dry_run", "cache", "json"}  # may stand beside --config


def run(
    context: typer.Context,
    dataset: Annotated[
        str, typer.Argument(help="agora, csqa2, creak, com2sense, strategyqa or file.", show_default=False)
    ] = "",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="direct, chain-of-thought, self-consistency, generated-knowledge, maieutic or cascade.",
        ),
    ] = "maieutic",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the method, KEY=VALUE; repeatable.", show_default=False),
    ] = None,
    lm: Annotated[str, typer.Option("--lm", help="Language model: as for ask.")] = "agora",
    nli: Annotated[
        str | None,
        typer.Option(
            "--nli",
            help="Verifier: agora, folder or hub id, or 'lm' for the language model itself. "
            "Must be given with --trees or another --lm than agora.",
            show_default="agora",
        ),
    ] = None,
    prompts: Annotated[str, typer.Option("--prompts", help="As for ask.")] = "auto",
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of the official files, or the file.", show_default=False),
    ] = None,
    trees: Annotated[
        Path | None,
        typer.Option("--trees", help="Trees grown elsewhere, instead of --lm.", show_default=False),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Of the data set; see bench datasets.", show_default=False)
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", help="Questions to draw with --seed; 0 for all.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw and of all sampling.", min=0)] = 0,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="run.toml of an earlier run, to repeat it.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the run; one that stopped goes on.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask 8 questions, write nothing, say what all would take.")
    ] = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = True,
    json: JsonOption = False,
) -> None:
    """Judge a data set's questions by one method and keep every answer.

    maieutic bench run agora --method direct --out runs/direct
    """
    from maieutic.benchmarks.runs.config import RunConfig, read_config
    from maieutic.cli.bench.progress import follow, preview
    from maieutic.errors import InputError

    if config is not None:
        _refuse_others(context)
        chosen = read_config(config)
    elif not dataset:
        raise InputError("name a data set (see maieutic bench datasets), or give --config a run.toml")
    else:
        chosen = RunConfig(
            dataset=dataset,
            method=method,
            settings=_pairs(settings or []),
            split=split or "",
            data=_absolute(data),
            trees=_absolute(trees),
            lm=lm,
            nli=nli or "",
            prompts=prompts,
            device=device,
            dtype=dtype,
            limit=limit,
            seed=seed,
        ).complete()
    if dry_run:
        preview(chosen, download=download, json=json)
    elif out is None:
        raise InputError("give --out the folder of the run, or --dry-run to see what it would take")
    else:
        follow(chosen, out, download=download, cached=cache, json=json)


def _absolute(path: Path | None) -> str:
    """As the run keeps it, so that it can be repeated from another folder."""
    return "" if path is None else str(path.expanduser().absolute())


def _pairs(settings: list[str]) -> dict[str, str]:
    from maieutic.errors import InputError

    pairs = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError(f"--set {text!r} is not of the form KEY=VALUE")
        pairs[key.strip()] = value.strip()
    return pairs


def _refuse_others(context: typer.Context) -> None:
    """With --config everything else stands in the file."""
    from maieutic.errors import InputError

    for name in context.params.keys() - KEPT:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(f"--config already says everything; leave out {name.replace('_', '-')}")
