"""The database behind :mod:`maieutic.cache.store`: its tables, and one connection to it.

SQLite is in the standard library and at home with several processes, kills and full disks (diskcache
pickles what it keeps, and no pickle is read here). With write-ahead logging many read while one writes.
Each value has a checksum over its key and itself, since SQLite notices damage to its own structure only.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["ROW_BYTES", "Damaged", "ResponseFile", "is_damage"]

ROW_BYTES = 130  # what a row takes beside its value, measured: key, indexes, room that pages leave
PATIENCE = 10.0  # seconds to wait for another process that writes
SYNCHRONOUS = "NORMAL"  # the disk is waited for now and then: a power cut may cost the last answers
LOG_BYTES = 4 << 20  # what a write-ahead log that grew longer is cut to

_SCHEMA = 2  # since 2, token counts are kept with the answers
_TABLES = """
CREATE TABLE models (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE responses (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  value BLOB NOT NULL,
  model INTEGER NOT NULL,
  used INTEGER NOT NULL
);
CREATE INDEX responses_by_use ON responses (used);
CREATE TABLE total (bytes INTEGER NOT NULL);
INSERT INTO total VALUES (0);
"""
_CHECKSUM = 4  # bytes before every value
_DAMAGE = {  # the statements here are always the same, so that what is wrong with one is wrong with the file
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}


class Damaged(sqlite3.DatabaseError):
    """The file holds what was never written to it."""


def is_damage(error: Exception) -> bool:
    """Whether it says that the file is no such database, or a broken one."""
    if isinstance(error, Damaged | UnicodeDecodeError):
        return True
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


class ResponseFile:
    """A connection to the file, of the process that opened it; one thread at a time may use it.

    Args:
        path: made if it is not there, with its folder, for its owner only.

    Attributes:
        emptied: whether it was of an earlier version, whose responses are of no use.

    Raises:
        Damaged: it is no such database. So do all methods.
        sqlite3.Error: likewise (see :func:`is_damage`), or it cannot be used now. So do all methods.
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _make(path)
        self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        self._db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self.emptied = False
        self._process, self._node = os.getpid(), path.stat().st_ino
        self._closing = weakref.finalize(self, _close, self._db, self._process)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        self._db.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        self._db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        if self._version() == 0:
            self._db.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                if self._version() == 0:  # no other process was faster
                    for statement in filter(str.strip, _TABLES.split(";")):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {_SCHEMA}")
        elif self._version() < _SCHEMA:
            self._empty()
        if self._version() != _SCHEMA:
            raise Damaged(f"its version is {self._version()}, not {_SCHEMA}")

    def _empty(self) -> None:
        with self._transaction():
            if self._version() < _SCHEMA:  # no other process was faster
                self._db.execute("DELETE FROM responses")
                self._db.execute("DELETE FROM models")
                self._db.execute("UPDATE total SET bytes = 0")
                self._db.execute(f"PRAGMA user_version = {_SCHEMA}")
                self.emptied = True

    def _version(self) -> int:
        return _number(self._db.execute("PRAGMA user_version").fetchone())

    def close(self) -> None:
        """Close it, where this process opened it."""
        self._closing()

    @property
    def current(self) -> bool:
        """Whether it is this process's, and the file is still the one at its path."""
        try:
            return self._process == os.getpid() and self._path.stat().st_ino == self._node
        except OSError:
            return False

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        self._db.execute(f"BEGIN {kind}")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def read(self, keys: Iterable[bytes]) -> dict[bytes, tuple[bytes, int]]:
        """Those of the keys that are there, each with its value and the second of its last noted use."""
        found = {}
        with self._transaction("DEFERRED"):
            for key in keys:
                row = self._db.execute("SELECT value, used FROM responses WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    found[key] = (_unsealed(key, row[0]), _number(row[1:]))
        return found

    def note_use(self, keys: Iterable[bytes], now: int) -> None:
        """Make this second that of their last use."""
        with self._transaction():
            self._db.executemany("UPDATE responses SET used = ? WHERE key = ?", ((now, key) for key in keys))

    def write(self, model: tuple[bytes, str], values: Mapping[bytes, bytes], now: int) -> int:
        """Add what is not there yet, all or nothing.

        Args:
            model: a checksum that tells it apart, and its name.

        Returns:
            bytes of all that is there now.
        """
        upsert = "INSERT INTO models (digest, name) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET name = ?"
        insert = "INSERT OR IGNORE INTO responses (key, value, model, used) VALUES (?, ?, ?, ?)"
        added = 0
        with self._transaction():
            self._db.execute(upsert, (*model, model[1]))
            row = self._db.execute("SELECT id FROM models WHERE digest = ?", model[:1]).fetchone()
            for key, value in values.items():
                cursor = self._db.execute(insert, (key, _sealed(key, value), _number(row), now))
                added += cursor.rowcount * (len(value) + _CHECKSUM + ROW_BYTES)
            return self._add(added)

    def evict(self, excess: int, batch: int = 1000) -> int:
        """Remove what was used longest ago: at most ``batch`` rows, fewer if they weigh ``excess`` bytes.

        Returns:
            bytes of all that is there now.
        """
        oldest = "SELECT id, LENGTH(value) FROM responses ORDER BY used, id LIMIT ?"
        with self._transaction():
            gone, freed = [], 0
            for number, length in self._db.execute(oldest, (batch,)).fetchall():
                if freed >= excess:
                    break
                gone.append((number,))
                freed += _number((length,)) + ROW_BYTES
            self._db.executemany("DELETE FROM responses WHERE id = ?", gone)
            return self._add(-freed) if gone else self._add(-self._add(0))

    def _add(self, change: int) -> int:
        self._db.execute("UPDATE total SET bytes = bytes + ?", (change,))
        return _number(self._db.execute("SELECT bytes FROM total").fetchone())

    def shares(self) -> list[tuple[bytes, str, int, int]]:
        """Of every model with responses: its checksum and name, their number, their bytes; the most first."""
        rows = self._db.execute(
            "SELECT digest, name, COUNT(*), SUM(LENGTH(value) + ?) AS bytes FROM responses "
            "JOIN models ON models.id = model GROUP BY model ORDER BY bytes DESC, name",
            (ROW_BYTES,),
        ).fetchall()
        for row in rows:
            if [type(cell) for cell in row] != [bytes, str, int, int]:
                raise Damaged("a model's row is none")
        return rows


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():  # to open and close it here would end the locks of this process's connections
        return
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:  # another process was faster
        return


def _close(db: sqlite3.Connection, process: int) -> None:
    if os.getpid() == process:  # a forked process must not touch what it inherits
        db.close()


def _sealed(key: bytes, value: bytes) -> bytes:
    return zlib.crc32(key + value).to_bytes(_CHECKSUM, "little") + value


def _unsealed(key: bytes, sealed: object) -> bytes:
    if not isinstance(sealed, bytes) or _sealed(key, sealed[_CHECKSUM:]) != sealed:
        raise Damaged("a response is not the one that was written")
    return sealed[_CHECKSUM:]


def _number(row: tuple[Any, ...] | None) -> int:
    """The number ≥ 0 that a row begins with."""
    if not row or not isinstance(row[0], int) or row[0] < 0:
        raise Damaged("a number is missing")
    return row[0]
