"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CacheOption",
    "DeviceOption",
    "DownloadOption",
    "DtypeOption",
    "InferenceOption",
    "JsonOption",
    "NliOption",
    "OutOption",
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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
CacheOption = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Keep what the models answer, and do not ask them again."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the records; made if missing.", show_default=False)
]
