"""Finds the folder of a model by its path or hub id; downloads are opt-in."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from maieutic.errors import ModelError

__all__ = ["find_folder", "first_line"]

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
HUB_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
HUB_SKIPPED = ["*/*", "consolidated*"]  # subfolders and duplicate weights


def find_folder(name: str, *, download: bool = False) -> Path:
    """The local folder of a model, given as a path or a hub id.

    Raises:
        ModelError: the name is neither a folder nor a hub id in the cache, or the download failed.
    """
    path = Path(name).expanduser()
    if name and path.is_dir():
        return path
    if path.is_file() or not HUB_ID.fullmatch(name):
        problem = "a file" if path.is_file() else "neither a folder nor a hub id"
        raise ModelError(
            f"{name!r} is {problem}; give a model folder or a hub id like Qwen/Qwen3-1.7B", subject=name
        )
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - takes a while to load

    try:
        folder = snapshot_download(
            name,
            local_files_only=not download,
            allow_patterns=HUB_FILES,
            ignore_patterns=HUB_SKIPPED,
            tqdm_class=_download_bar(),
        )
    except Exception as error:  # the hub client raises errors of several libraries
        raise ModelError(_not_found(name, error, download=download), subject=name) from error
    return Path(folder)


def _download_bar() -> Any:
    """The class of a bar on terminals, even where the hub client's own bars are off."""
    from tqdm.auto import tqdm  # noqa: PLC0415

    class DownloadBar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, name: str = "", **options: Any) -> None:
            super().__init__(*args, **options | {"disable": not sys.stderr.isatty()})

    return DownloadBar


def _not_found(name: str, error: Exception, *, download: bool) -> str:
    if download:
        return f"{name} could not be downloaded ({first_line(error)}); check the name and the network"
    return (
        f"{name} is not a folder and not in the hub cache; "
        "pass --download (download=True) to fetch it, or correct the name"
    )


def first_line(error: Exception) -> str:
    """The first line of an error's message, cut to 200 characters."""
    line = str(error).strip().partition("\n")[0]
    return line if len(line) <= 200 else f"{line[:199]}…"
