"""A benchmark run by workers of Ray: the same folder, records and resumption as a run in this process.

The driver reads the data, hands out questions and is the only one that writes. Workers need the models' files
and the file of weights, if there is one, but neither the data nor the run's folder. The response cache is
off: it is a file of one machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.methods.base import Method, Outcome
from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.examples import example_prompts
from maieutic.benchmarks.runs.folder import RunFolder, Written
from maieutic.benchmarks.runs.models import device_of, models_of, server_of
from maieutic.benchmarks.runs.provenance import check_unchanged, provenance
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import Stopped, judged, unanswered
from maieutic.cluster.jobs import Job, Result, Row
from maieutic.cluster.mapping import Batches
from maieutic.cluster.session import Cluster, connected
from maieutic.files.json_text import dump_json, parse_json
from maieutic.models import LoadedModels

__all__ = ["BenchJob", "run_on"]

SYNC_SECONDS = 1.0  # between two times that records are made to survive a crash of the machine


@dataclass(frozen=True)
class BenchJob:
    """Judges items by the method of a run.

    Attributes:
        example: a text of the data, to show each kind of prompt.
    """

    config: RunConfig
    example: str
    download: bool = False

    def open(self) -> BenchJudge:
        """Open the models of the run; see :meth:`Job.open`."""
        method = build_method(self.config.method, self.config.settings, self.config.seed)
        models = models_of(self.config, download=self.download)
        kinds = () if self.config.weighs_trees else method.prompt_kinds
        facts = {
            "device": device_of(models),
            "server": server_of(models),
            "prompts": dict(example_prompts(models.prompts, kinds, self.example)),
        }
        return BenchJudge(method, models, self.config.belief_source, json.dumps(facts))

    def failed(self, row: Row, problem: str) -> Result:
        """An unscored record."""
        record = Record.of(_item(row), Outcome(None, problem=problem))
        return _result(replace(record, belief_source=self.config.belief_source))


@dataclass(frozen=True)
class BenchJudge:
    """The models of a run, opened."""

    method: Method
    models: LoadedModels
    belief_source: str | None
    facts: str

    def judge(self, rows: Sequence[Row]) -> list[Result]:
        """The records of items that are judged together."""
        items = [_item(row) for row in rows]
        outcomes = judged(items, self.method, self.models)
        return [
            _result(replace(Record.of(item, outcome), belief_source=self.belief_source))
            for item, outcome in zip(items, outcomes, strict=True)
        ]


def _item(row: Row) -> Item:
    return parse_json(Item, row.payload)


def _result(record: Record) -> Result:
    return Result(record.id, record.to_json().encode(), record.right)


def run_on(
    benchmark: Benchmark,
    folder: RunFolder,
    cluster: Cluster,
    *,
    download: bool = False,
    stopped: Stopped = lambda: False,
    job: Job | None = None,
) -> Iterator[list[Written]]:
    """Answer the questions that have no record, on a cluster; see :meth:`Benchmark.run`.

    Args:
        job: another one than the configuration's, for tests and measurements.

    Raises:
        InputError: Ray is not installed, the cluster cannot be used, or a worker cannot open a model or has
            other versions.
        ServerError: a model's server failed.
        MaieuticError: the workers die while they start, or the folder can no longer be written.
    """
    if folder.answered:
        check_unchanged(folder.folder, benchmark.config, benchmark.loaded)
    open_items = unanswered(benchmark.items, folder.answered)
    if not open_items:
        return
    rows = [Row(item.id, dump_json(item).encode()) for item in open_items]
    chosen = job or BenchJob(benchmark.config, open_items[0].text, download)
    with connected(cluster) as ray:
        batches = Batches(ray, rows, chosen, cluster, batch=benchmark.config.batch)
        described, synced = False, time.monotonic()
        for results in batches:
            if not described:
                folder.write_provenance(_described(benchmark, json.loads(batches.facts or "{}"), cluster))
                described = True
            new = [result for result in results if result.key not in folder.answered]
            written = [Written(result.key, result.right) for result in new]
            now = time.monotonic()
            sync = now - synced >= SYNC_SECONDS
            synced = now if sync else synced
            folder.append(written, [result.line for result in new], sync=sync)
            yield written
            if stopped():
                return


def _described(benchmark: Benchmark, facts: dict[str, Any], cluster: Cluster) -> str:
    """``run.json``: as for a run in this process, and the cluster."""
    text = provenance(
        benchmark.config,
        benchmark.loaded,
        len(benchmark.items),
        facts.get("device", "cpu"),
        facts.get("server"),
        facts.get("prompts"),
    )
    ray = {"address": cluster.address, "workers": cluster.workers, "gpus_per_worker": cluster.gpus}
    return json.dumps(json.loads(text) | {"ray": ray}, indent=2, ensure_ascii=False) + "\n"
