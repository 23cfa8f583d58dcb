"""``maieutic bench run``: run a method over a data set, into a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from maieutic.bundled import AGORA
from maieutic.cli.bench.options import (
    BatchOption,
    BenchLmOption,
    BenchNliOption,
    ConfigOption,
    DataOption,
    DatasetArgument,
    DryRunOption,
    GpusOption,
    KeepGoingOption,
    LimitOption,
    MethodOption,
    RayOption,
    RunFolderOption,
    RunSeedOption,
    SetOption,
    SplitOption,
    TreesOption,
    WorkerLimitOption,
    WorkersOption,
    absolute,
    typed,
)
from maieutic.cli.options import (
    BeliefsOption,
    CacheOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    PromptsOption,
)
from maieutic.config import PROBABILITIES

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.benchmark import Benchmark
    from maieutic.benchmarks.runs.config import RunConfig
    from maieutic.benchmarks.runs.folder import Run
    from maieutic.cluster.session import Cluster
    from maieutic.errors import FileFormatError

__all__ = ["answer_benchmark", "load_benchmark", "run"]

# May stand beside --config.
KEPT = {"config", "out", "download", "dry-run", "keep-going", "cache", "json", "ray"}
OF_RAY = {"workers", "gpus-per-worker", "worker-limit"}  # options that need --ray


def run(
    context: typer.Context,
    dataset: DatasetArgument = "",
    method: MethodOption = "maieutic",
    settings: SetOption = None,
    lm: BenchLmOption = AGORA,
    nli: BenchNliOption = None,
    prompts: PromptsOption = "auto",
    data: DataOption = None,
    trees: TreesOption = None,
    split: SplitOption = None,
    limit: LimitOption = 0,
    seed: RunSeedOption = 0,
    batch: BatchOption = 32,
    config: ConfigOption = None,
    out: RunFolderOption = None,
    dry_run: DryRunOption = False,
    keep_going: KeepGoingOption = False,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = True,
    beliefs: BeliefsOption = PROBABILITIES,
    ray: RayOption = None,
    workers: WorkersOption = 1,
    gpus_per_worker: GpusOption = 0.0,
    worker_limit: WorkerLimitOption = 3600.0,
    json: JsonOption = False,
) -> None:
    """Judge the questions of a data set by one method, and store every answer.

    maieutic bench run agora --method direct --out runs/direct
    """
    from maieutic.benchmarks.runs.config import RunConfig, read_config
    from maieutic.cli.bench.summary import print_estimate, print_summary
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
            data=absolute(data),
            trees=absolute(trees),
            lm=lm,
            nli=nli or "",
            prompts=prompts,
            device=device,
            dtype=dtype,
            limit=limit,
            seed=seed,
            batch=batch,
            beliefs=beliefs,
        ).complete()
    cluster = _cluster(context, ray, workers, gpus_per_worker, worker_limit)
    if out is None and not dry_run:
        raise InputError("give --out the folder of the run, or --dry-run to estimate it", subject="--out")
    benchmark = load_benchmark(chosen, download=download, keep_going=keep_going)
    if out is None or dry_run:
        print_estimate(benchmark.estimate(download=download), json=json)
    else:
        report = partial(print_summary, json=json)
        answer_benchmark(benchmark, out, report, download=download, cache=cache, cluster=cluster)


def _cluster(
    context: typer.Context, ray: str | None, workers: int, gpus: float, limit: float
) -> Cluster | None:
    """Where the run is made; None for this process."""
    from maieutic.cluster.session import Cluster, ray_library
    from maieutic.errors import InputError

    if ray is None:
        stray = next((option for option in typed(context) if option in OF_RAY), None)
        if stray is not None:
            raise InputError(
                f"--{stray} needs --ray; give --ray local, or leave it out", subject=f"--{stray}"
            )
        return None
    ray_library()  # before the data are read
    return Cluster(ray, workers, gpus, limit)


def load_benchmark(config: RunConfig, *, download: bool, keep_going: bool = False) -> Benchmark:
    """Read the data and show downloads; report doubtful models, edited files and skipped lines on stderr."""
    from maieutic.benchmarks.runs.benchmark import Benchmark
    from maieutic.cli.bench.progress import download_bar
    from maieutic.cli.console import complain

    def report_bad_line(error: FileFormatError) -> None:
        complain(f"left out: {error}")

    with download_bar() as on_progress:
        benchmark = Benchmark.load(
            config,
            download=download,
            on_progress=on_progress,
            on_bad=report_bad_line if keep_going else None,
        )
    for warning in config.warnings:
        complain(f"warning: {warning}")
    for name in benchmark.loaded.edited:
        complain(f"warning: {name} differs from the published file; its rows are used as they are")
    return benchmark


def answer_benchmark(
    benchmark: Benchmark,
    out: Path,
    report: Callable[[Run], None],
    *,
    download: bool,
    cache: bool,
    cluster: Cluster | None = None,
) -> None:
    """Answer the questions without a record, then report all records, if there are any.

    Args:
        cluster: whose workers answer; None for this process.

    Raises:
        MaieuticError: the language model judged nothing; the records stay.
        typer.Exit: with code 130 after Ctrl-C, once the batch is finished and written.
    """
    from maieutic.benchmarks.runs.brief import read_brief
    from maieutic.benchmarks.runs.folder import RunFolder
    from maieutic.benchmarks.runs.runner import check_judged
    from maieutic.cli.bench.progress import tracked_records
    from maieutic.cli.console import LiveSteps, complain, response_cache
    from maieutic.cli.interrupting import until_interrupted

    total = len(benchmark.items)
    with RunFolder(out, benchmark.config) as folder, until_interrupted() as interrupted:
        before = len(folder.answered)
        if 0 < before < total:
            complain(f"continuing: {before} of {total} questions have been answered before")
        steps = LiveSteps()

        def stopped() -> bool:
            return bool(interrupted)

        if cluster is not None:
            from maieutic.benchmarks.runs.ray_run import run_on

            batches = run_on(benchmark, folder, cluster, download=download, stopped=stopped)
        else:
            store = response_cache() if cache and before < total else None
            batches = benchmark.run(folder, download=download, cache=store, stopped=stopped, progress=steps)
        tracked_records(batches, folder, total, steps)
        answered = len(folder.answered)
        whole = read_brief(out) if answered else None
    if whole is not None:
        report(whole)
        if answered == total:
            check_judged(whole.records, benchmark.config.lm)
    if interrupted:
        done = f"{answered} of {total} questions are answered"
        complain(f"interrupted: {done}, in {out}; the same command continues from there")
        raise typer.Exit(130)


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
    """Refuse options that --config already determines."""
    from maieutic.errors import InputError

    for option in typed(context):
        if option not in KEPT | OF_RAY:
            raise InputError(f"{option} cannot be given with --config; leave it out", subject=option)
