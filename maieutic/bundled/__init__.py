"""The models that ship with the package, agora-lm and agora-nli: where they lie, and whether they are whole.

They are ordinary model folders, trained by :mod:`maieutic.benchmarks.agora.train` on a small world of
everyday things. ``SHA256SUMS`` in each lists its files in the format of the sha256sum command.
``agora.weights.toml`` has the weights of joint inference that suit the two together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from maieutic.errors import ModelError

__all__ = [
    "AGORA",
    "CHECKSUMS",
    "VOCABULARY",
    "BundledModel",
    "bundled_folder",
    "bundled_weights",
    "sha256_of",
    "unknown_words",
    "verify",
    "words",
    "write_checksums",
]

BundledModel = Literal["agora-lm", "agora-nli"]

AGORA = "agora"  # the name that both models go by
CHECKSUMS = "SHA256SUMS"
VOCABULARY = "vocabulary.txt"

_LINE = re.compile(r"([0-9a-f]{64})  ([\w.-]+)")
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")


def bundled_folder(model: BundledModel) -> Path:
    """The folder of a bundled model, its files compared with their checksums.

    Raises:
        ModelError: a file is missing or is not the one that was shipped.
    """
    folder = Path(__file__).parent / model
    try:
        verify(folder)
    except ModelError as error:
        raise ModelError(f"the bundled model {model} is damaged: {error}; reinstall maieutic") from error
    return folder


def bundled_weights() -> Path:
    """The file of weights of joint inference that were learned with both bundled models."""
    return Path(__file__).parent / "agora.weights.toml"


def verify(folder: Path) -> None:
    """Compare a folder's files with its ``SHA256SUMS``.

    Raises:
        ModelError: the list or a file on it is missing, unreadable or not the one listed.
    """
    try:
        listed = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(listed, start=1):
            match = _LINE.fullmatch(line)
            if match is None:
                raise ModelError(f"{folder / CHECKSUMS}, line {number} is no checksum")
            if sha256_of(folder / match[2]) != match[1]:
                raise ModelError(f"{folder / match[2]} has another checksum than {CHECKSUMS} lists")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder} cannot be read ({error})") from error


def write_checksums(folder: Path) -> None:
    """List every file of a folder, subfolders and the list itself aside, in its ``SHA256SUMS``."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    (folder / CHECKSUMS).write_text("".join(f"{sha256_of(path)}  {path.name}\n" for path in files), "utf-8")


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def words(text: str) -> list[str]:
    """The words of a text in lower case, in their order.

    >>> words("A ten-year-old's kite?")
    ['a', "ten-year-old's", 'kite']
    """
    return _WORD.findall(text.lower().replace("’", "'"))


@cache
def _vocabulary(file: Path) -> frozenset[str]:
    return frozenset(file.read_text(encoding="utf-8").split())


def unknown_words(texts: Iterable[str]) -> list[str]:
    """The words that the bundled language model has never met, each once, in their order."""
    known = _vocabulary(Path(__file__).parent / "agora-lm" / VOCABULARY)
    return list(dict.fromkeys(word for text in texts for word in words(text) if word not in known))
