"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maieutic.config import JointConfig
    from maieutic.inference.base import Inference

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
    "PrunedOption",
    "WeightsOption",
    "joint_of",
]

NliOption = Annotated[
    str, typer.Option("--nli", help="Verifier: folder or hub id of an NLI model.", show_default=False)
]
InferenceOption = Annotated[str, typer.Option("--inference", help="joint or vote.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
DtypeOption = Annotated[
    str, typer.Option("--dtype", help="auto (float32; 16 bits on CUDA), float32, bfloat16, float16.")
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
MergeOption = Annotated[
    bool, typer.Option("--merge", help="Take propositions that entail each other both ways for one.")
]
PrunedOption = Annotated[
    float,
    typer.Option("--pruned", help="What pruned propositions are worth; 0 leaves them out.", min=0, max=1),
]
AbstainOption = Annotated[
    float,
    typer.Option("--abstain-below", help="Say 'unsure' of answers less likely than this.", min=0, max=1),
]
FlipOption = Annotated[
    bool,
    typer.Option("--flip", help="Also say what would change a joint answer: the least it cannot do without."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
CacheOption = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Keep what the models answer, and do not ask them again."),
]


def joint_of(
    weights: Path | None,
    inference: Inference = "joint",
    *,
    merge: bool = False,
    pruned: float = 0.0,
    agora: bool = False,
) -> JointConfig:
    """Settings of joint inference from the options; without ``--weights`` the package's own.

    Args:
        inference: as checked; only joint has settings.
        agora: whether both models are the bundled ones, which have weights of theirs.

    Raises:
        FileFormatError: the file is no weights file.
        InputError: they are given with another inference.
    """
    from maieutic.bundled import bundled_weights
    from maieutic.config import JointConfig
    from maieutic.errors import InputError
    from maieutic.inference.base import check_joint
    from maieutic.inference.weights import DEFAULT_WEIGHTS, read_weights

    if weights is not None and inference != "joint":
        raise InputError(f"{inference} has no weights; use joint, or leave --weights out")
    file = bundled_weights() if weights is None and agora and inference == "joint" else weights
    config = JointConfig(DEFAULT_WEIGHTS if file is None else read_weights(file), merge, pruned)
    return check_joint(config, inference)
