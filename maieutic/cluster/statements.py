"""One call for pipelines: a Ray Dataset, or any iterable, of statements in, a Ray Dataset of answers out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maieutic.cluster.jobs import Result, Row
from maieutic.cluster.mapping import dataset_of, new_ledger, worked
from maieutic.cluster.session import LOCAL, Cluster, check_room, connect, ray_library
from maieutic.cluster.versions import versions
from maieutic.cluster.worker import error_of
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.pipeline import Maieutic

__all__ = ["TASKS", "answer_dataset"]

BATCH = 16  # rows that are judged together
TASKS = ("ask", "choose", "check")


def _load() -> Maieutic:
    from maieutic.pipeline import Maieutic  # noqa: PLC0415 - loads the models' libraries

    return Maieutic.load()


def answer_dataset(
    source: Any,
    *,
    task: str = "ask",
    load: Callable[[], Maieutic] = _load,
    cluster: Cluster = Cluster(LOCAL),  # noqa: B008 - frozen
    batch: int = BATCH,
) -> Any:
    """Answer the rows of a dataset with a pool of workers, each with one :class:`maieutic.Maieutic`.

    A row that cannot be judged, or that ends three workers, has its ``problem`` in place of a result.

    Args:
        source: a Ray Dataset whose columns are those below, or an iterable of such dicts; of texts for "ask".
        task: "ask" (column ``statement``), "choose" (``question``, ``options``) or "check" (``statements``, a
            list of texts).
        load: makes the ``Maieutic`` in each worker, ``partial(Maieutic.load, lm, nli)`` for example.
        cluster: the workers. A connection to Ray that exists is used; else one is made, and stays.
        batch: rows that are judged together, ≥ 1.

    Returns:
        a lazy ``ray.data.Dataset``, in any order. Its rows have ``input`` (the row as JSON), ``result`` (JSON
        as ``--json`` of the command prints it, "" without one), ``problem`` ("" without one) and, for "ask",
        ``answer`` and ``p_true``; for "choose" ``choice`` and ``p``; for "check" ``hangs_together``; None
        where there is no result. While it is read it raises what ends a run: models that a worker cannot
        open, a server that fails.

    Raises:
        InputError: Ray is not installed, the cluster cannot be used, or an argument is invalid.
    """
    if task not in TASKS:
        raise InputError(f"task must be {', '.join(TASKS)}, not {task!r}", subject="task")
    if batch < 1:
        raise InputError(f"batch must be ≥ 1, not {batch}", subject="batch")
    if cluster.remote:
        problem = "Ray Data does not run through ray://; submit the program to the cluster, with auto"
        raise InputError(problem, subject="address")
    ray = ray_library()
    connect(ray, cluster)
    check_room(ray, cluster)
    if isinstance(source, ray.data.Dataset):
        rows = source.map_batches(_Rows(task), batch_format="numpy")
        rows = rows.repartition(target_num_rows_per_block=batch)
    else:
        rows = dataset_of(list(_rows(source, task)), batch)
    arguments = (StatementJob(task, load), new_ledger(ray), versions(), cluster.limit, batch)
    return worked(rows, arguments, cluster).map_batches(_Unpacked(task), batch_format="pyarrow")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Writes the rows of a dataset as keys and payloads."""

    task: str

    def __call__(self, columns: dict[str, Any]) -> dict[str, Any]:
        names = list(columns)
        values = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        rows = list(_rows(values, self.task))
        return {"key": [row.key for row in rows], "payload": [row.payload for row in rows]}


def _rows(source: Iterable[Any], task: str) -> Iterable[Row]:
    for item in source:
        fields = {"statement": item} if isinstance(item, str) and task == "ask" else item
        payload = json.dumps(fields, default=_plain).encode()
        yield Row(hashlib.blake2b(payload, digest_size=16).hexdigest(), payload)


def _plain(value: Any) -> Any:
    """Arrays and numbers of NumPy as JSON; anything else as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


@dataclass(frozen=True, slots=True)
class StatementJob:
    """Judges statements, questions with options, or texts."""

    task: str
    load: Callable[[], Maieutic]

    def open(self) -> StatementJudge:
        """Open the models."""
        return StatementJudge(self.task, self.load())

    def failed(self, row: Row, problem: str) -> Result:
        """A row without a result."""
        return _result(row, problem=problem)


@dataclass(frozen=True, slots=True)
class StatementJudge:
    """One ``Maieutic``."""

    task: str
    maieutic: Maieutic
    facts: str = field(default="{}")

    def judge(self, rows: Sequence[Row]) -> list[Result]:
        """The results of rows; a row that cannot be used has the reason in place of one."""
        from maieutic.pipeline import Unanswered  # noqa: PLC0415

        if self.task != "ask":
            return list(map(self._problem, rows))
        texts = [json.loads(row.payload).get("statement") for row in rows]
        results = []
        answers = self.maieutic.ask_many(texts, len(rows), on_error="yield")
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, Unanswered):
                results.append(_result(row, problem=str(answer.error)))
            else:
                shown = {"answer": None if answer.unsure else answer.answer, "p_true": answer.p_true}
                results.append(_result(row, answer.to_json(), shown=shown))
        return results

    def _problem(self, row: Row) -> Result:
        """The result of a row of several claims."""
        from maieutic.files.json_text import dump_json  # noqa: PLC0415
        from maieutic.render.check import check_data  # noqa: PLC0415
        from maieutic.render.choice import choice_data  # noqa: PLC0415

        fields = json.loads(row.payload)
        try:
            if self.task == "choose":
                choice = self.maieutic.choose(fields["question"], fields["options"])
                shown = {"choice": choice.chosen.text, "p": choice.chosen.p}
                return _result(row, dump_json(choice_data(choice)), shown=shown)
            check = self.maieutic.check(fields["statements"])
            return _result(row, dump_json(check_data(check)), shown={"hangs_together": check.hangs_together})
        except KeyError as error:
            return _result(row, problem=f"the column {error} is missing")
        except InputError as error:
            return _result(row, problem=str(error))


def _result(
    row: Row, result: str = "", problem: str = "", shown: Mapping[str, object] | None = None
) -> Result:
    fields = {"input": row.payload.decode(), "result": result, "problem": problem, **(shown or {})}
    return Result(row.key, json.dumps(fields).encode())


_COLUMNS = {
    "ask": {"answer": "bool_", "p_true": "float64"},
    "choose": {"choice": "string", "p": "float64"},
    "check": {"hangs_together": "bool_"},
}


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """Reads the columns of results from their JSON."""

    task: str

    def __call__(self, table: Any) -> dict[str, Any]:
        """The columns.

        Raises:
            MaieuticError: a worker could not go on.
        """
        import pyarrow as pa  # noqa: PLC0415 - comes with Ray Data

        for text in table.column("error").to_pylist():
            if text:
                raise error_of(text)
        rows = [json.loads(line) for line in table.column("line").to_pylist()]
        kinds = {"input": pa.string(), "result": pa.string(), "problem": pa.string()} | {
            name: getattr(pa, kind)() for name, kind in _COLUMNS[self.task].items()
        }
        return {name: pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()}
