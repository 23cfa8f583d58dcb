"""Rows through a pool of workers: one pass of Ray Data's ``map_batches``; results come as they are ready."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

from maieutic.cluster.jobs import Job, Result, Row
from maieutic.cluster.ledger import Ledger
from maieutic.cluster.session import Cluster
from maieutic.cluster.versions import versions
from maieutic.cluster.worker import Worker, error_of
from maieutic.errors import MaieuticError

__all__ = ["Batches", "dataset_of", "new_ledger", "results_of", "worked"]

MOST_BLOCKS = 1000  # each costs the driver some 15 ms
OPENING_DEATHS = 5  # in a row, of workers that are started, before Ray gives up


class Batches:
    """The results of rows, batch by batch.

    Args:
        ray: the package, connected.
        rows: with different keys; ``batch`` of them are judged together.
        expected: versions that the workers must have; by default those of this process.

    Attributes:
        ledger: the actor that counts the workers that each row has ended.
    """

    def __init__(
        self,
        ray: Any,
        rows: Sequence[Row],
        job: Job,
        cluster: Cluster,
        *,
        batch: int,
        expected: dict[str, str] | None = None,
    ) -> None:
        self._ray, self._cluster = ray, cluster
        self.ledger = new_ledger(ray)
        arguments = (job, self.ledger, expected or versions(), cluster.limit, batch)
        self._work = (list(rows), batch, arguments, cluster)

    def __iter__(self) -> Iterator[list[Result]]:
        """The results as workers give them.

        Raises:
            InputError: a worker cannot open a model, or has other versions.
            ServerError: a model's server failed.
            MaieuticError: the workers die while they start.
        """
        with closing(self._blocks()) as blocks:
            for block in blocks:
                yield results_of(block)

    @property
    def facts(self) -> str:
        """What the workers know about their models, as JSON; "" before the first result."""
        return str(self._ray.get(self.ledger.facts.remote()))

    def _blocks(self) -> Generator[dict[str, list[Any]], None, None]:
        try:
            if self._cluster.remote:  # Ray Data does not run at the other end of ray://
                conductor = self._ray.remote(_Conductor).options(num_cpus=0).remote(self._work)
                while (block := self._ray.get(conductor.next.remote())) is not None:
                    yield block
            else:
                yield from _blocks(self._work)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            problem = f"the workers stopped ({lines[-1] if lines else type(error).__name__})"
            raise MaieuticError(
                f"{problem}; start again: what was finished is kept", subject="workers"
            ) from None


class _Conductor:
    """Runs the pass inside of the cluster, on behalf of a driver outside."""

    def __init__(self, work: Any) -> None:
        self._results = _blocks(work)

    def next(self) -> dict[str, list[Any]] | None:
        """The next block; None after the last one."""
        return next(self._results, None)


def _blocks(work: Any) -> Iterator[dict[str, list[Any]]]:
    rows, batch, arguments, cluster = work
    mapped = worked(dataset_of(rows, batch), arguments, cluster)
    for block in mapped.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield block.to_pydict()


def worked(dataset: Any, arguments: Sequence[Any], cluster: Cluster) -> Any:
    """A dataset with the columns key and payload, mapped by workers; each block is one batch."""
    from ray.data import ActorPoolStrategy  # noqa: PLC0415

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = dataset.context
    context.enable_progress_bars = False
    context.max_consecutive_actor_init_deaths = OPENING_DEATHS
    return dataset.map_batches(
        Worker,
        fn_constructor_args=tuple(arguments),
        compute=ActorPoolStrategy(size=cluster.workers),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=cluster.cpus,
        num_gpus=cluster.gpus or None,
    )


def new_ledger(ray: Any) -> Any:
    """The handle of an actor that holds a :class:`maieutic.cluster.ledger.Ledger`."""
    return ray.remote(Ledger).options(num_cpus=0, max_restarts=0).remote()


def dataset_of(rows: Sequence[Row], batch: int) -> Any:
    """A dataset of rows with the columns key and payload, in at most :data:`MOST_BLOCKS` blocks.

    A block is what Ray hands to a worker, and what a worker that dies takes with it.
    """
    import ray.data  # noqa: PLC0415

    columns = [{"key": row.key, "payload": row.payload} for row in rows]
    return ray.data.from_items(
        columns, override_num_blocks=max(1, min(-(-len(columns) // batch), MOST_BLOCKS))
    )


def results_of(block: dict[str, list[Any]]) -> list[Result]:
    """The results of a block.

    Raises:
        InputError, ServerError, MaieuticError: it has the error of a worker.
    """
    for text in block["error"]:
        if text:
            raise error_of(text)
    columns = (block["key"], block["line"], block["right"])
    return [Result(key, line, right) for key, line, right in zip(*columns, strict=True)]
