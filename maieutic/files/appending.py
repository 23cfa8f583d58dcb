"""A folder that one process at a time writes to, and files of lines in it that survive a kill.

Each line is flushed when it is written. A killed process leaves at most one unfinished line at the end, which
the next start cuts off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from maieutic.errors import InputError, MaieuticError
from maieutic.extras import extra_library
from maieutic.files.writing import remove_unfinished_line

__all__ = ["LOCK", "AppendedLines", "locked"]

LOCK = ".lock"


@contextmanager
def locked(folder: Path, extra: str) -> Iterator[None]:
    """Make the folder, if need be, and keep other processes that ask out of it.

    Args:
        extra: of this package that installs filelock.

    Raises:
        InputError: another process is writing there, or the folder cannot be written; ``subject`` is "lock"
            or the folder.
    """
    filelock = extra_library("filelock", extra)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        problem = f"another process is writing to {folder}; wait until it ends"
        raise InputError(problem, subject="lock") from None
    except OSError as error:
        problem = f"cannot write to {folder} ({error.strerror}); name a writable one"
        raise InputError(problem, subject=str(folder)) from None
    try:
        yield
    finally:
        lock.release()


class AppendedLines:
    """A file of lines that grows; a context manager that closes it."""

    def __init__(self, path: Path) -> None:
        remove_unfinished_line(path)
        self.path = path
        self._file: IO[bytes] = path.open("ab")

    def __enter__(self) -> AppendedLines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, lines: Sequence[bytes], *, sync: bool = True) -> None:
        """Write lines, each on disk before the next.

        Args:
            lines: without their newlines.
            sync: whether they must also survive a crash of the machine.

        Raises:
            MaieuticError: the file cannot be written, on a full disk for instance; earlier lines stay.
        """
        try:
            for line in lines:
                self._file.write(line + b"\n")
                self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise MaieuticError(
                f"cannot write to {self.path.parent} ({error.strerror}); make room and start again: "
                "the run continues where it stopped",
                subject=str(self.path.parent),
            ) from None

    def close(self) -> None:
        """Close the file; what is in it is on disk then."""
        with suppress(OSError):  # of a full disk, which has been reported
            os.fsync(self._file.fileno())
        self._file.close()
