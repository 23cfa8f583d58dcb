"""A run of 60 questions that kills itself after some bytes of records: FOLDER [BYTES]. Not a test itself."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import IO, Any

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome
from maieutic.benchmarks.runs import folder as run_folder
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.runner import run, unanswered


class Deadly:
    """A file that lets a number of bytes through, and then the process is no more."""

    def __init__(self, file: IO[bytes], budget: int) -> None:
        self._file = file
        self._budget = budget

    def write(self, data: bytes) -> None:
        self._file.write(data[: self._budget])
        self._budget -= len(data)
        if self._budget <= 0:
            self._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Instant:
    """Says true."""

    uses_verifier = False

    def run(self, texts: list[str], models: object) -> list[Outcome]:
        return [Outcome(True, p_true=0.75) for _ in texts]


def main(folder: Path, budget: str) -> None:
    items = [Item(f"q{n}", f"Text {n}.", n % 2 == 0) for n in range(60)]
    config = RunConfig("agora", "direct").complete()
    with run_folder.RunFolder(folder, config) as out:
        if budget:
            assert out._file is not None
            out._file._file = Deadly(out._file._file, int(budget))  # type: ignore[assignment]
        for records in run(unanswered(items, out.answered), Instant(), None, 7):  # type: ignore[arg-type]
            out.write(records)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
