"""``maieutic calibrate``: learn the weights of joint inference from trees with gold answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.options import (
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    NliOption,
    WeightsOption,
    weights_of,
)

__all__ = ["calibrate"]


def calibrate(
    trees: Annotated[
        list[Path],
        typer.Argument(help="Files of trees with gold answers (.jsonl or .jsonl.gz).", show_default=False),
    ],
    nli: NliOption,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Weights file to write, for --weights elsewhere.", show_default=False),
    ] = None,
    folds: Annotated[int, typer.Option("--folds", help="Parts that are held out in turn.", min=2)] = 5,
    seeds: Annotated[int, typer.Option("--seeds", help="Ways to draw the folds.", min=1)] = 1,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also with each weight left out, one at a time.")
    ] = False,
    l2: Annotated[float, typer.Option("--l2", help="Pull towards 0, nats for a weight of 1.", min=0)] = 3.0,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    json: JsonOption = False,
) -> None:
    """Learn the weights of joint inference, and say what they are worth on held-out questions.

    maieutic calibrate trees.jsonl.gz --nli ./my-nli --out weights.toml
    """
    from maieutic.benchmarks.calibration import Study
    from maieutic.cli.calibrate_follow import Calibration
    from maieutic.errors import InputError
    from maieutic.nli import load_verifier

    if out is not None and out.exists():
        raise InputError(f"{out} exists already; give --out another name, or move it away")
    names = [path.name.removesuffix(".gz").removesuffix(".jsonl") for path in trees]
    if len(set(names)) < len(names):
        raise InputError("two files have the same name; rename one, since the report goes by names")
    plan = Study(weights_of(weights), folds, tuple(range(seeds)), l2, ablate)
    run = Calibration(plan, json=json)
    read = {name: run.read(path) for name, path in zip(names, trees, strict=True)}
    verifier = load_verifier(nli, device=device, dtype=dtype, download=download)
    run.follow(read, verifier)
    if out is not None:
        run.write(out, [path.name for path in trees], verifier.name)
