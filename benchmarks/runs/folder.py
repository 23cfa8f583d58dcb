"""The folder of a run: ``run.toml``, ``run.json`` and ``records.jsonl``, one line per question.

Each line is written and flushed when its question is answered. A killed process leaves at most one
unfinished line at the end. The next start removes it, so no question is lost, repeated or half-written.
A lock keeps other processes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from maieutic.benchmarks.runs.config import RunConfig, read_config
from maieutic.benchmarks.runs.records import Record
from maieutic.bundled import AGORA
from maieutic.errors import FileFormatError, InputError
from maieutic.files.appending import LOCK, AppendedLines, locked
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import parse_json
from maieutic.files.writing import write_whole
from maieutic.tree import Tree

__all__ = [
    "CONFIG",
    "PROVENANCE",
    "RECORDS",
    "Run",
    "RunFolder",
    "Written",
    "check_no_repeats",
    "read_run",
    "run_name",
]

CONFIG, PROVENANCE, RECORDS = "run.toml", "run.json", "records.jsonl"


@dataclass(frozen=True)
class Run:
    """A run as stored on disk, finished or not.

    Attributes:
        name: the method and the settings that differ from its defaults, for tables.
    """

    name: str
    folder: Path
    config: RunConfig
    records: tuple[Record, ...]

    @property
    def trees(self) -> list[Tree]:
        """The trees of its answers, each with the gold answer of its question."""
        return [replace(r.reasoning.tree, answer=r.gold) for r in self.records if r.reasoning is not None]


def run_name(config: RunConfig) -> str:
    """The method and its settings that differ from the defaults.

    >>> run_name(RunConfig("agora", "self-consistency", {"samples": 5}).complete())
    'self-consistency (samples 5)'
    >>> run_name(RunConfig("agora", "maieutic", {"prune": True, "inference.merge": True}).complete())
    'maieutic (inference.merge, prune)'
    """
    usual = replace(config, settings={}, nli=config.nli or AGORA).complete().settings  # any verifier will do
    changed = {
        name: value
        for name, value in config.settings.items()
        if usual.get(name) != value and (name, value) != ("weights", "")
    }
    texts = [_shown(name, value) for name, value in changed.items()]
    return config.method + (f" ({', '.join(texts)})" if texts else "")


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {','.join(map(str, value)) if isinstance(value, list | tuple) else value}"


def read_run(folder: Path, parse: Callable[[bytes], Record] = Record.from_json) -> Run:
    """Read a run's configuration and records.

    Args:
        parse: makes a record of a line.

    Raises:
        FileFormatError: a file is missing or damaged; the message names it and the line.
    """
    config = read_config(folder / CONFIG)
    records = tuple(record for _, record in read_records(folder / RECORDS, parse))
    check_no_repeats(folder, (record.id for record in records))
    return Run(run_name(config), folder, config, records)


def check_no_repeats(folder: Path, ids: Iterable[str]) -> set[str]:
    """The ids of a run's records, each of which must occur once.

    Raises:
        FileFormatError: one occurs twice.
    """
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise FileFormatError(folder / RECORDS, None, f"question {one!r} occurs twice; remove one line")
        seen.add(one)
    return seen


@dataclass(frozen=True, slots=True)
class Written:
    """A record on disk, of which the run keeps no more in memory.

    Attributes:
        right: whether the answer is correct.
    """

    id: str
    right: bool


class RunFolder:
    """A run's folder while it is written; a context manager that holds its lock.

    Args:
        folder: new, empty, of the same run, or of one with a lower limit, which is raised.

    Attributes:
        answered: ids of the questions with a record; ``right`` of them are answered correctly.

    Raises:
        InputError: on entering: the folder cannot be written, contains something else or another run, or
            another process is writing to it. ``subject`` is the folder, the stray file, the field of the
            configuration that differs, or "lock".
    """

    def __init__(self, folder: Path, config: RunConfig) -> None:
        self.folder = folder
        self.config = config
        self.answered: set[str] = set()
        self.right = 0
        self._file: AppendedLines | None = None

    def __enter__(self) -> RunFolder:
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder, "bench"))
            self._file = stack.enter_context(self._opened())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _opened(self) -> AppendedLines:
        if (self.folder / CONFIG).exists():
            self._check_same()
        elif stray := sorted({p.name for p in self.folder.iterdir()} - {LOCK, f"{CONFIG}.new"}):
            raise InputError(
                f"{self.folder} contains {stray[0]} and is not a run; name a new folder, or a run's",
                subject=stray[0],
            )
        else:
            write_whole(self.folder / CONFIG, self.config.to_toml())
        file = AppendedLines(self.folder / RECORDS)
        try:
            known = (record for _, record in read_records(file.path, _Known.from_json))
            self.answered = check_no_repeats(self.folder, map(self._counted, known))
        except BaseException:
            file.close()
            raise
        return file

    def _counted(self, known: _Known) -> str:
        self.right += known.right
        return known.id

    def _check_same(self) -> None:
        stored = read_config(self.folder / CONFIG)
        if self.config.extends(stored):
            write_whole(self.folder / CONFIG, self.config.to_toml())
            return
        if differences := self.config.differences(stored):
            raise InputError(
                f"{self.folder} contains another run ({'; '.join(differences)}); name another folder, "
                f"or repeat that run with maieutic bench run --config {self.folder / CONFIG}",
                subject=differences[0].partition(":")[0],
            )

    def write_provenance(self, text: str) -> None:
        """Write ``run.json``; of one that exists, only what a higher limit changes."""
        path = self.folder / PROVENANCE
        if path.exists():
            try:
                stored, now = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
                changed = stored | {name: now[name] for name in ("configuration", "data")}
            except (ValueError, TypeError, KeyError):
                return  # what is damaged stays, and the report says so
            text = json.dumps(changed, indent=2, ensure_ascii=False) + "\n"
        write_whole(path, text)

    def write(self, records: Sequence[Record]) -> list[Written]:
        """Append records, each on disk before the next.

        Raises:
            MaieuticError: the file cannot be written, on a full disk for instance; earlier records stay.
        """
        written = [Written(record.id, record.right) for record in records]
        self.append(written, [record.to_json().encode() for record in records])
        return written

    def append(self, written: Sequence[Written], lines: Sequence[bytes], *, sync: bool = True) -> None:
        """Append records that are lines of JSON already.

        Args:
            lines: one for each of ``written``, without the newline.
            sync: whether they must also survive a crash of the machine.

        Raises:
            MaieuticError: as :meth:`write`.
        """
        assert self._file is not None
        self._file.append(lines, sync=sync)
        self.answered.update(one.id for one in written)
        self.right += sum(one.right for one in written)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a run that goes on needs of its earlier records."""

    id: str
    gold: bool | None
    answer: bool | None

    @property
    def right(self) -> bool:
        return self.answer is not None and self.answer == self.gold

    @classmethod
    def from_json(cls, text: bytes) -> _Known:
        return parse_json(cls, text)
