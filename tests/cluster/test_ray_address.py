"""A run on a Ray cluster at an address: a real one, started on this machine as on any other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from maieutic.benchmarks.runs.folder import read_run

pytest.importorskip("ray", reason="ray is not installed; pip install -e '.[ray]'")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of Ray, about itself
    pytest.mark.timeout(1800),
]

STARTS = 3
ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a cluster of one machine with two cores."""
    for _ in range(STARTS):
        port = free_port()
        with _head(port, tmp_path / "head.log") as head:
            while head.poll() is None and not _answers(port):
                time.sleep(1.0)
            if head.poll() is None:
                yield f"ray://127.0.0.1:{port}"
                return
    pytest.skip(f"Ray gave up {STARTS} times to start within its 30 s on this machine")


@contextmanager
def _head(port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process that starts a cluster and ends with it."""
    root = Path(__file__).parents[2]
    command = [
        str(Path(sys.executable).with_name("ray")),
        *("start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={free_port()}"),
        *(f"--ray-client-server-port={port}", "--num-cpus=2", "--include-dashboard=false"),
        "--object-store-memory=200000000",
    ]
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": str(root)}
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stdout=file, stderr=file, env=environment, cwd=root) as head,
    ):
        try:
            yield head
        finally:
            head.terminate()
            head.wait(60)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False


def test_answers_of_a_cluster_at_an_address_are_those_of_this_machine(
    address: str, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    arguments = ("bench", "run", "agora", "--method", "direct", "--limit", "12")
    local = run(*arguments, "--no-cache", "--out", tmp_path / "local")
    far = run(*arguments, "--ray", address, "--workers", "1", "--out", tmp_path / "far")
    assert local.returncode == 0
    assert far.returncode == 0, far.stderr
    ours, theirs = ({r.id: r.p_true for r in read_run(tmp_path / name).records} for name in ("local", "far"))
    assert ours == theirs
    assert len(ours) == 12
