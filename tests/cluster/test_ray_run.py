"""What a run on Ray asks of its workers, with a pass in this process in place of Ray's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from maieutic.benchmarks.runs import ray_run
from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder, read_run
from maieutic.cluster.jobs import Job, Result, Row
from maieutic.cluster.session import Cluster
from maieutic.errors import ServerError

QUESTIONS = 6


class Here:
    """Batches that are judged in this process."""

    before: Callable[[], object] = staticmethod(lambda: None)
    after: Callable[[], object] = staticmethod(lambda: None)
    fails_at = -1

    def __init__(self, _: Any, rows: Sequence[Row], job: Job, __: Cluster, *, batch: int) -> None:
        self._rows, self._job, self._batch = rows, job, batch
        self.facts = "{}"

    def __iter__(self) -> Iterator[list[Result]]:
        for start in range(0, len(self._rows), self._batch):
            if start == self.fails_at:
                raise ServerError("the server does not answer")
            type(self).before()
            results = self._job.open().judge(self._rows[start : start + self._batch])
            type(self).after()
            yield results


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> type[Here]:
    """The class of the batches of a test."""

    class Mine(Here):
        pass

    monkeypatch.setattr(ray_run, "Batches", Mine)
    monkeypatch.setattr(ray_run, "connected", lambda _: nullcontext())
    return Mine


@pytest.fixture
def loaded(tmp_path: Path) -> Benchmark:
    """Statements from a file."""
    data = tmp_path / "driver" / "statements.jsonl"
    data.parent.mkdir()
    lines = [json.dumps({"statement": f"Penguin {n} can fly.", "answer": False}) for n in range(QUESTIONS)]
    data.write_text("\n".join(lines) + "\n")
    config = RunConfig("file", "direct", data=str(data), batch=2)
    return Benchmark.load(config.complete())


def run(loaded: Benchmark, out: Path) -> list[str]:
    """The ids of the records after a run."""
    with RunFolder(out, loaded.config) as folder:
        for _ in ray_run.run_on(loaded, folder, Cluster()):
            pass
    return [record.id for record in read_run(out).records]


def test_workers_need_neither_the_folder_nor_the_data(
    here: type[Here], loaded: Benchmark, tmp_path: Path
) -> None:
    driver, elsewhere = tmp_path / "driver", tmp_path / "elsewhere"
    here.before = staticmethod(lambda: driver.rename(elsewhere))
    here.after = staticmethod(lambda: elsewhere.rename(driver))
    assert run(loaded, driver / "run") == [item.id for item in loaded.items]


def test_what_was_finished_before_a_server_failed_is_kept(
    here: type[Here], loaded: Benchmark, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    here.fails_at = 4
    with pytest.raises(ServerError):
        run(loaded, out)
    assert [record.id for record in read_run(out).records] == [item.id for item in loaded.items[:4]]
    here.fails_at = -1
    assert sorted(run(loaded, out)) == sorted(item.id for item in loaded.items)
