"""Runs and datasets on real Ray on this machine, with real processes that are killed.

Skipped without the extra ``ray``; slow, since every worker is a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder, read_run
from maieutic.benchmarks.runs.ray_run import run_on
from maieutic.benchmarks.runs.records import Record
from maieutic.cluster import answer_dataset, session
from maieutic.cluster.jobs import Row
from maieutic.cluster.mapping import Batches
from maieutic.cluster.session import Cluster, check_room, connected
from maieutic.cluster.versions import versions
from maieutic.errors import InputError
from tests.cluster import ray_jobs
from tests.cluster.ray_jobs import InstantJob

pytest.importorskip("ray", reason="ray is not installed; pip install -e '.[ray]'")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of Ray, about itself
    pytest.mark.timeout(1800),
]

TWO = Cluster("local", workers=2)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """One connection for all tests of this file."""
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(ray_jobs)
    with connected(TWO) as ray:
        yield ray


def benchmark(questions: int, batch: int = 8) -> Benchmark:
    config = replace(RunConfig("agora", "direct", limit=questions).complete(), batch=batch)
    loaded = Benchmark.load(config)
    return replace(loaded, items=loaded.items[:questions])


def answered(bench: Benchmark, out: Path, job: InstantJob, cluster: Cluster = TWO) -> dict[str, Record]:
    """The records by id of a run that is made to its end; each id occurs once."""
    with RunFolder(out, bench.config) as folder:
        for _ in run_on(bench, folder, cluster, job=job):
            pass
    records = read_run(out).records
    found = {record.id: record for record in records}
    assert len(found) == len(records)
    assert found.keys() == {item.id for item in bench.items}
    return found


def test_twenty_kills_at_random_moments_lose_nothing(ray: Any, tmp_path: Path) -> None:
    pids, rng, killed = tmp_path / "pids", random.Random(1), set[str]()
    pids.mkdir()
    over = threading.Event()

    def kill() -> None:
        while len(killed) < 20 and not over.is_set():
            time.sleep(rng.uniform(0.0, 3.0))
            living = {path.name for path in pids.iterdir()} - killed
            if living:
                victim = rng.choice(sorted(living))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(victim), signal.SIGKILL)
                killed.add(victim)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        found = answered(benchmark(500, batch=4), tmp_path / "run", InstantJob(pids, seconds=0.15))
    finally:
        over.set()
        killer.join()
    assert len(killed) == 20
    assert len(found) == 500
    assert sum(record.answer is None for record in found.values()) <= 2  # unlucky three times


def test_deadly_hanging_and_bad_rows_are_unscored_and_the_others_answered(ray: Any, tmp_path: Path) -> None:
    bench = benchmark(24)
    deadly, hanging, bad = (frozenset({bench.items[place].id}) for place in (3, 11, 20))
    job = InstantJob(tmp_path, deadly=deadly, hanging=hanging, bad=bad)
    found = answered(bench, tmp_path / "run", job, replace(TWO, limit=2.0))
    for key, record in found.items():
        assert (record.answer is None) == (key in deadly | hanging | bad)
    assert all("3 workers" in str(found[key].problem) for key in deadly | hanging)
    assert all("a bad row" in str(found[key].problem) for key in bad)


def test_versions_that_differ_end_the_run_with_one_error(ray: Any, tmp_path: Path) -> None:
    rows = [Row(item.id, b"{}") for item in benchmark(4).items]
    other = versions() | {"torch": "0.1"}
    with pytest.raises(InputError) as error:
        list(Batches(ray, rows, InstantJob(tmp_path), TWO, batch=2, expected=other))
    assert error.value.subject == "torch"


def test_more_workers_or_gpus_than_there_are_are_refused(ray: Any) -> None:
    with pytest.raises(InputError) as error:
        check_room(ray, Cluster("local", workers=1, gpus=1.0))
    assert error.value.subject == "gpus"
    with pytest.raises(InputError) as error:
        check_room(ray, Cluster("auto", workers=10_000))
    assert error.value.subject == "workers"


def test_answers_are_those_of_a_run_in_this_process(
    ray: Any, tmp_path: Path, run: Callable[..., Any]
) -> None:
    arguments = ("bench", "run", "agora", "--limit", "24", "--seed", "3")
    local = run(*arguments, "--no-cache", "--out", tmp_path / "local")
    on_ray = run(*arguments, "--ray", "local", "--workers", "2", "--out", tmp_path / "ray")
    assert local.returncode == on_ray.returncode == 0
    ours, theirs = ({r.id: _timeless(r) for r in read_run(tmp_path / n).records} for n in ("local", "ray"))
    assert ours == theirs
    again = run(*arguments, "--ray", "local", "--workers", "2", "--out", tmp_path / "ray")
    assert again.returncode == 0
    assert len(read_run(tmp_path / "ray").records) == len(theirs)


def _timeless(record: Record) -> Record:
    reasoning = record.reasoning
    if reasoning is not None:
        reasoning = replace(
            reasoning, seconds=replace(reasoning.seconds, elicit=0, relate=0, solve=0, shared=1)
        )
    return replace(record, seconds=0.0, reasoning=reasoning, requests=0, cached=0)


def test_a_dataset_of_statements_becomes_one_of_answers(ray: Any) -> None:
    from maieutic import Maieutic

    texts = ["A penguin can fly.", "", "A pillow is soft."]
    here = {text: Maieutic.load().ask(text) for text in texts if text}
    source = ray.data.from_items([{"statement": text} for text in texts])
    for given in (source, texts):
        rows = answer_dataset(given, cluster=TWO, batch=2).take_all()
        assert len(rows) == 3
        for row in rows:
            text = json.loads(row["input"])["statement"]
            assert bool(row["problem"]) == (not text)
            if text:
                assert row["p_true"] == pytest.approx(here[text].p_true, abs=1e-9)


def test_choices_and_checks_are_rows_too(ray: Any) -> None:
    questions = [{"question": "What is a spoon made of?", "options": ["steel", "wool"]}, {"question": "x"}]
    rows = answer_dataset(questions, task="choose", cluster=TWO).take_all()
    assert {bool(row["problem"]) for row in rows} == {True, False}
    assert {row["choice"] for row in rows} == {None, "steel"}
    (row,) = answer_dataset([{"statements": ["A pillow is soft."]}], task="check", cluster=TWO).take_all()
    assert row["hangs_together"]


DRIVER = """
import sys
from pathlib import Path
from tests.cluster.test_ray import benchmark, run_on, RunFolder, TWO, InstantJob
bench = benchmark(60, batch=2)
with RunFolder(Path(sys.argv[1]), bench.config) as folder:
    for _ in run_on(bench, folder, TWO, job=InstantJob(Path(sys.argv[2]), seconds=0.3)):
        print("batch", flush=True)
"""


def test_a_run_whose_driver_is_killed_goes_on(ray: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "ignore", "-c", DRIVER, str(out), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=root, text=True) as driver:
        assert driver.stdout is not None
        for _ in range(3):
            while driver.stdout.readline().strip() != "batch":
                assert driver.poll() is None
        driver.kill()
    before = len((out / "records.jsonl").read_bytes().splitlines())
    assert 6 <= before < 60
    assert len(answered(benchmark(60, batch=2), out, InstantJob(tmp_path))) == 60


def test_an_address_at_which_nothing_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "CONNECT_SECONDS", 1.0)
    with pytest.raises(InputError) as error:
        session._check_answers("ray://127.0.0.1:9")
    assert error.value.subject == "ray://127.0.0.1:9"
