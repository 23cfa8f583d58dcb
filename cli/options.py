"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maieutic.inference.weights import JointWeights

__all__ = [
    "AbstainOption",
    "CacheOption",
    "DeviceOption",
    "DownloadOption",
    "DtypeOption",
    "FlipOption",
    "InferenceOption",
    "JsonOption",
    "MergeOption",
    "NliOption",
    "OutOption",
    "PrunedOption",
    "WeightsOption",
    "given",
    "weights_from",
]

NliOption = Annotated[
    str, typer.Option("--nli", help="Verifier: folder or hub id of an NLI model.", show_default=False)
]
InferenceOption = Annotated[str, typer.Option("--inference", help="joint, vote or argue.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
DtypeOption = Annotated[
    str, typer.Option("--dtype", help="auto (float32; 16 bits on CUDA), float32, bfloat16, float16.")
]
DownloadOption = Annotated[
    bool, typer.Option("--download", help="Fetch models that are not in the hub cache.")
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Joint: weights file, from maieutic calibrate.", show_default=False),
]
MergeOption = Annotated[
    bool, typer.Option("--merge", help="Joint: merge explanations that entail each other both ways.")
]
PrunedOption = Annotated[
    float,
    typer.Option(
        "--pruned", help="Joint: share of their weight that pruned propositions keep.", min=0, max=1
    ),
]
AbstainOption = Annotated[
    float,
    typer.Option("--abstain-below", help="Joint: answers less probable than this are unsure.", min=0, max=1),
]
FlipOption = Annotated[
    bool,
    typer.Option("--flip", help="Joint: also show the lightest evidence without which the answer flips."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
CacheOption = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Keep the models' replies on disk and reuse them."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the records; made if missing.", show_default=False)
]


def given(**settings: object) -> dict[str, object]:
    """The settings that were given: options left at None, False, 0 or () are left out."""
    return {name: value for name, value in settings.items() if value}


def weights_from(path: Path | None) -> JointWeights | None:
    """The weights of a file; None without one.

    Raises:
        FileFormatError: the file is not a weights file.
    """
    from maieutic.inference.weights import read_weights

    return None if path is None else read_weights(path)
