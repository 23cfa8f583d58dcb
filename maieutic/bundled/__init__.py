"""The models that ship with the package, agora-lm and agora-nli, and their checksums.

They are ordinary model folders, trained by :mod:`maieutic.benchmarks.agora.train` on a small world of
everyday things. ``SHA256SUMS`` in each lists its files in the format of the sha256sum command.
``agora.weights.toml`` has weights of joint inference for the two models together.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from maieutic.errors import ModelError

__all__ = [
    "AGORA",
    "CHECKSUMS",
    "BundledModel",
    "bundled_folder",
    "bundled_weights",
    "sha256_of",
    "verify",
    "words",
    "write_checksums",
]

BundledModel = Literal["agora-lm", "agora-nli"]

AGORA = "agora"  # the name of both models in options
CHECKSUMS = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64})  ([\w.-]+)")
_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z]+)*")


def bundled_folder(model: BundledModel) -> Path:
    """The folder of a bundled model, after its checksums were verified.

    Raises:
        ModelError: a file is missing or differs from the shipped one. ``subject`` is the file.
    """
    folder = Path(__file__).parent / model
    try:
        verify(folder)
    except ModelError as error:
        raise ModelError(
            f"the bundled model {model} is damaged: {error}; reinstall maieutic", subject=error.subject
        ) from error
    return folder


def bundled_weights() -> Path:
    """The file with weights of joint inference, learned with both bundled models."""
    return Path(__file__).parent / "agora.weights.toml"


def verify(folder: Path) -> None:
    """Verify the files of a folder against its ``SHA256SUMS``.

    Raises:
        ModelError: the list or a listed file is missing, unreadable or differs. ``subject`` is its path.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            match = _LINE.fullmatch(line)
            if match is None:
                raise ModelError(
                    f"{folder / CHECKSUMS}, line {number} is not a checksum", subject=str(folder / CHECKSUMS)
                )
            file = folder / match[2]
            if sha256_of(file) != match[1]:
                raise ModelError(f"the checksum of {file} differs from {CHECKSUMS}", subject=str(file))
    except UnicodeDecodeError as error:
        raise ModelError(f"{folder / CHECKSUMS} is not UTF-8", subject=str(folder / CHECKSUMS)) from error
    except OSError as error:
        file = Path(error.filename)
        raise ModelError(f"{file} cannot be read ({error.strerror})", subject=str(file)) from error


def write_checksums(folder: Path) -> None:
    """Write ``SHA256SUMS`` for all files of a folder, without subfolders and the list itself."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    (folder / CHECKSUMS).write_text("".join(f"{sha256_of(path)}  {path.name}\n" for path in files), "utf-8")


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def words(text: str) -> list[str]:
    """The words of a text in lower case and in order.

    >>> words("A ten-year-old's kite?")
    ['a', "ten-year-old's", 'kite']
    """
    return _WORD.findall(text.lower().replace("’", "'"))
