"""Jobs that need no model, for workers of Ray: instant, deadly, hanging, with a note of each process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome
from maieutic.benchmarks.runs.records import Record
from maieutic.cluster.jobs import Result, Row
from maieutic.files.json_text import parse_json


@dataclass(frozen=True)
class InstantJob:
    """Every answer is true.

    Attributes:
        folder: gets a file named after the process of each worker.
        seconds: of each row.
        deadly, hanging, bad: keys whose row kills the process, never ends, or raises.
    """

    folder: Path
    seconds: float = 0.0
    deadly: frozenset[str] = field(default=frozenset())
    hanging: frozenset[str] = field(default=frozenset())
    bad: frozenset[str] = field(default=frozenset())
    facts: str = "{}"

    def open(self) -> InstantJob:
        (self.folder / str(os.getpid())).touch()
        return self

    def judge(self, rows: Sequence[Row]) -> list[Result]:
        results = []
        for row in rows:
            time.sleep(self.seconds)
            if row.key in self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            if row.key in self.hanging:
                time.sleep(3600)
            if row.key in self.bad:
                raise ZeroDivisionError("a bad row")
            results.append(self._result(row, Outcome(True, p_true=0.75)))
        return results

    def failed(self, row: Row, problem: str) -> Result:
        return self._result(row, Outcome(None, problem=problem))

    def _result(self, row: Row, outcome: Outcome) -> Result:
        record = Record.of(parse_json(Item, row.payload), outcome)
        return Result(record.id, record.to_json().encode(), record.right)
