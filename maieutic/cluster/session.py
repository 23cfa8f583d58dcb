"""A connection to Ray: on this machine, to the cluster of this machine, or to one at an address.

Usage statistics and the dashboard are off. Environment variables that Ray reads while it starts are set for
that time only. What Ray prints about killed workers goes to the log: standard output belongs to the answers.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from maieutic.errors import InputError

__all__ = ["AUTO", "LOCAL", "Cluster", "check_room", "connect", "connected", "ray_library"]

LOCAL, AUTO, CLIENT = "local", "auto", "ray://"
CONNECT_SECONDS = 10.0  # until a cluster's address must answer
STORE_BYTES = 512 << 20  # of Ray's object store on this machine; questions and records are small
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where work is done, and by how many workers.

    Attributes:
        address: "local" for this machine, "auto" for the Ray cluster that this machine belongs to, or
            "ray://HOST:PORT" for one elsewhere.
        workers: processes, each with its own models, ≥ 1.
        gpus: of each worker, ≥ 0; a fraction lets workers share one.
        limit: seconds that a worker may take for one batch, > 0; after it the worker is ended.

    Raises:
        InputError: a value is out of its range; ``subject`` is the name of the field.
    """

    address: str = LOCAL
    workers: int = 1
    gpus: float = 0.0
    limit: float = 3600.0

    def __post_init__(self) -> None:
        if self.address not in (LOCAL, AUTO) and not self.remote:
            problem = f"the cluster must be local, auto or ray://HOST:PORT, not {self.address!r}"
            raise InputError(problem, subject="address")
        for name, holds, rule in (
            ("workers", self.workers >= 1, "≥ 1"),
            ("gpus", 0 <= self.gpus < float("inf"), "≥ 0"),
            ("limit", 0 < self.limit < float("inf"), "> 0"),
        ):
            if not holds:
                raise InputError(f"{name} must be {rule}, not {getattr(self, name)!r}", subject=name)

    @property
    def remote(self) -> bool:
        """Whether it is at an address."""
        return self.address.startswith(CLIENT)

    @property
    def cpus(self) -> int:
        """Processor cores of each worker: an equal share on this machine, else 1."""
        return max(1, (os.cpu_count() or 1) // self.workers) if self.address == LOCAL else 1


def ray_library() -> Any:
    """The package ray, with ray.data.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pyarrow  # noqa: F401, PLC0415 - an extra dependency
        import ray  # noqa: PLC0415
        import ray.data  # noqa: PLC0415
    except ImportError:
        problem = "work on several machines needs Ray; pip install 'maieutic[ray]'"
        raise InputError(problem, subject="maieutic[ray]") from None
    return ray


@contextmanager
def connected(cluster: Cluster) -> Iterator[Any]:
    """The package ray, connected; a connection that exists is used and stays.

    Raises:
        InputError: Ray is not installed, or the cluster does not answer, has another version of Python or
            Ray, or has no room for the workers.
    """
    ray = ray_library()
    own = not ray.is_initialized()
    if own:
        connect(ray, cluster)
    try:
        check_room(ray, cluster)
        yield ray
    finally:
        if own:
            ray.shutdown()


def connect(ray: Any, cluster: Cluster) -> None:
    """Connect, unless there is a connection.

    Raises:
        InputError: the cluster does not answer, or has another version of Python or Ray.
    """
    if ray.is_initialized():
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if cluster.remote:
        _check_answers(cluster.address)
    if cluster.address == LOCAL:
        options |= {"include_dashboard": False, "object_store_memory": STORE_BYTES}
        options["num_cpus"] = max(os.cpu_count() or 1, cluster.workers * cluster.cpus)
    try:
        with _environment(_QUIET):
            ray.init(address=cluster.address, **options)
    except Exception as error:  # Ray raises that very class where a node does not start in time
        first = str(error).strip().partition("\n")[0]
        problem = f"the Ray cluster {cluster.address} cannot be used ({first})"
        raise InputError(f"{problem}; start it, or correct --ray", subject=cluster.address) from None
    _redirect_messages()


def _check_answers(address: str) -> None:
    """Refuse an address at which nothing listens, before Ray waits for it much longer."""
    try:
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 10001), CONNECT_SECONDS):
            return
    except (OSError, ValueError) as error:
        reason = str(error) or f"no answer within {CONNECT_SECONDS:g} s"
        problem = f"the Ray cluster {address} does not answer ({reason})"
        raise InputError(f"{problem}; start it, or correct --ray", subject=address) from None


def check_room(ray: Any, cluster: Cluster) -> None:
    """Refuse workers for which the cluster has no room: Ray would wait for them for ever.

    Raises:
        InputError: the workers, or their GPUs, are too many.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(_fitting(node, cluster) for node in nodes)
    if room >= cluster.workers:
        return
    most = max((node.get("GPU", 0.0) for node in nodes), default=0.0)
    if cluster.gpus and cluster.gpus > most:
        problem = f"no machine of the cluster has {cluster.gpus:g} GPUs for a worker; the most is {most:g}"
        raise InputError(f"{problem}; lower --gpus-per-worker", subject="gpus")
    each = f"{cluster.cpus} core" + (f" and {cluster.gpus:g} GPUs" if cluster.gpus else "")
    problem = f"the cluster has room for {room} workers with {each} each, not for {cluster.workers}"
    raise InputError(f"{problem}; lower --workers, or add machines", subject="workers")


def _fitting(node: dict[str, float], cluster: Cluster) -> int:
    """The number of workers that fit on a machine."""
    by_cpu = node.get("CPU", 0.0) // cluster.cpus
    return int(min(by_cpu, node.get("GPU", 0.0) / cluster.gpus + 1e-9) if cluster.gpus else by_cpu)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: value for name, value in values.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _redirect_messages() -> None:
    """Send what Ray prints about its workers to the log, unless Ray has renamed the function."""
    from ray._private import worker  # noqa: PLC0415

    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = _logged
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _logged(batch: dict[str, Any], *_: Any, **__: Any) -> None:
    for line in batch.get("lines", ()):
        _log.info("ray: %s", line)
