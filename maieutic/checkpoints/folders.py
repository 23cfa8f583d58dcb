"""What a model folder must hold, checked before Transformers opens it.

Transformers reports a pointer, a cut file or a missing package in terms of what it tried last. Here each is
named for what it is, with the remedy.
"""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

from maieutic.errors import ModelError

__all__ = ["check_folder", "missing_packages"]

TOKENIZER_FILES = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "tekken.json")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
UNFINISHED = ("*.incomplete", "*.part", "*.crdownload", "*.aria2")  # of the hub client, browsers, aria2
ADAPTER = "adapter_config.json"
INDEX = "model.safetensors.index.json"
MAX_HEADER = 100_000_000  # bytes, the limit of the safetensors library

# First bytes of files that stand in for the real ones: what they are, and the remedy.
STAND_INS = {
    b"version https://git-lfs.github.com/spec/": (
        "a Git LFS pointer in place of the file",
        "fetch the files with `git lfs pull`, or download the model again",
    ),
    b"/annex/objects/": (
        "a git-annex pointer in place of the file",
        "fetch the files with `git annex get`, or download the model again",
    ),
    b"<!doctype html": ("a web page in place of the file", "download the file itself"),
    b"<html": ("a web page in place of the file", "download the file itself"),
}
TIKTOKEN = re.compile(rb"[A-Za-z0-9+/]+=* \d+\s")  # first line of such a file: a token in base64, its rank
MODULES = {"protobuf": "google.protobuf", "mistral-common": "mistral_common"}


def check_folder(folder: Path) -> None:
    """Check that a folder has a configuration, whole weights as safetensors and a tokenizer.

    Raises:
        ModelError: something is missing, cut off or replaced by a pointer. ``subject`` is the folder.
    """
    if not (folder / "config.json").is_file():
        if (folder / ADAPTER).is_file():
            raise _fault(
                folder, f"is an adapter of {_base_model(folder)}; merge it into that model and save it"
            )
        raise _fault(folder, "has no config.json; give a model folder")
    weights = _weights(folder)
    tokenizers = [path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)]
    for path in (folder / "config.json", *tokenizers, *weights):
        _check_stand_in(path)
    for path in weights:
        _check_length(path)
    # Without these files Transformers silently creates an empty vocabulary for some models.
    if not tokenizers:
        raise _fault(folder, "has no tokenizer; save it with the weights (tokenizer.json)")


def missing_packages(folder: Path) -> list[str]:
    """Packages that are not installed and without which the folder's tokenizer cannot be read."""
    if (folder / "tokenizer.json").is_file():
        return []
    needed: list[str] = []
    if any(folder.glob("tekken.json")):
        needed = ["mistral-common"]
    for path in (*folder.glob("*.model"), *folder.glob("*.tiktoken")):
        needed += ["tiktoken"] if TIKTOKEN.match(_read(path, 512)) else ["sentencepiece", "protobuf"]
    return [package for package in dict.fromkeys(needed) if not _installed(package)]


def _installed(package: str) -> bool:
    try:
        return find_spec(MODULES.get(package, package)) is not None
    except ModuleNotFoundError:  # of the package that holds the module
        return False


def _weights(folder: Path) -> list[Path]:
    """The files of weights, all that the index names."""
    weights = [path for path in sorted(folder.glob("*.safetensors")) if path.is_file()]
    if lacking := sorted(name for name in _shards(folder) if not (folder / name).is_file()):
        raise _fault(
            folder,
            f"lacks {len(lacking)} of the files of weights that {INDEX} names (such as {lacking[0]}); "
            "finish the download, or download the model again",
        )
    if weights:
        if (folder / ADAPTER).is_file() and all(path.name.startswith("adapter_") for path in weights):
            raise _fault(
                folder, f"is an adapter of {_base_model(folder)}; merge it into that model and save it"
            )
        return weights
    if unfinished := _unfinished(folder):
        raise _fault(
            folder,
            f"has an unfinished download ({unfinished.name}) and no weights; finish or repeat the download",
        )
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    problem = f"only {pickles[0]}, a pickle, which is never read" if pickles else "no weights"
    raise _fault(folder, f"has {problem}; save the model as safetensors")


def _shards(folder: Path) -> set[str]:
    """The files of weights that the index names; an index that cannot be read is left to Transformers."""
    try:
        names = json.loads((folder / INDEX).read_bytes())["weight_map"].values()
        return {name for name in names if isinstance(name, str)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()


def _unfinished(folder: Path) -> Path | None:
    """A file that a download left, in the folder or where the hub client keeps files until they are whole."""
    places = [folder, folder / ".cache" / "huggingface" / "download"]
    if folder.parent.name == "snapshots":
        places.append(folder.parent.parent / "blobs")
    paths = (path for place in places for pattern in UNFINISHED for path in place.glob(pattern))
    return next(paths, None)


def _base_model(folder: Path) -> str:
    try:
        name = json.loads((folder / ADAPTER).read_bytes())["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError):
        name = None
    return name if isinstance(name, str) and name else "another model"


def _check_stand_in(path: Path) -> None:
    start = _read(path, 64).lstrip().lower()
    for opening, (problem, remedy) in STAND_INS.items():
        if start.startswith(opening):
            raise _fault(path.parent, f"has {problem} {path.name}; {remedy}")


def _check_length(path: Path) -> None:
    """Check that a file of weights has all the bytes that its header announces.

    Format: 8 bytes with the length of the header (little-endian), the header as JSON, the data.
    Source: https://github.com/huggingface/safetensors#format.
    """
    size = path.stat().st_size
    length = int.from_bytes(_read(path, 8), "little")
    try:
        header = json.loads(_read(path, 8 + length)[8:] if length <= min(size, MAX_HEADER) else b"")
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        expected = 8 + length + max(ends, default=0)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _fault(
            path.parent, f"has a {path.name} that is cut off or no safetensors file; download it again"
        ) from None
    if size < expected:
        raise _fault(
            path.parent, f"has a {path.name} that is cut off ({size} of {expected} bytes); download it again"
        )


def _read(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise _fault(
            path.parent, f"has a {path.name} that cannot be read ({error.strerror}); check the file"
        ) from None


def _fault(folder: Path, problem: str) -> ModelError:
    return ModelError(f"{folder} {problem}", subject=str(folder))
