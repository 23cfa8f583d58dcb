"""How much of the hardware's own speed the engine gets out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from maieutic.benchmarks.throughput.choosing import Chooser
from maieutic.benchmarks.throughput.clock import Side
from maieutic.benchmarks.throughput.hardware import copying, multiplying
from maieutic.benchmarks.throughput.rows import Row, Series
from maieutic.benchmarks.throughput.workbench import PROMPTS, TEXTS, Workbench
from maieutic.lm.base import LanguageModel, Prompt
from maieutic.lm.examples import shared_tokens

__all__ = ["Sizes", "Work", "counted", "hardware_rows"]

SEED = 0


@dataclass(slots=True)
class Work:
    """What a model computed, padding left out.

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
        return Work(
            self.tokens - other.tokens,
            self.contexts - other.contexts,
            self.predictions - other.predictions,
            self.passes - other.passes,
        )


@contextmanager
def counted(model: Any) -> Iterator[Work]:
    """Counts the forward passes of a model meanwhile, as our engine makes them."""
    work = Work()

    def note(_module: Any, _given: Any, named: dict[str, Any]) -> None:
        ids = named["input_ids"]
        rows, width = ids.shape
        mask = named.get("attention_mask")
        own = torch.ones_like(ids).bool() if mask is None else mask[:, -width:].bool()
        positions = named.get("position_ids")
        if positions is None:
            positions = torch.arange(width, device=ids.device).expand(rows, width)
        work.tokens += int(own.sum())
        work.contexts += int((positions + 1)[own].sum())
        work.predictions += rows * int(named.get("logits_to_keep", width))
        work.passes += 1

    handle = model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield work
    finally:
        handle.remove()


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a model multiplies with and keeps.

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

    def bytes_read(self, steps: Work, prefix: int) -> float:
        """What decoding must read: in every step the weights and the examples' keys and values, and each
        text's own.

        Args:
            prefix: tokens of examples that all texts share.
        """
        shared = (self.body + self.head + prefix * self.cached) * steps.passes
        own = self.cached * (steps.contexts - prefix * steps.tokens)
        return float(self.bytes) * (shared + own)


class Decoding:
    """Texts drawn from few-shot prompts."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.n = bench.config.width(1)
        self.prompts: Sequence[Prompt] = bench.prompts("explain", -(-TEXTS * bench.questions // self.n))
        self.texts = len(self.prompts) * self.n
        self._lm: LanguageModel | None = None

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has read the examples."""
        with self._bench.subject.endless():
            self._lm = self._bench.subject.fresh()
            self.draw(1)
            yield

    def draw(self, tokens: int) -> float:
        """Texts of so many tokens; returns how many these are."""
        assert self._lm is not None
        self._lm.sample(self.prompts, self.n, max_new_tokens=tokens, temperature=1.0, top_p=1.0, seed=SEED)
        return self.texts * tokens

    def steps(self) -> tuple[Work, int]:
        """(what the steps after the first tokens compute, tokens of examples that all texts share)."""
        tokens, model = self._bench.new_tokens, self._bench.subject.checkpoint.model
        with self.around():
            with counted(model) as whole:
                self.draw(tokens)
            with counted(model) as begun:
                self.draw(1)
        rows = self._bench.subject.tokens(self.prompts)
        shares = begun.tokens < sum(map(len, rows))
        return whole - begun, shared_tokens(rows) if shares else 0


def hardware_rows(bench: Workbench) -> list[Row]:
    """Rates of computing and of reading, beside those of the device."""
    checkpoint, clock, tokens = bench.subject.checkpoint, bench.clock, bench.new_tokens
    sizes = Sizes.of(checkpoint.model)
    chooser = Chooser(bench, bench.prompts("verdict", PROMPTS * bench.questions))
    with counted(checkpoint.model) as choosing, chooser.around():
        chooser.work()
    decoding = Decoding(bench)
    steps, prefix = decoding.steps()
    chosen, whole, begun, product, copied = clock.interleaved(
        Side("maieutic", chooser.work, chooser.around),
        Side("maieutic", lambda: decoding.draw(tokens), decoding.around),
        Side("maieutic", lambda: decoding.draw(1), decoding.around),
        multiplying(clock, checkpoint.dtype),
        copying(clock),
    )
    later = [all_ - first for all_, first in zip(whole.seconds, begun.seconds, strict=True)]
    texts = f"{decoding.texts} texts of {len(decoding.prompts)} few-shot prompts, after their first tokens"

    def row(what: str, unit: str, amount: float, seconds: Sequence[float], device: Series, how: str) -> Row:
        ours = Series("maieutic", tuple(amount / one for one in seconds), tuple(seconds))
        return Row("cost", what, unit, ours, device, how)

    return [
        row(
            "choose, of the matrix rate",
            "TFLOP/s",
            sizes.operations(choosing) / 1e12,
            chosen.seconds,
            product.times(1e-12),
            f"{len(chooser.prompts)} prompts of two options; the examples are read within the time",
        ),
        row(
            "decoding, of the matrix rate",
            "TFLOP/s",
            sizes.operations(steps) / 1e12,
            later,
            product.times(1e-12),
            texts,
        ),
        row(
            "decoding, of the memory bandwidth",
            "GB/s",
            sizes.bytes_read(steps, prefix) / 1e9,
            later,
            copied.times(1e-9),
            f"{texts}; what must be read: in each step the weights and the examples' keys and values, and "
            "each text's own",
        ),
    ]
