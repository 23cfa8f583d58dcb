"""``maieutic calibrate``: learn the weights of joint inference from trees with gold answers."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.bench.options import (
    BenchLmOption,
    BenchNliOption,
    DataOption,
    LimitOption,
    RunSeedOption,
    absolute,
    typed,
)
from maieutic.cli.calibration_options import (
    AblateOption,
    EvenIfWorseOption,
    FoldsOption,
    L2Option,
    LabelFreeOption,
    LearnedWeightsOption,
    LearningSplitOption,
    OffOption,
    OnOption,
    PriorsOption,
    RunsOption,
    SeedsOption,
    TreesArgument,
)
from maieutic.cli.options import (
    BeliefsOption,
    CacheOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    PromptsOption,
    WeightsOption,
)
from maieutic.cli.outputs import ForceOption, try_output
from maieutic.config import PROBABILITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maieutic.benchmarks.calibration.calibrate import Calibration
    from maieutic.benchmarks.calibration.study import Study
    from maieutic.cli.calibration_trees import OwnRun
    from maieutic.tree import Tree

__all__ = ["calibrate"]

# Options of the run that --on makes.
OF_ON = {"lm", "prompts", "beliefs", "data", "split", "limit", "seed", "runs"}

NO_BETTER = (
    "the learned weights are no better out of fold (NLL {:.4f}) than those that learning starts from "
    "({:.4f}); they are only written with --even-if-worse"
)


def calibrate(
    context: typer.Context,
    trees: TreesArgument = None,
    on: OnOption = None,
    data: DataOption = None,
    split: LearningSplitOption = None,
    limit: LimitOption = 200,
    runs: RunsOption = None,
    lm: BenchLmOption = AGORA,
    nli: BenchNliOption = None,
    prompts: PromptsOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = True,
    beliefs: BeliefsOption = PROBABILITIES,
    seed: RunSeedOption = 0,
    weights: WeightsOption = None,
    folds: FoldsOption = 5,
    seeds: SeedsOption = 1,
    ablate: AblateOption = False,
    l2: L2Option = 3.0,
    off: OffOption = None,
    priors: PriorsOption = True,
    label_free: LabelFreeOption = False,
    out: LearnedWeightsOption = None,
    even_if_worse: EvenIfWorseOption = False,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Learn the weights of joint inference, and evaluate them by cross-validation.

    maieutic calibrate --lm MODEL --on creak --download --limit 200 --nli MODEL --out weights.toml

    maieutic calibrate trees.jsonl.gz --nli ./my-nli --out weights.toml
    """
    from maieutic.benchmarks.calibration.calibrate import learnable_trees, trees_of
    from maieutic.benchmarks.calibration.study import Study
    from maieutic.benchmarks.runs.config import RunConfig
    from maieutic.cli.calibration_report import print_calibration, write_weights
    from maieutic.cli.calibration_trees import OwnRun, read_sets, start_of
    from maieutic.cli.console import complain

    if out is not None:
        try_output("--out", out, force=force, reads=trees or ())
    models: dict[str, Any] = {"device": device, "dtype": dtype}
    run = None
    if on is not None:
        draw: dict[str, Any] = {"split": split or "", "data": absolute(data), "limit": limit, "seed": seed}
        given = RunConfig(on, lm=lm, nli=nli or "", prompts=prompts, beliefs=beliefs, **draw, **models)
        run = OwnRun.of(given, runs)
        nli = run.config.nli
    _check(context, trees, nli, label_free=label_free)
    plan = Study(start_of(weights, run), folds, tuple(range(seeds)), l2, ablate, tuple(off or ()), priors)
    read = trees_of if label_free else partial(learnable_trees, folds=folds, on_notice=complain)
    sets = read_sets(trees or [], run, read, download=download, cache=cache, json=json)
    learned = _learned(sets, None if label_free else nli, run, plan, cache, models | {"download": download})
    print_calibration(learned, json=json)
    if learned.no_better:
        complain(NO_BETTER.format(learned.nll, learned.default_nll))
    if out is not None and (even_if_worse or not learned.no_better):
        words = [path.resolve().name for path in trees or ()] + (run.words if run else [])
        words += ["--nli", nli] if nli else []
        words += ["--label-free"] if label_free else _words(plan)
        words += ["--weights", weights.name] if weights else []
        write_weights(out, learned.weights, shlex.join(["maieutic", "calibrate", *words]))


def _check(context: typer.Context, trees: list[Path] | None, nli: str | None, *, label_free: bool) -> None:
    """Refuse a command without trees, without a verifier, or with options of a run that it does not make."""
    from maieutic.errors import InputError

    options = typed(context)
    if "on" in options:
        return
    if stray := [option for option in options if option in OF_ON]:
        problem = f"--{stray[0]} is for the trees that --on grows; add --on DATASET, or leave it out"
        raise InputError(problem, subject=f"--{stray[0]}")
    if not trees:
        problem = "give files of trees or folders of runs, or --on DATASET to grow trees"
        raise InputError(problem, subject="trees")
    if nli is None and not label_free:
        raise InputError("weights need a verifier: give --nli, or use --label-free", subject="--nli")


def _learned(
    sets: Mapping[str, Sequence[Tree]],
    nli: str | None,
    run: OwnRun | None,
    plan: Study,
    cache: bool,
    options: Mapping[str, Any],
) -> Calibration:
    """The weights learned from the trees, and their scores; without a verifier only priors are estimated."""
    from maieutic.benchmarks.calibration.calibrate import Calibration, calibrate, priors_of
    from maieutic.cli.calibration_trees import verifier_of
    from maieutic.cli.console import Pulse, response_cache, tracked

    if nli is None:
        return Calibration(priors_of([tree for trees in sets.values() for tree in trees], plan.start), ())
    store = response_cache() if cache else None
    return calibrate(
        sets, verifier_of(nli, run, cache=store, **options), plan, partial(tracked, pulse=Pulse())
    )


def _words(plan: Study) -> list[str]:
    """The options of learning that decide the weights."""
    off = [word for name in plan.off for word in ("--off", name)]
    return ["--l2", f"{plan.l2:g}", *off, *([] if plan.priors else ["--no-priors"])]
