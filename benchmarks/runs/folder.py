"""The folder of a run: ``run.toml``, ``run.json`` and ``records.jsonl``, one line per question.

A line is written and flushed as its question is answered. A process that is killed leaves at most one
unfinished line, at the end, which the next start removes, so that no question is lost, repeated or
half-written. A lock keeps a second process out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.benchmarks.runs.config import RunConfig, read_config
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import FileFormatError, InputError, MaieuticError
from maieutic.files.json_lines import read_records
from maieutic.tree import Tree

__all__ = ["CONFIG", "PROVENANCE", "RECORDS", "Run", "RunFolder", "read_run", "run_name"]

CONFIG, PROVENANCE, RECORDS, LOCK = "run.toml", "run.json", "records.jsonl", ".lock"


@dataclass(frozen=True)
class Run:
    """A run as it stands on disk, finished or not.

    Attributes:
        name: the method and the settings that differ from its defaults, for tables.
    """

    name: str
    folder: Path
    config: RunConfig
    records: tuple[Record, ...]

    @property
    def trees(self) -> list[Tree]:
        """The trees of its answers, each with its question's gold answer."""
        return [replace(r.reasoning.tree, answer=r.gold) for r in self.records if r.reasoning is not None]


def run_name(config: RunConfig) -> str:
    """The method and those of its settings that are not its defaults.

    >>> run_name(RunConfig("agora", "self-consistency", {"samples": 5}).complete())
    'self-consistency (samples 5)'
    >>> run_name(RunConfig("agora", "cascade", {"curve": True}).complete())
    'cascade (curve)'
    >>> run_name(RunConfig("agora", "cascade", {"tree.depth": 1}).complete())
    'cascade (tree.depth 1)'
    """
    usual = replace(config, settings={}).complete().settings
    changed = {
        name: value
        for name, value in config.settings.items()
        if usual.get(name) != value and (name.rpartition(".")[2], value) != ("weights", "")
    }
    texts = [_shown(name, value) for name, value in changed.items()]
    return config.method + (f" ({', '.join(texts)})" if texts else "")


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {','.join(map(str, value)) if isinstance(value, list | tuple) else value}"


def read_run(folder: Path) -> Run:
    """Read a run's configuration and records.

    Raises:
        FileFormatError: a file is missing or damaged; the message names it and the line.
    """
    config = read_config(folder / CONFIG)
    records = tuple(record for _, record in read_records(folder / RECORDS, Record.from_json))
    if repeated := _first_repeated(record.id for record in records):
        raise FileFormatError(folder / RECORDS, None, f"question {repeated!r} occurs twice; remove one line")
    return Run(run_name(config), folder, config, records)


def _first_repeated(ids: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            return one
        seen.add(one)
    return None


class RunFolder:
    """A run's folder while it is written; a context manager that holds its lock.

    Args:
        folder: new, empty, or of the same run.

    Raises:
        InputError: on entering: the folder cannot be written, holds something else or another run, or
            another process is writing to it.
    """

    def __init__(self, folder: Path, config: RunConfig) -> None:
        self.folder = folder
        self.config = config
        self.records: list[Record] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> RunFolder:
        filelock = bench_library("filelock")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = filelock.FileLock(self.folder / LOCK)
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise InputError(f"another process is writing to {self.folder}; wait for it") from None
        except OSError as error:
            raise InputError(
                f"cannot write to {self.folder} ({error.strerror}); give --out a folder you may write"
            ) from None
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def _open(self) -> None:
        if (self.folder / CONFIG).exists():
            self._check_same()
        elif stray := sorted({p.name for p in self.folder.iterdir()} - {LOCK, f"{CONFIG}.new"}):
            raise InputError(
                f"{self.folder} holds {stray[0]} and is no run; give --out a new folder, or that of a run"
            )
        else:
            write_whole(self.folder / CONFIG, self.config.to_toml())
        path = self.folder / RECORDS
        remove_unfinished_line(path)
        if path.exists():
            self.records = list(read_run(self.folder).records)
        self._file = path.open("ab")

    def _check_same(self) -> None:
        found = read_config(self.folder / CONFIG)
        if differences := self.config.differences(found):
            raise InputError(
                f"{self.folder} holds another run ({differences[0]}); give --out another folder, "
                f"or repeat that one with --config {self.folder / CONFIG}"
            )

    def write_provenance(self, text: str) -> None:
        """Write ``run.json``, once a run."""
        if not (self.folder / PROVENANCE).exists():
            write_whole(self.folder / PROVENANCE, text)

    def write(self, records: Sequence[Record]) -> None:
        """Append records, each on disk before the next.

        Raises:
            MaieuticError: the disk is full, or the file is gone; what was written before stays.
        """
        assert self._file is not None
        try:
            for record in records:
                self._file.write(f"{record.to_json()}\n".encode())
                self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise MaieuticError(
                f"cannot go on writing to {self.folder} ({error.strerror}); make room and start again: "
                "the run goes on where it stopped"
            ) from None
        self.records += records


def remove_unfinished_line(path: Path) -> None:
    """Cut a file after its last newline; a missing file stays missing."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        kept, step = end, 1 << 16
        while kept > 0:
            start = max(0, kept - step)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            if newline >= 0:
                kept = start + newline + 1
                break
            kept = start
        if kept < end:
            file.truncate(kept)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        MaieuticError: it cannot be written.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise MaieuticError(f"cannot write {path} ({error.strerror}); make room and start again") from None
