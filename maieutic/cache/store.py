"""The response cache: answers of models on disk, shared by processes and bounded in size.

The file stores prompts as checksums only. The answers of one model call are written in one transaction, so
that a killed process leaves all of them or none.

When the stored bytes exceed the limit, the least recently used answers are evicted until nine tenths of the
limit remain. Eviction does not shrink the file; new answers reuse the space. To avoid writes in runs that
only read, a use is recorded only if the last recorded use is more than an hour old.
"""

from __future__ import annotations

import glob
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from maieutic.cache.database import ResponseFile
from maieutic.cache.folder import cache_root
from maieutic.errors import InputError, MaieuticError
from maieutic.files.sqlite import (
    ASIDE,
    FAILURES,
    database_files,
    file_node,
    is_damage,
    move_aside,
    reason_of,
)

__all__ = ["MAX_BYTES", "Contents", "KnownModel", "ResponseStore", "Share", "Tally", "digest"]

T = TypeVar("T")

MAX_BYTES = 1 << 30
FILE = "responses.sqlite3"
EVICTION_TARGET = 0.9  # share of the limit that remains after eviction
USE_INTERVAL = 3600  # seconds between two recorded uses of an answer

_log = logging.getLogger(__name__)


def digest(*parts: object) -> bytes:
    """The SHA-256 of texts, numbers and lists of them, encoded so that the parts stay separate.

    >>> digest("a", "bc") == digest("ab", "c")
    False
    """
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model: a fingerprint, equal only for models that give the same answers, and a readable name."""

    fingerprint: str
    name: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of requests to the caches and of requests answered from the store.

    A request is a text to sample, a prompt whose options to score, or a pair for the verifier.
    """

    requests: int = 0
    cached: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.requests + other.requests, self.cached + other.cached)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.requests - other.requests, self.cached - other.cached)


@dataclass(frozen=True, slots=True)
class Share:
    """The entries of one model in the store.

    Attributes:
        id: distinguishes models with the same name (number formats, devices, versions).
        bytes: size of the answers with their overhead.
    """

    model: str
    id: str
    entries: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """A summary of the store.

    Attributes:
        bytes: size of the answers with their overhead, which ``limit`` bounds.
        on_disk: size of all files, including damaged ones, in bytes.
        models: the share of each model, largest first.
        set_aside: damaged files that were moved out of the way.
    """

    path: str
    entries: int
    bytes: int
    limit: int
    on_disk: int
    models: tuple[Share, ...]
    set_aside: tuple[str, ...]


class ResponseStore:
    """Answers by key. Disk failures never raise; the model answers what the store cannot.

    A damaged file is moved aside and replaced by a new one; a file of an earlier version is emptied. Writing
    stops when the disk is full or the folder is not writable. Each of these is reported once, in one line.

    Args:
        path: the file, created on first use and readable by its owner only; by default
            ``responses.sqlite3`` in :func:`maieutic.cache.folder.cache_root`.
        max_bytes: largest size of the answers with their overhead, at least 1. The file may be a quarter
            larger, since long answers do not fill its pages, and has a log of a few megabytes.
        on_notice: receives the reports; by default this module's logger.
        clock: seconds since an epoch common to all processes.

    Attributes:
        tally: counts of the caches that use this object.

    Raises:
        InputError: ``max_bytes`` is less than 1.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        on_notice: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if max_bytes < 1:
            raise InputError(f"max_bytes={max_bytes}: give at least 1", subject="max_bytes")
        self.path = path or cache_root() / FILE
        self.max_bytes = max_bytes
        self.tally = Tally()
        self._on_notice = on_notice
        self._clock = clock
        self._lock = threading.Lock()
        self._file: ResponseFile | None = None
        self._readable = self._writable = True

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The stored values of those keys that have one."""
        distinct = list(dict.fromkeys(keys))
        rows = self._read(lambda file: file.read(distinct)) or {}
        now = int(self._clock())
        due = [key for key, (_, used) in rows.items() if used + USE_INTERVAL < now]
        if due:
            self._write(lambda file: file.record_use(due, now))
        return {key: value for key, (value, _) in rows.items()}

    def put(self, model: KnownModel, answers: Mapping[bytes, bytes]) -> None:
        """Store the answers of a model, all or none; existing keys keep their values."""
        if not answers:
            return
        identity, now = (digest(model.fingerprint), model.name), int(self._clock())
        total = self._write(lambda file: file.write(identity, answers, now)) or 0
        if total <= self.max_bytes:
            return
        target = int(EVICTION_TARGET * self.max_bytes)
        while total > target:
            total = self._write(partial(ResponseFile.evict, excess=total - target)) or 0

    def count(self, requests: int, cached: int) -> None:
        """Add to the tally."""
        self.tally += Tally(requests, cached)

    def contents(self) -> Contents:
        """A summary of the store; creates no file."""
        rows = (self._read(ResponseFile.shares) if file_node(self.path) else None) or []
        shares = [Share(name, identity.hex()[:8], entries, size) for identity, name, entries, size in rows]
        files, aside = database_files(self.path), self._set_aside()
        return Contents(
            path=str(self.path),
            entries=sum(share.entries for share in shares),
            bytes=sum(share.bytes for share in shares),
            limit=self.max_bytes,
            on_disk=sum(path.stat().st_size for path in (*files, *aside) if file_node(path)),
            models=tuple(shares),
            set_aside=tuple(map(str, aside)),
        )

    def clear(self) -> Contents:
        """Delete the file and the damaged ones, and return the summary from before.

        Raises:
            MaieuticError: a file cannot be removed.
        """
        before = self.contents()
        self.close()
        try:
            for path in (*database_files(self.path), *self._set_aside()):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise MaieuticError(
                f"cannot remove {error.filename} ({error.strerror}); stop the processes that use it",
                subject=str(error.filename),
            ) from None
        return before

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._disconnect()

    def _read(self, work: Callable[[ResponseFile], T]) -> T | None:
        """The result of ``work``, or None if the file cannot be read."""
        with self._lock:
            try:
                return self._run(work) if self._readable else None
            except FAILURES as error:
                self._readable = self._writable = False
                self._notify(f"cannot be used ({reason_of(error)}); continuing without it")
                return None

    def _write(self, work: Callable[[ResponseFile], T]) -> T | None:
        """The result of ``work``, or None if the file cannot be written."""
        with self._lock:
            try:
                return self._run(work) if self._writable else None
            except FAILURES as error:
                self._writable = False
                self._notify(f"cannot be written ({reason_of(error)}); continuing without storing more")
                return None

    def _run(self, work: Callable[[ResponseFile], T]) -> T:
        """Run ``work`` again if another process replaced the file, or on a new file if it is damaged."""
        for tries_left in (2, 1, 0):
            node = file_node(self.path)
            try:
                return work(self._connection())
            except FAILURES as error:
                self._disconnect()
                replaced = file_node(self.path) != node  # another process moved or removed it
                if not tries_left or not (replaced or is_damage(error)):
                    raise
                if not replaced:
                    self._move_aside(error)
        raise AssertionError

    def _connection(self) -> ResponseFile:
        if self._file is None or not self._file.current:
            self._disconnect()
            self._file = ResponseFile(self.path)
            if self._file.emptied:
                self._notify("was of an earlier version, whose answers lack token counts; it is emptied")
        return self._file

    def _disconnect(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _move_aside(self, error: Exception) -> None:
        aside = move_aside(self.path)
        self._notify(f"was damaged ({reason_of(error)}); moved it to {aside.name} and started a new one")

    def _set_aside(self) -> list[Path]:
        return sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}{ASIDE}*"))

    def _notify(self, event: str) -> None:
        self._on_notice(f"the response cache {self.path} {event}")
