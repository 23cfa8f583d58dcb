"""Which model it is, whatever it is called: what keeps answers of different models apart in a cache."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from maieutic.bundled import sha256_of
from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.errors import InputError, ModelError

__all__ = ["Fingerprinted", "checkpoint_fingerprint", "fingerprint_of"]

RULE = 1  # to be raised when the same files may make another model than before
READ = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken", "vocab.*")
ADAPTER = "adapter_config.json"
LIBRARIES = ("torch", "transformers")

LARGE = 32 << 20  # bytes; the checksums of such files are kept, since they take seconds
SETTLED = 2.0  # seconds since a file's last change: a second one would have another time
_CHECKSUMS = KnownModel("checksums", "(checksums of model files)")


class Fingerprinted(Protocol):
    """A language model or verifier whose answers may be kept in a cache."""

    @property
    def fingerprint(self) -> str:
        """A text that only models have in common that answer the same; without secrets."""
        ...


def fingerprint_of(model: object) -> str:
    """The fingerprint of a language model or verifier.

    Raises:
        InputError: it has none.
    """
    found = getattr(model, "fingerprint", None)
    if not isinstance(found, str) or not found:
        name = getattr(model, "name", "") or type(model).__name__
        raise InputError(
            f"{name} has no fingerprint, so that its answers could be taken for those of another model; "
            "give it one, or leave the cache off"
        )
    return found


def checkpoint_fingerprint(folder: Path, dtype: str, device: str, store: ResponseStore | None = None) -> str:
    """The fingerprint of a model folder, opened in a number format on a kind of device.

    It covers every byte of the weights, the configuration and the tokenizer (by name and SHA-256, wherever
    the folder lies), the number format, the kind of device, and the versions of torch and transformers,
    since all of them have a say in an answer. Checksums of large files are kept by path, device, inode, size
    and the times of the last change.

    Args:
        dtype: "float32", "bfloat16" or "float16"; device: "cpu" or "cuda".
        store: keeps checksums of large files; by default the one in the user's cache folder.

    Raises:
        ModelError: a file cannot be read, or the folder is an adapter for weights that lie elsewhere.
    """
    if (folder / ADAPTER).exists():
        raise ModelError(
            f"{folder} is an adapter, and answers depend on weights that lie elsewhere; "
            "merge them into one folder, or leave the cache off"
        )
    try:
        paths = sorted({path for pattern in READ for path in folder.glob(pattern) if path.is_file()})
        files = [[path.name, _checksum(path, store)] for path in paths]
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be read ({error.strerror}); check the folder") from None
    made_with = [[library, version(library)] for library in LIBRARIES]
    return digest("checkpoint", RULE, files, dtype, device, made_with).hex()


def _checksum(path: Path, store: ResponseStore | None) -> str:
    real = path.resolve()
    found = real.stat()
    if found.st_size < LARGE:
        return sha256_of(real)
    times = (found.st_mtime_ns, found.st_ctime_ns)
    key = digest("checksum", str(real), found.st_dev, found.st_ino, found.st_size, *times)
    store = store or ResponseStore()
    kept = store.get([key])
    if key in kept:
        return kept[key].hex()
    checksum = sha256_of(real)
    if max(times) / 1e9 + SETTLED < time.time():
        store.put(_CHECKSUMS, {key: bytes.fromhex(checksum)})
    return checksum
