"""SQLite files that several processes share: a connection with transactions, and damage moved aside.

SQLite is in the standard library and copes with concurrent processes, kills and full disks. (diskcache
stores pickles, which this project never reads.) With write-ahead logging, many processes can read while
one writes.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

__all__ = [
    "ASIDE",
    "FAILURES",
    "Damaged",
    "SharedFile",
    "database_files",
    "file_node",
    "is_damage",
    "move_aside",
    "reason_of",
]

ASIDE = ".corrupt-"  # between the name of a file and the number of a damaged one that was moved
FAILURES = (OSError, sqlite3.Error, UnicodeDecodeError)  # SQLite messages may quote damaged names
PATIENCE = 10.0  # seconds to wait while another process writes
LOG_BYTES = 4 << 20  # size to which a longer write-ahead log is truncated

_DAMAGE = {  # error codes; the SQL statements are fixed, so that an SQL error too means a damaged file
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}


class Damaged(sqlite3.DatabaseError):
    """The file has content that this package never wrote."""


def is_damage(error: Exception) -> bool:
    """Whether the error means that the file is damaged or is another kind of file."""
    if isinstance(error, Damaged | UnicodeDecodeError):
        return True
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


class SharedFile:
    """A connection to a database file, for the process that opened it and one thread at a time.

    Args:
        path: the file; created if missing, with its folder, for its owner only.
        synchronous: SQLite's setting: NORMAL may lose the latest writes in a power cut, FULL loses none.

    Raises:
        sqlite3.Error: the file is damaged (see :func:`is_damage`) or cannot be used now.
        OSError: the file cannot be created.
    """

    def __init__(self, path: Path, synchronous: str) -> None:
        self._path = path
        _make(path)
        self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        self._db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self._process, self._node = os.getpid(), path.stat().st_ino
        self._closing = weakref.finalize(self, _close, self._db, self._process)
        try:
            self._db.execute(f"PRAGMA synchronous = {synchronous}")
            self._db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Check the version, or create the tables."""
        raise NotImplementedError

    def _create(self, tables: str, version: int, older: int = 0) -> None:
        """Create the tables that a file of an older version lacks, unless another process was faster.

        Args:
            older: the version that lacks them; 0 is a new file.
        """
        self._db.execute("PRAGMA journal_mode = WAL")
        with self._transaction():
            if self._version() == older:
                for statement in filter(str.strip, tables.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {version}")

    def _version(self) -> int:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if not isinstance(version, int) or version < 0:
            raise Damaged("its version is no number")
        return version

    def close(self) -> None:
        """Close the connection, if this process opened it."""
        self._closing()

    @property
    def current(self) -> bool:
        """Whether this process opened the connection and the file at the path is still the same one."""
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


def database_files(path: Path) -> tuple[Path, ...]:
    """The files of a database in the order to delete them; other processes look for the last one."""
    return (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), path)


def file_node(path: Path) -> int | None:
    """The inode of a file, which changes if another file replaces it; None if there is no file."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def move_aside(path: Path) -> Path:
    """Give a damaged database another name, which is returned.

    Raises:
        OSError: it cannot be renamed.
    """
    names = (path.with_name(f"{path.name}{ASIDE}{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())
    for file, target in zip(database_files(path), database_files(aside), strict=True):
        if file.exists():
            file.replace(target)
    return aside


def reason_of(error: Exception) -> str:
    """What went wrong, without names that a damaged file may hold."""
    reason = error.strerror if isinstance(error, OSError) else str(error).partition(" (")[0]
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else reason or type(error).__name__


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():  # opening and closing it would release the locks of this process's connections
        return
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:  # another process created it meanwhile
        return


def _close(db: sqlite3.Connection, process: int) -> None:
    if os.getpid() == process:  # a forked process must not close an inherited connection
        db.close()
