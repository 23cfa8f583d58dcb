"""``maieutic bench run``: run a method over a data set, into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.cli.options import CacheOption, DeviceOption, DownloadOption, DtypeOption, JsonOption

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.benchmark import Benchmark
    from maieutic.benchmarks.runs.config import RunConfig
    from maieutic.errors import FileFormatError

__all__ = ["run"]

KEPT = {
    "context",
    "config",
    "out",
    "download",
    "dry_run",
    "keep_going",
    "cache",
    "json",
}  # may stand beside --config


def run(
    context: typer.Context,
    dataset: Annotated[
        str,
        typer.Argument(help="agora, csqa2, creak, com2sense, strategyqa, trees or file.", show_default=False),
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
            "Must be given with trees or another --lm than agora.",
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
        typer.Option(
            "--trees", help="Trees grown elsewhere for the data set, instead of --lm.", show_default=False
        ),
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
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="With trees: name bad lines and use the others.")
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
    from maieutic.cli.bench.summary import print_estimate
    from maieutic.errors import InputError

    if config is not None:
        _refuse_others(context)
        chosen = read_config(config)
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
        print_estimate(_load(chosen, download, keep_going).estimate(download=download), json=json)
    elif out is None:
        problem = "give --out the folder of the run, or --dry-run to see what it would take"
        raise InputError(problem, subject="--out")
    else:
        _run(_load(chosen, download, keep_going), out, download, cache, json)


def _load(config: RunConfig, download: bool, keep_going: bool) -> Benchmark:
    """Read the data, with a bar for what is fetched; edited files and lines left out are named on stderr."""
    from maieutic.benchmarks.runs.benchmark import Benchmark
    from maieutic.cli.bench.progress import download_bar
    from maieutic.cli.console import complain

    def name_bad_line(error: FileFormatError) -> None:
        complain(f"left out: {error}")

    with download_bar() as on_progress:
        benchmark = Benchmark.load(
            config,
            download=download,
            on_progress=on_progress,
            on_bad=name_bad_line if keep_going else None,
        )
    for name in benchmark.loaded.edited:
        complain(f"warning: {name} is not the file that was published; its rows are read as they are")
    return benchmark


def _run(benchmark: Benchmark, out: Path, download: bool, cache: bool, json: bool) -> None:
    """Answer what has no record yet, then print a summary of all records.

    Raises:
        MaieuticError: the language model judged nothing; the records stay.
        typer.Exit: with code 130 after Ctrl-C, once the batch is finished and written.
    """
    from maieutic.benchmarks.runs.folder import RunFolder
    from maieutic.benchmarks.runs.runner import check_judged
    from maieutic.cli.bench.progress import tracked_records, until_interrupted
    from maieutic.cli.bench.summary import print_summary
    from maieutic.cli.console import complain, response_cache

    total = len(benchmark.items)
    with RunFolder(out, benchmark.config) as folder, until_interrupted() as interrupted:
        before = list(folder.records)
        if 0 < len(before) < total:
            complain(f"going on: {len(before)} of {total} questions have been answered before")
        store = response_cache() if cache and len(before) < total else None
        batches = benchmark.run(folder, download=download, cache=store, stopped=lambda: bool(interrupted))
        tracked_records(batches, before, total)
        if folder.records:
            print_summary(benchmark.config, folder.folder, folder.records, json=json)
    if len(folder.records) == total:
        check_judged(folder.records, benchmark.config.lm)
    if interrupted:
        done = f"{len(folder.records)} of {total} questions are answered"
        complain(f"interrupted: {done}, in {out}; the same command goes on from there")
        raise typer.Exit(130)


def _absolute(path: Path | None) -> str:
    """As the run keeps it, so that it can be repeated from another folder."""
    return "" if path is None else str(path.expanduser().absolute())


def _pairs(settings: list[str]) -> dict[str, str]:
    from maieutic.errors import InputError

    pairs = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError(f"--set {text!r} is not of the form KEY=VALUE", subject="--set")
        pairs[key.strip()] = value.strip()
    return pairs


def _refuse_others(context: typer.Context) -> None:
    """With --config everything else stands in the file."""
    from maieutic.errors import InputError

    for name in context.params.keys() - KEPT:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(f"--config already says everything; leave out {name.replace('_', '-')}")
