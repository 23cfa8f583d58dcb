"""The folder of a stage: ``run.json``, a line for each finished piece of work, and what comes of them.

A stage that was stopped goes on where it stopped when it is started with the same settings in that folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from maieutic.distil.triples import EXTRA
from maieutic.errors import FileFormatError, InputError
from maieutic.files.appending import LOCK, AppendedLines, locked
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import dump_json, parse_json
from maieutic.files.writing import write_whole
from maieutic.version import __version__

__all__ = ["RUN", "TRAINING", "Lines", "Progressing", "StageFolder", "Stopped", "checksum", "start_training"]

RUN = "run.json"
SETTINGS = "settings"
TRAINING = "training"  # folder of the checkpoint; it is there until the model is finished
MODEL = "model.safetensors"
PACKAGES = ("networkx", "numpy", "peft", "python-sat", "rapidfuzz", "tokenizers", "torch", "transformers")

Stopped = Callable[[], bool]  # asked between two batches
Progressing = Callable[[int, float], None]  # told (step, mean loss)

T = TypeVar("T")


class StageFolder:
    """A stage's folder while it is written; a context manager that holds its lock.

    Args:
        folder: new, empty, or of the same stage with the same settings.
        stage: its name.
        settings: what its results depend on, as JSON data.

    Raises:
        InputError: on entering: the folder has something else, another stage or other settings, cannot be
            written, or another process is writing to it. ``subject`` is the stray file, the setting, "lock"
            or the folder.
    """

    def __init__(self, folder: Path, stage: str, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.stage = stage
        self.settings = json.loads(json.dumps(dict(settings)))
        self._stack = ExitStack()

    def __enter__(self) -> StageFolder:
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder, EXTRA))
            self._check()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def lines(self, name: str, cls: type[T]) -> Lines[T]:
        """The file of that name, which has an object of a dataclass a line; it is closed with the folder."""
        return self._stack.enter_context(Lines(self.folder / name, cls))

    def write(self, name: str, text: str) -> Path:
        """Write a whole file, or nothing.

        Raises:
            MaieuticError: it cannot be written.
        """
        write_whole(self.folder / name, text)
        return self.folder / name

    def _check(self) -> None:
        path = self.folder / RUN
        if not path.exists():
            if stray := sorted({one.name for one in self.folder.iterdir()} - {LOCK, f"{RUN}.new"}):
                problem = f"{self.folder} is not empty (it has {stray[0]}); name a new folder"
                raise InputError(problem, subject=stray[0])
            self.write(RUN, self._described())
            return
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            stage, settings = stored["stage"], dict(stored[SETTINGS])
        except (OSError, ValueError, KeyError, TypeError):
            raise FileFormatError(path, None, "is not the run of a stage; name a new folder") from None
        if stage != self.stage:
            problem = f"{self.folder} is a run of {stage}, not of {self.stage}; name a new folder"
            raise InputError(problem, subject="stage")
        for name in {**self.settings, **settings}:
            old, new = settings.get(name), self.settings.get(name)
            if old != new:
                problem = f"{self.folder} was begun with {name} {_short(old)}, not {_short(new)}"
                raise InputError(f"{problem}; give the same, or name a new folder", subject=name)

    def _described(self) -> str:
        installed = {one.metadata["Name"] for one in metadata.distributions()}
        versions = {"maieutic": __version__, "python": platform.python_version()}
        versions |= {name: metadata.version(name) for name in PACKAGES if name in installed}
        machine = {"system": platform.platform(), "cores": os.cpu_count()}
        described = {"stage": self.stage, SETTINGS: self.settings, "versions": versions, "machine": machine}
        return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def checksum(texts: Iterable[str]) -> str:
    """The SHA-256 of some texts in their order, in hexadecimal digits."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def start_training(folder: Path) -> None:
    """Mark a folder as one in which a model is being trained, or in which training goes on.

    Raises:
        InputError: it has a finished model; ``subject`` is the model's file.
    """
    if (folder / MODEL).exists() and not (folder / TRAINING).exists():
        raise InputError(f"{folder} has a finished model; name a new folder", subject=MODEL)
    (folder / TRAINING).mkdir(exist_ok=True)


class Lines(Generic[T]):
    """A file with an object a line that grows; what was written before is read first.

    Raises:
        FileFormatError: a line is no such object.
    """

    def __init__(self, path: Path, cls: type[T]) -> None:
        parse: Callable[[bytes], T] = lambda line: parse_json(cls, line)  # noqa: E731
        self._file = AppendedLines(path)
        try:
            self.read = [one for _, one in read_records(path, parse)]
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Lines[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, records: list[T]) -> None:
        """Write objects, each on disk before the next.

        Raises:
            MaieuticError: the file cannot be written; earlier lines stay.
        """
        self._file.append([dump_json(one).encode() for one in records])
        self.read += records


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
