"""Fingerprints, which identify models in the response cache independently of their names."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from maieutic.bundled import sha256_of
from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.errors import InputError, ModelError

__all__ = ["Fingerprinted", "checkpoint_fingerprint", "checksum_of", "fingerprint_of"]

RULE = 1  # increase it when the same files may yield other answers than before
READ = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken", "vocab.*")
ADAPTER = "adapter_config.json"
LIBRARIES = ("torch", "transformers")

LARGE = 32 << 20  # bytes; checksums of files of this size take seconds and are cached
SETTLED = 2.0  # seconds after its last change before the checksum of a file is cached
_CHECKSUMS = KnownModel("checksums", "(checksums of model files)")


class Fingerprinted(Protocol):
    """A language model or verifier whose answers can be cached."""

    @property
    def fingerprint(self) -> str:
        """A text, without secrets, that is equal only for models that give the same answers."""
        ...


def fingerprint_of(model: object) -> str:
    """The fingerprint of a language model or verifier.

    Raises:
        InputError: the model has no fingerprint.
    """
    fingerprint = getattr(model, "fingerprint", None)
    if not isinstance(fingerprint, str) or not fingerprint:
        name = getattr(model, "name", "") or type(model).__name__
        raise InputError(
            f"{name} has no fingerprint, so its answers cannot be cached; give it one or turn the cache off",
            subject="fingerprint",
        )
    return fingerprint


def checkpoint_fingerprint(folder: Path, dtype: str, device: str, store: ResponseStore | None = None) -> str:
    """The fingerprint of a model folder for one number format and kind of device.

    It covers everything that affects answers: the names and SHA-256 checksums of the files of weights,
    configuration and tokenizer (not the location of the folder), the number format, the kind of device, and
    the versions of torch and transformers. Checksums of large files are cached by path, device, inode, size
    and times of the last change.

    Args:
        dtype: "float32", "bfloat16" or "float16".
        device: "cpu" or "cuda".
        store: caches the checksums of large files; by default the store in the user's cache folder.

    Raises:
        ModelError: a file cannot be read, or the folder is an adapter without its base weights.
    """
    if (folder / ADAPTER).exists():
        raise ModelError(
            f"{folder} is an adapter, whose base weights are not in the folder; "
            "merge them into one folder or turn the cache off",
            subject=str(folder),
        )
    try:
        paths = sorted({path for pattern in READ for path in folder.glob(pattern) if path.is_file()})
        files = [[path.name, checksum_of(path, store)] for path in paths]
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be read ({error.strerror}); check the folder",
            subject=str(error.filename),
        ) from None
    versions = [[library, version(library)] for library in LIBRARIES]
    return digest("checkpoint", RULE, files, dtype, device, versions).hex()


def checksum_of(path: Path, store: ResponseStore | None = None) -> str:
    """The SHA-256 checksum of a file; that of a large file is cached.

    Args:
        store: as for :func:`checkpoint_fingerprint`.

    Raises:
        OSError: the file cannot be read.
    """
    real = path.resolve()
    stat = real.stat()
    if stat.st_size < LARGE:
        return sha256_of(real)
    times = (stat.st_mtime_ns, stat.st_ctime_ns)
    key = digest("checksum", str(real), stat.st_dev, stat.st_ino, stat.st_size, *times)
    store = store or ResponseStore()
    cached = store.get([key])
    if key in cached:
        return cached[key].hex()
    checksum = sha256_of(real)
    if max(times) / 1e9 + SETTLED < time.time():
        store.put(_CHECKSUMS, {key: bytes.fromhex(checksum)})
    return checksum
