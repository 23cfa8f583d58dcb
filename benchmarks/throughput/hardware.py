"""The machine: what it is called, and how fast it multiplies and copies."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from maieutic.benchmarks.throughput.clock import Clock, Side
from maieutic.benchmarks.throughput.packages import LM_EVAL, SENTENCE_TRANSFORMERS, version_of

__all__ = ["copying", "machine", "multiplying", "peak_bytes"]

MATRIX = {"cpu": 2048, "cuda": 8192}  # rows and columns
COPIED = {"cpu": 2**28, "cuda": 2**30}  # bytes, beyond what caches hold
ROUNDS = {"cpu": 4, "cuda": 32}  # of one timed run


def machine(device: torch.device) -> dict[str, Any]:
    """Names and versions."""
    on_cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_cuda else _cpu(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": version_of("transformers"),
        "lm_eval": version_of(LM_EVAL) or None,
        "sentence_transformers": version_of(SENTENCE_TRANSFORMERS) or None,
    }


def multiplying(clock: Clock, dtype: torch.dtype) -> Side:
    """A product of two large matrices; its amount is in floating-point operations."""
    size, rounds = MATRIX[clock.device.type], ROUNDS[clock.device.type]
    left, right = (torch.randn(size, size, device=clock.device).to(dtype) for _ in range(2))

    def work() -> float:
        for _ in range(rounds):
            torch.matmul(left, right)
        return rounds * 2.0 * size**3

    return Side(f"torch.matmul, {size} × {size}, {str(dtype).removeprefix('torch.')}", work)


def copying(clock: Clock) -> Side:
    """A copy of a large block; its amount is in bytes read and written."""
    count, rounds = COPIED[clock.device.type], ROUNDS[clock.device.type]
    source = torch.ones(count, dtype=torch.uint8, device=clock.device)
    target = torch.empty_like(source)

    def work() -> float:
        for _ in range(rounds):
            target.copy_(source)
        return rounds * 2.0 * count

    return Side(f"torch copy of {count // 2**20} MiB, read and written", work)


def peak_bytes(device: torch.device) -> int:
    """Most memory held: by tensors on CUDA since the last reset, by the process so far elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
