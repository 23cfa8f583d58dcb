"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maieutic.weights import JointWeights

__all__ = [
    "AbstainOption",
    "CacheOption",
    "DeviceOption",
    "DownloadOption",
    "DtypeOption",
    "FlipOption",
    "InferenceOption",
    "JsonOption",
    "NliOption",
    "OutOption",
    "WeightsOption",
    "weights_of",
]

NliOption = Annotated[
    str, typer.Option("--nli", help="Verifier: folder or hub id of an NLI model.", show_default=False)
]
InferenceOption = Annotated[str, typer.Option("--inference", help="joint or vote.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
DtypeOption = Annotated[
    str, typer.Option("--dtype", help="auto (bfloat16 where it is fast), float32, bfloat16, float16.")
]
DownloadOption = Annotated[
    bool, typer.Option("--download", help="Fetch models that are not in the hub cache.")
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights", help="Weights of joint inference, from maieutic calibrate.", show_default=False
    ),
]
AbstainOption = Annotated[
    float,
    typer.Option("--abstain-below", help="Answer 'unsure' where P(answer) is less than this.", min=0, max=1),
]
FlipOption = Annotated[
    bool,
    typer.Option("--flip", help="Also say what would change its mind: the least it cannot do without."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
CacheOption = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Keep what the models answer, and do not ask them again."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the records; made if missing.", show_default=False)
]


def weights_of(path: Path | None) -> JointWeights:
    """What ``--weights`` names, else the package's own.

    Raises:
        FileFormatError: the file is no weights file.
    """
    from maieutic.weights import DEFAULT_WEIGHTS, read_weights

    return DEFAULT_WEIGHTS if path is None else read_weights(path)
