"""Device, number format and threads for models."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import torch

from maieutic.errors import InputError

__all__ = ["resolve_device", "resolve_dtype", "usable_cores", "use_cores"]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # "quota period" in microseconds, or "max period"


def usable_cores(quota: Path = CPU_QUOTA) -> int:
    """Number of CPU cores this process may use, by its affinity and its container's quota; at least 1.

    Args:
        quota: file with the quota of the control group; a missing or malformed file sets no limit.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        share, period = map(int, quota.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return cores
    return max(1, min(cores, math.ceil(share / period))) if period > 0 else cores


def use_cores() -> None:
    """Limit PyTorch's threads to the usable cores, unless OMP_NUM_THREADS is set.

    PyTorch counts the cores of the machine and ignores the quota of a container; too many threads make it
    several times slower.
    """
    if "OMP_NUM_THREADS" not in os.environ and torch.get_num_threads() > usable_cores():
        torch.set_num_threads(usable_cores())


def resolve_device(name: str) -> torch.device:
    """The device named "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        InputError: the name is unknown, or there is no such CUDA device.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise InputError(f"{name!r} is not a device; use auto, cpu, cuda or cuda:N", subject="device")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        available = f"only {count} CUDA device(s)" if count else "no CUDA device"
        raise InputError(
            f"device {name}: PyTorch {torch.__version__} sees {available}; use --device cpu (or auto), "
            "or install a CUDA build of PyTorch and the driver",
            subject="device",
        )
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of weights and activations named by ``name``.

    "auto" is float32 on a CPU, bfloat16 on CUDA devices with fast bfloat16 arithmetic (compute capability
    8.0 or newer) and float16 on other CUDA devices. On a CPU with AVX512_BF16, bfloat16 scores twice as many
    pairs per second as float32 but is less exact: 9 of 1,160 direct answers of the bundled model changed.

    Raises:
        InputError: the name is unknown.
    """
    if name != "auto" and name not in DTYPES:
        raise InputError(f"{name!r} is not a dtype; use auto, {', '.join(DTYPES)}", subject="dtype")
    if name != "auto":
        return DTYPES[name]
    if device.type == "cuda":
        with torch.cuda.device(device):
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float16
    return torch.float32
