"""What models answered, kept on disk: shared by processes, bounded in size, never missed when lost.

Prompts are kept as checksums only. What one call of a model answered is written in one transaction, so that
a kill leaves all of it or nothing.

When what is kept weighs more than the limit, what was used longest ago goes, until nine tenths of it are
left. The file does not shrink by that; new answers fill the room. To spare a warm run all writing, a use is
noted only where the last one was noted more than an hour ago.
"""

from __future__ import annotations

import glob
import hashlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from maieutic.cache.database import ResponseFile, is_damage
from maieutic.cache.folder import cache_root
from maieutic.errors import InputError, MaieuticError

__all__ = ["MAX_BYTES", "Contents", "KnownModel", "ResponseStore", "Share", "Tally", "digest"]

T = TypeVar("T")

MAX_BYTES = 1 << 30
FILE = "responses.sqlite3"
KEPT_SHARE = 0.9  # of the limit, once it was passed
NOTED_AFTER = 3600  # seconds

_ASIDE = ".corrupt-"
_TROUBLE = (OSError, sqlite3.Error, UnicodeDecodeError)  # SQLite quotes damaged names in its messages
_log = logging.getLogger(__name__)


def digest(*parts: object) -> bytes:
    """The SHA-256 of texts, numbers and lists of them; different parts never run together.

    >>> digest("a", "bc") == digest("ab", "c")
    False
    """
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model as the store knows it.

    Attributes:
        fingerprint: the same only for models that answer the same; kept as a checksum.
        name: for people.
    """

    fingerprint: str
    name: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests that came to caches, and how many of them were answered from the store.

    A request is a text to draw, a prompt whose options are scored, or a pair for the verifier.
    """

    requests: int = 0
    cached: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.requests + other.requests, self.cached + other.cached)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.requests - other.requests, self.cached - other.cached)


@dataclass(frozen=True, slots=True)
class Share:
    """What one model has in the store.

    Attributes:
        id: tells models of one name apart (formats, devices, versions).
        bytes: of its answers and what belongs to them.
    """

    model: str
    id: str
    entries: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What there is.

    Attributes:
        bytes: what counts toward ``limit``; ``on_disk`` what the files take, those set aside included.
        models: the largest share first.
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
    """Answers by key. It never fails: what it cannot read or keep is asked of the model.

    A damaged file is moved aside and a new one begun; one of an earlier version is emptied. Where the disk
    is full or the folder cannot be written, nothing more is kept. Each is said once, in one line.

    Args:
        path: the file, made when it is first needed, for its owner only; by default
            ``responses.sqlite3`` in :func:`maieutic.cache.folder.cache_root`.
        max_bytes: most bytes of answers and what belongs to them, at least 1. Long answers do not fill the
            file's pages, so that it may take a quarter more, beside a log of some megabytes.
        on_notice: takes what is to be said; by default this module's logger.
        clock: seconds since an epoch that all processes share.

    Attributes:
        tally: of the caches that use this object.

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
            raise InputError(f"a cache must hold at least 1 byte, not {max_bytes}")
        self.path = path or cache_root() / FILE
        self.max_bytes = max_bytes
        self.tally = Tally()
        self._on_notice = on_notice
        self._clock = clock
        self._lock = threading.Lock()
        self._file: ResponseFile | None = None
        self._readable = self._writable = True

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those of the keys that are kept, with their values."""
        wanted = list(dict.fromkeys(keys))
        rows = self._read(lambda file: file.read(wanted)) or {}
        now = int(self._clock())
        old = [key for key, (_, used) in rows.items() if used + NOTED_AFTER < now]
        if old:
            self._write(lambda file: file.note_use(old, now))
        return {key: value for key, (value, _) in rows.items()}

    def put(self, model: KnownModel, answers: Mapping[bytes, bytes]) -> None:
        """Keep a model's answers, all or nothing; a key that has one keeps the one it has."""
        if not answers:
            return
        named, now = (digest(model.fingerprint), model.name), int(self._clock())
        total = self._write(lambda file: file.write(named, answers, now)) or 0
        kept = int(KEPT_SHARE * self.max_bytes) if total > self.max_bytes else total
        while total > kept:
            total = self._write(partial(ResponseFile.evict, excess=total - kept)) or 0

    def count(self, requests: int, cached: int) -> None:
        """Add to the tally."""
        self.tally += Tally(requests, cached)

    def contents(self) -> Contents:
        """What there is; no file is made where there is none."""
        rows = (self._read(ResponseFile.shares) if _node(self.path) else None) or []
        shares = [Share(name, known.hex()[:8], entries, size) for known, name, entries, size in rows]
        files, aside = _files(self.path), self._set_aside()
        return Contents(
            path=str(self.path),
            entries=sum(share.entries for share in shares),
            bytes=sum(share.bytes for share in shares),
            limit=self.max_bytes,
            on_disk=sum(path.stat().st_size for path in (*files, *aside) if _node(path)),
            models=tuple(shares),
            set_aside=tuple(map(str, aside)),
        )

    def clear(self) -> Contents:
        """Remove the file and those set aside; a process that uses it begins a new one.

        Returns:
            what there was.

        Raises:
            MaieuticError: a file cannot be removed.
        """
        before = self.contents()
        self.close()
        try:
            for path in (*_files(self.path), *self._set_aside()):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise MaieuticError(
                f"cannot remove {error.filename} ({error.strerror}); end what uses it, then try again"
            ) from None
        return before

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            self._disconnect()

    def _read(self, work: Callable[[ResponseFile], T]) -> T | None:
        """What the work returns; None where the file cannot be read."""
        with self._lock:
            try:
                return self._done(work) if self._readable else None
            except _TROUBLE as error:
                self._readable = self._writable = False
                self._say(f"cannot be used ({_reason(error)}); going on without it")
                return None

    def _write(self, work: Callable[[ResponseFile], T]) -> T | None:
        """What the work returns; None where the file cannot be written."""
        with self._lock:
            try:
                return self._done(work) if self._writable else None
            except _TROUBLE as error:
                self._writable = False
                self._say(f"cannot be written ({_reason(error)}); going on, and nothing more is kept")
                return None

    def _done(self, work: Callable[[ResponseFile], T]) -> T:
        for tries_left in (2, 1, 0):
            node = _node(self.path)
            try:
                return work(self._connection())
            except _TROUBLE as error:
                self._disconnect()
                replaced = _node(self.path) != node  # moved or removed by another process
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
                self._say("was of an earlier version, whose answers lack token counts; it is emptied")
        return self._file

    def _disconnect(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _move_aside(self, error: Exception) -> None:
        names = (self.path.with_name(f"{self.path.name}{_ASIDE}{number}") for number in count(1))
        aside = next(path for path in names if not path.exists())
        for path, target in zip(_files(self.path), _files(aside), strict=True):
            if path.exists():
                path.replace(target)
        self._say(f"was damaged ({_reason(error)}); it is kept as {aside.name}, and a new one is begun")

    def _set_aside(self) -> list[Path]:
        return sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}{_ASIDE}*"))

    def _say(self, what: str) -> None:
        self._on_notice(f"the response cache {self.path} {what}")


def _files(path: Path) -> tuple[Path, ...]:
    """A database's files in the order in which they may go: the last is the one that others look for."""
    return (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), path)


def _node(path: Path) -> int | None:
    """What tells a file from another one that takes its place."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _reason(error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) else str(error).partition(" (")[0]  # no names
    return "its text is none" if isinstance(error, UnicodeDecodeError) else told or type(error).__name__
