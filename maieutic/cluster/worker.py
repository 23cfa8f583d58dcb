"""A worker of the pool: one process, its models opened once, that judges batches.

Failures, from mild to severe:

- A batch that fails is judged row by row. A row that fails alone is recorded as failed, with the reason.
- A worker that is killed, or takes longer than the limit for a batch, is started again by Ray and gets the
  same batch, whose rows it then judges one at a time. A row that ended three workers is recorded as failed.
- Models that cannot be opened, a model's server that fails, and versions that differ end the run with one
  error, which travels to the driver as a row, since Ray would wrap an exception in its own.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import platform
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maieutic import errors
from maieutic.cluster.jobs import Job, Judge, Result, Row
from maieutic.cluster.ledger import MOST_DEATHS, MOST_OPENINGS
from maieutic.cluster.versions import check_versions, versions
from maieutic.errors import MaieuticError, ServerError

__all__ = ["Worker", "error_of", "rows_of", "table_of"]

_log = logging.getLogger(__name__)


class Worker:
    """The callable class that Ray Data's ``map_batches`` runs.

    Args:
        job: what to do.
        ledger: the handle of the actor that holds the :class:`maieutic.cluster.ledger.Ledger`.
        expected: the driver's versions.
        limit: seconds that a batch may take, and then each row alone; after it the process ends.
        batch: rows that are judged together; 0 for all of a table.
    """

    def __init__(
        self, job: Job, ledger: Any, expected: Mapping[str, str], limit: float, batch: int = 0
    ) -> None:
        self._job, self._ledger, self._limit, self._batch = job, _Remote(ledger), limit, batch
        self._judge: Judge | None = None
        self._error: MaieuticError | None = None
        try:
            check_versions(expected, versions(), platform.node())
            if self._ledger.ask("opening") >= MOST_OPENINGS:
                problem = f"{MOST_OPENINGS} workers in a row died while they opened the models"
                raise MaieuticError(f"{problem}; give them more memory, or use fewer", subject="workers")
            self._judge = job.open()
        except MaieuticError as error:
            self._error = error
        else:
            self._ledger.tell("opened", self._judge.facts)

    def __call__(self, table: Any) -> Iterator[dict[str, Any]]:
        """The results of an Arrow table of rows, a table for each batch."""
        rows = rows_of(table)
        size = self._batch or max(1, len(rows))
        try:
            if self._error is not None:
                raise self._error
            for start in range(0, len(rows), size):
                yield table_of(self._results(rows[start : start + size]))
        except MaieuticError as error:
            yield table_of([], error, platform.node())

    def _results(self, rows: Sequence[Row]) -> list[Result]:
        """The results; rows of which one may have ended a worker are judged alone."""
        keys = [row.key for row in rows]
        if self._ledger.ask("begin_together", keys):  # else a worker died of one of them
            results = self._attempt(rows)
            self._ledger.tell("end", keys)
            if results is not None:
                return results
        results = [self._alone(row) for row in rows]
        self._ledger.tell("end", keys)
        return results

    def _alone(self, row: Row) -> Result:
        """The result of a row; one that a worker before finished is not made again."""
        kept: Result | None = self._ledger.ask("result", row.key)
        if kept is not None:
            return kept
        (deaths,) = self._ledger.ask("begin", [row.key])
        if deaths >= MOST_DEATHS:
            problem = f"it ended {MOST_DEATHS} workers, killed or longer than {self._limit:g} s at work"
            result = self._job.failed(row, problem)
        else:
            (result,) = self._attempt([row]) or [self._job.failed(row, self._problem)]
        self._ledger.tell("finished", row.key, result)
        return result

    def _attempt(self, rows: Sequence[Row]) -> list[Result] | None:
        """The results, None if the rows cannot be judged together; ``_problem`` then says why.

        Raises:
            ServerError: a model's server failed.
        """
        assert self._judge is not None
        try:
            with _limited(self._limit):
                return self._judge.judge(rows)
        except ServerError:
            self._ledger.tell("end", [row.key for row in rows])
            raise
        except MaieuticError as error:
            self._problem = str(error)
        except Exception as error:
            _log.warning("%s", traceback.format_exc())
            self._problem = f"{type(error).__name__}: {error}"
        return None


class _Remote:
    """Calls of an actor."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call and wait for the result."""
        import ray  # noqa: PLC0415 - an extra dependency

        return ray.get(getattr(self._handle, method).remote(*arguments))

    def tell(self, method: str, *arguments: Any) -> None:
        """Call without waiting; calls of one process arrive in their order."""
        getattr(self._handle, method).remote(*arguments)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer, even if it holds the interpreter's lock."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


# -- rows and results as tables ------------------------------------------------------------------------


def rows_of(table: Any) -> list[Row]:
    """The rows of an Arrow table with the columns key and payload."""
    pairs = zip(table.column("key").to_pylist(), table.column("payload").to_pylist(), strict=True)
    return [Row(key, payload) for key, payload in pairs]


def table_of(results: Sequence[Result], error: MaieuticError | None = None, node: str = "") -> dict[str, Any]:
    """Results as the columns key, line, right and error; an error is a row of its own."""
    import pyarrow as pa  # noqa: PLC0415 - comes with Ray Data

    failures = [] if error is None else [_error_json(error, node)]
    keys = [result.key for result in results] + [""] * len(failures)
    lines = [result.line for result in results] + [b""] * len(failures)
    right = [result.right for result in results] + [False] * len(failures)
    return {
        "key": pa.array(keys, pa.string()),
        "line": pa.array(lines, pa.binary()),
        "right": pa.array(right, pa.bool_()),
        "error": pa.array([""] * len(results) + failures, pa.string()),
    }


_KINDS = ("ServerError", "InputError", "MaieuticError")


def _error_json(error: MaieuticError, node: str) -> str:
    kind = next(c.__name__ for c in type(error).__mro__ if c.__name__ in _KINDS)
    return json.dumps({"kind": kind, "problem": str(error), "subject": error.subject, "node": node})


def error_of(text: str) -> MaieuticError:
    """The error of a row, as an InputError, a ServerError or a MaieuticError that names the machine."""
    fields = json.loads(text)
    kind: type[MaieuticError] = getattr(errors, fields["kind"])
    return kind(f"a worker on {fields['node']}: {fields['problem']}", subject=fields["subject"])
