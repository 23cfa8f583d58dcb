"""The device's capacity and the engine's share of it: operations and bytes, counted and measured."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import torch

from maieutic.benchmarks.throughput.clock import OURS, Clock, Side
from maieutic.benchmarks.throughput.table import Series

__all__ = ["Sizes", "Work", "copying", "counted", "multiplying", "peak_bytes", "rate"]

MATRIX = {"cpu": 2048, "cuda": 8192}  # rows and columns
COPIED = {"cpu": 2**28, "cuda": 2**30}  # bytes, beyond what caches hold
ROUNDS = {"cpu": 4, "cuda": 32}  # of one timed run


@dataclass(slots=True)
class Work:
    """The work of a model, without padding.

    Attributes:
        tokens: read.
        contexts: tokens that these attended to, themselves included, summed over them.
        predictions: positions at which next tokens were scored.
        passes: forward passes.
    """

    tokens: int = 0
    contexts: int = 0
    predictions: int = 0
    passes: int = 0

    def __sub__(self, other: Work) -> Work:
        return Work(*(mine - its for mine, its in zip(astuple(self), astuple(other), strict=True)))


@contextmanager
def counted(model: Any) -> Iterator[Work]:
    """Counts the work of a model's forward passes; the numbers are complete on exit.

    Until then the sums stay on the device, so that nothing waits for them.
    """
    work = Work()
    sums: list[tuple[torch.Tensor, torch.Tensor]] = []

    def note(_module: Any, _given: Any, named: dict[str, Any]) -> None:
        ids = named["input_ids"]
        rows, width = ids.shape
        mask = named.get("attention_mask")
        own = torch.ones_like(ids).bool() if mask is None else mask[:, -width:].bool()
        positions = named.get("position_ids")
        if positions is None:
            positions = torch.arange(width, device=ids.device).expand(rows, width)
        sums.append((own.sum(), ((positions + 1) * own).sum()))
        work.predictions += rows * int(named.get("logits_to_keep", width))
        work.passes += 1

    handle = model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield work
    finally:
        handle.remove()
        work.tokens = sum(int(tokens) for tokens, _ in sums)
        work.contexts = sum(int(contexts) for _, contexts in sums)


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes that determine a model's operations and memory.

    Attributes:
        body: weights of the layers' matrices; ``head`` of the last matrix, a row a token.
        attended: width of all heads, summed over the layers.
        cached: numbers kept of each token read.
        bytes: of one number.
    """

    body: int
    head: int
    attended: int
    cached: int
    bytes: int

    @classmethod
    def of(cls, model: Any) -> Sizes:
        """Read from a model's modules and configuration."""
        config = model.config.get_text_config()
        head = model.get_output_embeddings().weight
        tables = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)} | {id(head)}
        body = sum(p.numel() for p in model.parameters() if p.ndim > 1 and id(p) not in tables)
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        groups = getattr(config, "num_key_value_heads", None) or heads
        layers = config.num_hidden_layers
        return cls(
            body, head.numel(), layers * heads * width, 2 * layers * groups * width, head.element_size()
        )

    def operations(self, work: Work) -> float:
        """Floating-point operations: two for each weight, four for each number attended to."""
        matrices = self.body * work.tokens + self.head * work.predictions
        return 2.0 * matrices + 4.0 * self.attended * work.contexts

    def bytes_read(self, steps: Work) -> float:
        """Bytes that decoding must read: in every step the weights, and the keys and values of every text."""
        return float(self.bytes) * ((self.body + self.head) * steps.passes + self.cached * steps.contexts)


def rate(amount: float, seconds: Sequence[float]) -> Series:
    """Maieutic's series: the same amount in each of these times."""
    return Series(OURS, tuple(amount / one for one in seconds), tuple(seconds))


def multiplying(clock: Clock, dtype: torch.dtype) -> Side:
    """A product of two large matrices; its amount is in 10¹² floating-point operations."""
    size, rounds = MATRIX[clock.device.type], ROUNDS[clock.device.type]
    left, right = (torch.randn(size, size, device=clock.device).to(dtype) for _ in range(2))

    def work() -> float:
        for _ in range(rounds):
            torch.matmul(left, right)
        return rounds * 2.0 * size**3 / 1e12

    return Side(f"torch.matmul, {size} × {size}, {str(dtype).removeprefix('torch.')}", work)


def copying(clock: Clock) -> Side:
    """A copy of a large block; its amount is in 10⁹ bytes read and written."""
    count, rounds = COPIED[clock.device.type], ROUNDS[clock.device.type]
    source = torch.ones(count, dtype=torch.uint8, device=clock.device)
    target = torch.empty_like(source)

    def work() -> float:
        for _ in range(rounds):
            target.copy_(source)
        return rounds * 2.0 * count / 1e9

    return Side(f"copy of {count // 2**20} MiB", work)


def peak_bytes(device: torch.device) -> int:
    """Peak memory: of tensors on CUDA since the last reset, of the process elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
