"""Opens the file of a memory again and again: after damage, after another process replaced it.

A damaged file is moved aside, a new one is begun, and one line says so. Nothing else is silent: a memory that
cannot be read or written is an error, since an answer without it would be another answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from maieutic.errors import MaieuticError
from maieutic.files.sqlite import FAILURES, file_node, is_damage, move_aside, reason_of
from maieutic.memory.database import MemoryFile

__all__ = ["MemoryStore"]

T = TypeVar("T")
TRIES = 3

_log = logging.getLogger(__name__)


class MemoryStore:
    """Runs work on the file of a memory; threads take turns.

    Args:
        path: the file, created on first use and readable by its owner only.
        on_notice: receives one line where a damaged file was moved aside; by default this module's logger.
    """

    def __init__(self, path: Path, on_notice: Callable[[str], None] = _log.warning) -> None:
        self.path = path
        self._on_notice = on_notice
        self._lock = threading.RLock()
        self._file: MemoryFile | None = None

    def run(self, work: Callable[[MemoryFile], T]) -> T:
        """The result of ``work``; it runs again where another process replaced the file, or on a new file.

        Raises:
            InputError: the file is no memory, or one of a newer version.
            MaieuticError: it cannot be read or written; ``subject`` is the path.
        """
        with self._lock:
            for tries_left in reversed(range(TRIES)):
                node = file_node(self.path)
                try:
                    return work(self._connection())
                except FAILURES as error:
                    self.close()
                    replaced = file_node(self.path) != node
                    if not tries_left or not (replaced or is_damage(error)):
                        problem = f"the memory {self.path} cannot be used ({reason_of(error)})"
                        remedy = "free the disk, or stop the process that holds it, and try again"
                        raise MaieuticError(f"{problem}; {remedy}", subject=str(self.path)) from None
                    if not replaced:
                        self._move_aside(error)
        raise AssertionError

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def _connection(self) -> MemoryFile:
        if self._file is None or not self._file.current:
            self.close()
            self._file = MemoryFile(self.path)
        return self._file

    def _move_aside(self, error: Exception) -> None:
        try:
            aside = move_aside(self.path)
        except OSError as failure:
            problem = f"the damaged memory {self.path} cannot be renamed ({failure.strerror})"
            raise MaieuticError(f"{problem}; move it by hand", subject=str(self.path)) from None
        said = f"the memory {self.path} was damaged ({reason_of(error)})"
        self._on_notice(f"{said}; moved it to {aside.name} and started a new one")
