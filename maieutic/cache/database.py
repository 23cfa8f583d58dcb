"""The SQLite file behind :mod:`maieutic.cache.store`: its tables and a connection to it.

Each value has a checksum over key and value, since SQLite detects only structural damage.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maieutic.files.sqlite import Damaged, SharedFile

__all__ = ["ROW_BYTES", "ResponseFile"]

ROW_BYTES = 130  # measured overhead of a row: key, indexes and unused space in pages
SYNCHRONOUS = "NORMAL"  # syncs at checkpoints only: a power cut may lose the latest answers

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


class ResponseFile(SharedFile):
    """A connection to the file, for the process that opened it and one thread at a time.

    All methods raise the same errors as the constructor.

    Args:
        path: the file; created if missing, with its folder, for its owner only.

    Attributes:
        emptied: whether it was of an earlier version, whose responses are of no use.

    Raises:
        Damaged: the file is not a valid response cache.
        sqlite3.Error: the file is damaged (:func:`maieutic.files.sqlite.is_damage`) or cannot be used now.
        OSError: the file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.emptied = False
        super().__init__(path, SYNCHRONOUS)

    def _prepare(self) -> None:
        if self._version() == 0:
            self._create(_TABLES, _SCHEMA)
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

    def read(self, keys: Iterable[bytes]) -> dict[bytes, tuple[bytes, int]]:
        """The stored keys among ``keys``, each with its value and last recorded use (s since the epoch)."""
        entries = {}
        with self._transaction("DEFERRED"):
            for key in keys:
                row = self._db.execute("SELECT value, used FROM responses WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    entries[key] = (_unsealed(key, row[0]), _number(row[1:]))
        return entries

    def record_use(self, keys: Iterable[bytes], now: int) -> None:
        """Set the last use of the keys to ``now``, in seconds since the epoch."""
        with self._transaction():
            self._db.executemany("UPDATE responses SET used = ? WHERE key = ?", ((now, key) for key in keys))

    def write(self, model: tuple[bytes, str], values: Mapping[bytes, bytes], now: int) -> int:
        """Add the values of new keys, all or none.

        Args:
            model: the checksum of its fingerprint, and its name.

        Returns:
            the total size of all entries, in bytes.
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
        """Remove the least recently used rows, at most ``batch``, until ``excess`` bytes are free.

        Returns:
            the total size of all entries, in bytes.
        """
        oldest = "SELECT id, LENGTH(value) FROM responses ORDER BY used, id LIMIT ?"
        with self._transaction():
            evicted, freed = [], 0
            for number, length in self._db.execute(oldest, (batch,)).fetchall():
                if freed >= excess:
                    break
                evicted.append((number,))
                freed += _number((length,)) + ROW_BYTES
            self._db.executemany("DELETE FROM responses WHERE id = ?", evicted)
            return self._add(-freed) if evicted else self._add(-self._add(0))

    def _add(self, change: int) -> int:
        self._db.execute("UPDATE total SET bytes = bytes + ?", (change,))
        return _number(self._db.execute("SELECT bytes FROM total").fetchone())

    def shares(self) -> list[tuple[bytes, str, int, int]]:
        """(checksum, name, number of responses, bytes) of each model, the largest first."""
        rows = self._db.execute(
            "SELECT digest, name, COUNT(*), SUM(LENGTH(value) + ?) AS bytes FROM responses "
            "JOIN models ON models.id = model GROUP BY model ORDER BY bytes DESC, name",
            (ROW_BYTES,),
        ).fetchall()
        for row in rows:
            if [type(cell) for cell in row] != [bytes, str, int, int]:
                raise Damaged("a row of a model has values of wrong types")
        return rows


def _sealed(key: bytes, value: bytes) -> bytes:
    return zlib.crc32(key + value).to_bytes(_CHECKSUM, "little") + value


def _unsealed(key: bytes, sealed: object) -> bytes:
    if not isinstance(sealed, bytes) or _sealed(key, sealed[_CHECKSUM:]) != sealed:
        raise Damaged("the checksum of a response is wrong")
    return sealed[_CHECKSUM:]


def _number(row: tuple[Any, ...] | None) -> int:
    """The first value of a row, which must be an integer ≥ 0."""
    if not row or not isinstance(row[0], int) or row[0] < 0:
        raise Damaged("a row has no valid number")
    return row[0]
