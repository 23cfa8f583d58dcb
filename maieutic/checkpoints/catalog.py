"""Lists of models: bundled with the package, in the caches of this machine, and recommended for download."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from maieutic.bundled import AGORA, BundledModel, bundled_folder
from maieutic.checkpoints.gguf_header import gguf_parts

__all__ = ["Listed", "bundled_models", "cached_models", "cached_names", "gguf_files", "recommended_models"]

GGUF_CACHES = (  # below the home folder: of llama.cpp (Linux, macOS) and LM Studio (newer, older)
    ".cache/llama.cpp",
    "Library/Caches/llama.cpp",
    ".lmstudio/models",
    ".cache/lm-studio/models",
)
PROJECTOR = "mmproj"  # beginning of the names of files that hold a part of a model for images

Option = Literal["--lm", "--nli", ""]

_OPTIONS: dict[str, Option] = {"ForCausalLM": "--lm", "ForSequenceClassification": "--nli"}


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a list of models.

    Attributes:
        name: the value to give for ``option``.
        option: "--lm" or "--nli"; "" if unknown.
        size: in bytes, on disk or to download.
        licence: SPDX name, "" if unknown.
        good_for: a phrase, may be empty.
    """

    source: Literal["bundled", "cached", "gguf", "recommended"]
    name: str
    option: Option
    size: int
    licence: str = ""
    good_for: str = ""


def bundled_models() -> list[Listed]:
    """The models in the package.

    Raises:
        ModelError: a model is damaged.
    """
    about: dict[BundledModel, tuple[Option, str]] = {
        "agora-lm": ("--lm", "trying maieutic offline; knows some 900 everyday things"),
        "agora-nli": ("--nli", "judging what agora-lm says"),
    }
    return [
        Listed("bundled", AGORA, option, _size(bundled_folder(model)), "Apache-2.0", good_for)
        for model, (option, good_for) in about.items()
    ]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def cached_models() -> list[Listed]:
    """The models in the local Hugging Face cache, sorted by name; none if there is no cache."""
    from huggingface_hub import scan_cache_dir  # noqa: PLC0415 - takes a while to load
    from huggingface_hub.errors import CacheNotFound  # noqa: PLC0415

    try:
        repositories = scan_cache_dir().repos
    except CacheNotFound:
        return []
    models = [
        Listed(
            "cached", repo.repo_id, _option(rev.snapshot_path for rev in repo.revisions), repo.size_on_disk
        )
        for repo in repositories
        if repo.repo_type == "model"
    ]
    return sorted(models, key=lambda model: model.name)


def cached_names(option: Option) -> list[str]:
    """The models in the local Hugging Face cache that an option takes, sorted.

    Sizes are not counted, so that this takes no time.
    """
    from huggingface_hub import constants  # noqa: PLC0415 - takes a while to load

    repositories = Path(constants.HF_HUB_CACHE).glob("models--*")
    return sorted(
        folder.name.removeprefix("models--").replace("--", "/")
        for folder in repositories
        if _option((folder / "snapshots").glob("*")) == option
    )


def gguf_files(home: Path | None = None) -> list[Listed]:
    """The GGUF files in the usual caches, the hub's among them, sorted by path.

    Of a model in several files the first one is listed, with the size of all. What cannot be read is left
    out.

    Args:
        home: the folder above the caches of llama.cpp and LM Studio; by default the user's.
    """
    from huggingface_hub import constants  # noqa: PLC0415 - takes a while to load

    home = home or Path.home()
    folders = [Path(constants.HF_HUB_CACHE), *(home / cache for cache in GGUF_CACHES)]
    if given := os.environ.get("LLAMA_CACHE"):
        folders.append(Path(given))
    models: dict[str, Listed] = {}
    for path in sorted({path for folder in folders for path in _files_below(folder)}):
        parts = gguf_parts(path)
        if path != parts[0] or path.name.startswith(PROJECTOR):
            continue
        try:
            size = sum(part.stat().st_size for part in parts)
        except OSError:  # a part is missing, or a link leads nowhere
            continue
        # Two revisions of a repository on the hub may link to one file.
        models.setdefault(os.path.realpath(path), Listed("gguf", str(path), "--lm", size))
    return list(models.values())


def _files_below(folder: Path) -> Iterator[Path]:
    """The GGUF files in a folder and in those below it; none where it is missing or cannot be read."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names if name.lower().endswith(".gguf"))


def _option(snapshots: Iterable[Path]) -> Option:
    """The option for the architecture in a config.json, which is only read."""
    for snapshot in snapshots:
        try:
            config: Any = json.loads((snapshot / "config.json").read_text(encoding="utf-8"))
            (architecture,) = config["architectures"]
        except (OSError, ValueError, TypeError, KeyError):
            continue
        for suffix, option in _OPTIONS.items():
            if str(architecture).endswith(suffix):
                return option
    return ""


def recommended_models() -> list[Listed]:
    """The models in ``recommended.toml``."""
    text = resources.files(__package__).joinpath("recommended.toml").read_text(encoding="utf-8")
    models = []
    for row in tomllib.loads(text)["models"]:
        if row["option"] not in get_args(Option):
            raise ValueError(f"recommended.toml: {row['name']}: option {row['option']!r}")
        size = round(row["size"] * 1e9)
        models.append(
            Listed("recommended", row["name"], row["option"], size, row["licence"], row["good_for"])
        )
    return models
