"""What a program that loads models sets once for its whole process; the library itself never does.

None of this changes an answer. Without it, Transformers draws a bar while it loads weights and logs
warnings, and in a container with a processor quota PyTorch starts more threads than may run.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from pathlib import Path

__all__ = ["prepare_process", "usable_cores"]

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # "quota period" in microseconds, or "max period"


def prepare_process() -> None:
    """Keep model libraries quiet and within the usable cores; call it when a program starts.

    Transformers logs errors only and draws no bars. Python's warnings are off unless ``-W`` asks for them.
    PyTorch starts no more threads than there are usable cores, unless OMP_NUM_THREADS is set: it counts the
    cores of the machine, not those of a container with a quota, and threads that wait for each other's turn
    make it several times slower. Large tensors take huge pages, where the system has them: without, a model
    that computes its attention weights in full spends most of its time on page faults.

    Libraries that load later read this from the environment, which child processes inherit; those that are
    loaded already are set directly. Nothing is imported here, and what the environment says already stays.
    """
    limited = "OMP_NUM_THREADS" in os.environ
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # PyTorch's, on the CPU
    cores = usable_cores()
    if cores < _cores():  # libraries respect the affinity by themselves
        os.environ.setdefault("OMP_NUM_THREADS", str(cores))
    if (torch := sys.modules.get("torch")) and not limited and torch.get_num_threads() > cores:
        torch.set_num_threads(cores)
    if transformers := sys.modules.get("transformers"):
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()


def usable_cores(quota: Path = CPU_QUOTA) -> int:
    """Processor cores that this process may keep busy: its affinity and a container's quota, at least 1.

    Args:
        quota: the file of the control group's limit; one that is missing or unlike sets none.
    """
    cores = _cores()
    try:
        share, period = map(int, quota.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return cores
    return max(1, min(cores, math.ceil(share / period))) if period > 0 else cores


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1
