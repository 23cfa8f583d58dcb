"""``maieutic calibrate``: learn the weights of joint inference from trees with gold answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.cli.options import (
    OUTPUT,
    CacheOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    NliOption,
    WeightsOption,
    weights_from,
)

if TYPE_CHECKING:
    from maieutic.inference.weights import JointWeights

__all__ = ["calibrate"]


def calibrate(
    trees: Annotated[
        list[Path],
        typer.Argument(
            help="Files of trees with gold answers (.jsonl or .jsonl.gz), or folders of maieutic runs.",
            show_default=False,
        ),
    ],
    nli: NliOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Weights file to write, for the option --weights.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ] = None,
    folds: Annotated[int, typer.Option("--folds", help="Folds of the cross-validation.", min=2)] = 5,
    seeds: Annotated[int, typer.Option("--seeds", help="Number of random divisions into folds.", min=1)] = 1,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also evaluate without each weight, one at a time.")
    ] = False,
    l2: Annotated[float, typer.Option("--l2", help="L2 penalty, nats for a weight of 1.", min=0)] = 3.0,
    off: Annotated[
        list[str] | None,
        typer.Option("--off", help="A weight to fix at 0; repeat for more.", show_default=False),
    ] = None,
    priors: Annotated[
        bool,
        typer.Option(
            "--priors/--no-priors",
            help="Subtract what the model finds true of any statement, estimated without gold answers.",
        ),
    ] = True,
    label_free: Annotated[
        bool,
        typer.Option(
            "--label-free",
            help="Only estimate the priors; the weights stay, and neither gold answers nor --nli are needed.",
        ),
    ] = False,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = False,
    json: JsonOption = False,
) -> None:
    """Learn the weights of joint inference, and evaluate them by cross-validation.

    maieutic calibrate trees.jsonl.gz --nli ./my-nli --out weights.toml
    """
    from maieutic.benchmarks.calibration.calibrate import calibrate as learn
    from maieutic.benchmarks.calibration.calibrate import learnable_trees
    from maieutic.benchmarks.calibration.study import Study
    from maieutic.cli.calibration_report import print_calibration, write_weights
    from maieutic.cli.console import complain, response_cache, tracked
    from maieutic.cli.outputs import try_new_file
    from maieutic.errors import InputError
    from maieutic.inference.weights import DEFAULT_WEIGHTS
    from maieutic.models import open_verifier

    if out is not None:
        try_new_file("--out", out)
    plan = Study(
        weights_from(weights) or DEFAULT_WEIGHTS,
        folds,
        tuple(range(seeds)),
        l2,
        ablate,
        tuple(off or ()),
        priors,
    )
    if label_free:
        _write_priors(trees, plan.start, out, json=json)
        return
    if nli is None:
        raise InputError("weights need a verifier: give --nli, or use --label-free", subject="--nli")
    names = _names(trees)
    sets = {name: learnable_trees(path, folds, complain) for name, path in zip(names, trees, strict=True)}
    store = response_cache() if cache else None
    verifier = open_verifier(nli, cache=store, device=device, dtype=dtype, download=download)
    learned = learn(sets, verifier, plan, tracked)
    print_calibration(learned, json=json)
    if out is not None:
        files = " ".join(path.resolve().name for path in trees)
        more = "".join(f" --off {name}" for name in plan.off)
        more += "" if priors else " --no-priors"
        more += "" if weights is None else f" --weights {weights.name}"
        command = f"maieutic calibrate {files} --nli {verifier.name} --l2 {l2:g}{more}"
        write_weights(out, learned.weights, command)


def _write_priors(paths: list[Path], start: JointWeights, out: Path | None, *, json: bool) -> None:
    """Print the weights with the priors of the model that grew the trees, and write them."""
    from maieutic.benchmarks.calibration.calibrate import Calibration, priors_of, trees_of
    from maieutic.cli.calibration_report import print_calibration, write_weights

    weights = priors_of([tree for path in paths for tree in trees_of(path)], start)
    print_calibration(Calibration(weights, ()), json=json)
    if out is not None:
        files = " ".join(path.resolve().name for path in paths)
        write_weights(out, weights, f"maieutic calibrate {files} --label-free")


def _names(trees: list[Path]) -> list[str]:
    """The names of the files in the report, without suffixes."""
    from maieutic.errors import InputError

    names = [path.resolve().name.removesuffix(".gz").removesuffix(".jsonl") for path in trees]
    if len(set(names)) < len(names):
        problem = "two files have the same name; rename one, since the report uses the names"
        raise InputError(problem, subject="trees")
    return names
