"""What a worker does with a batch, and what a pool of workers that die does with all of them, without Ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maieutic.cluster import worker as worker_module
from maieutic.cluster.jobs import Result, Row
from maieutic.cluster.ledger import MOST_DEATHS, MOST_OPENINGS, Ledger
from maieutic.cluster.session import Cluster
from maieutic.cluster.versions import check_versions, versions
from maieutic.cluster.worker import Worker, error_of
from maieutic.errors import InputError, MaieuticError, ServerError


class Killed(BaseException):
    """Stands for the end of the process."""


@dataclass
class Scripted:
    """A job and its judge: some keys kill the process, some raise an error."""

    deadly: frozenset[str] = frozenset()
    bad: frozenset[str] = frozenset()
    failing: bool = False
    facts: str = "{}"
    judged: list[list[str]] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)

    def open(self) -> Scripted:
        return self

    def judge(self, rows: Sequence[Row]) -> list[Result]:
        keys = [row.key for row in rows]
        self.judged.append(keys)
        if self.failing:
            raise ServerError("down")
        if found := self.deadly & set(keys):
            for key in found:
                self.kills[key] = self.kills.get(key, 0) + 1
            raise Killed
        if self.bad & set(keys):
            raise ZeroDivisionError("bad")
        return [Result(key, b"judged") for key in keys]

    def failed(self, row: Row, problem: str) -> Result:
        return Result(row.key, f"failed: {problem}".encode())


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    class Direct:
        def __init__(self, ledger: Ledger) -> None:
            self.ledger = ledger

        def ask(self, method: str, *arguments: Any) -> Any:
            return getattr(self.ledger, method)(*arguments)

        tell = ask

    monkeypatch.setattr(worker_module, "_Remote", Direct)


def pool(job: Scripted, rows: Sequence[Row], batch: int) -> list[Result]:
    """All results, with a new worker for the same batch after each death, as Ray does it."""
    ledger, results = Ledger(), []
    worker = Worker(job, ledger, versions(), 60.0)
    for start in range(0, len(rows), batch):
        while True:
            try:
                results += worker._results(rows[start : start + batch])
                break
            except Killed:
                worker = Worker(job, ledger, versions(), 60.0)
    return results


ROWS = [Row(str(number), b"") for number in range(12)]
some_keys = st.frozensets(st.sampled_from([row.key for row in ROWS]), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_keys, some_keys, st.integers(1, 12))
def test_each_row_has_one_result_and_only_deadly_and_bad_ones_fail(
    deadly: frozenset[str], bad: frozenset[str], batch: int
) -> None:
    job = Scripted(deadly, bad)
    results = pool(job, ROWS, batch)
    assert [result.key for result in results] == [row.key for row in ROWS]
    for result in results:
        failed = result.line != b"judged"
        assert failed == (result.key in deadly | bad)
    assert all(count <= MOST_DEATHS for count in job.kills.values())


def test_a_deadly_row_ends_three_workers() -> None:
    job = Scripted(frozenset({"5"}))
    results = pool(job, ROWS, 4)
    assert job.kills == {"5": MOST_DEATHS}
    assert b"3 workers" in results[5].line
    assert job.judged[0] == ["0", "1", "2", "3"]


def test_a_failing_server_ends_the_run_and_blames_no_row() -> None:
    ledger = Ledger()
    worker = Worker(Scripted(failing=True), ledger, versions(), 60.0)
    with pytest.raises(ServerError):
        worker._results(ROWS[:3])
    assert not any(ledger.deaths([row.key for row in ROWS]))


def test_other_versions_and_models_that_kill_every_worker_are_errors_of_the_run() -> None:
    ledger = Ledger()
    other = versions() | {"torch": "0.1"}
    assert isinstance(Worker(Scripted(), ledger, other, 60.0)._error, InputError)
    for _ in range(MOST_OPENINGS):
        ledger.opening()
    assert Worker(Scripted(), ledger, versions(), 60.0)._error is not None
    ledger.opened("{}")
    assert Worker(Scripted(), ledger, versions(), 60.0)._error is None


def test_versions_that_differ_are_named() -> None:
    check_versions({"a": "1"}, {"a": "1", "b": "2"}, "node")
    with pytest.raises(InputError) as error:
        check_versions({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "node")
    assert error.value.subject == "b"


@pytest.mark.parametrize("kind", [InputError, ServerError, MaieuticError])
def test_an_error_travels_as_a_row(kind: type[MaieuticError]) -> None:
    sent = worker_module._error_json(kind("what and why", subject="x"), "node")
    received = error_of(sent)
    assert type(received) is kind
    assert received.subject == "x"
    assert "what and why" in str(received)


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "http://x"},
        {"workers": 0},
        {"gpus": -1.0},
        {"limit": 0.0},
        {"limit": float("nan")},
    ],
)
def test_a_bad_cluster_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        Cluster(**fields)
    assert error.value.subject == next(iter(fields))
