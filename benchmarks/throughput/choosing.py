"""Requests of ``choose`` per second, beside lm-evaluation-harness's Hugging Face backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from maieutic.benchmarks.throughput.clock import OURS, Side, best_of
from maieutic.benchmarks.throughput.hardware import Sizes, Work, counted, multiplying, rate
from maieutic.benchmarks.throughput.packages import LM_EVAL, imported, version_of
from maieutic.benchmarks.throughput.table import TableRow
from maieutic.benchmarks.throughput.workbench import PROMPTS, Workbench
from maieutic.lm.base import FloatArray, LanguageModel, Prompt

__all__ = ["Chooser", "choose_rows"]

BATCH_SIZES = {"cpu": (1, 4, 16), "cuda": (8, 32, 128)}


class Chooser:
    """Our way to score the options of some prompts.

    Attributes:
        found: P(option | prompt) of the last run; ``computed`` is what the model did for it.
    """

    def __init__(self, bench: Workbench, prompts: Sequence[Prompt]) -> None:
        self._bench, self.prompts = bench, prompts
        self._lm: LanguageModel | None = None
        self.found: FloatArray = np.empty(0)
        self.computed = Work()

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has read no examples yet: reading them is part of the work."""
        self._lm = self._bench.subject.fresh()
        with counted(self._bench.subject.checkpoint.model) as self.computed:
            yield

    def work(self) -> float:
        """Score all; returns their number."""
        assert self._lm is not None
        self.found = self._lm.choose(self.prompts, self._bench.subject.prompts.answers).probabilities
        return len(self.prompts)


class Harness:
    """The same with lm-evaluation-harness, for one batch size."""

    def __init__(self, bench: Workbench, prompts: Sequence[Prompt], batch_size: int, module: Any) -> None:
        subject = bench.subject
        self._bench, self.batch_size, self._module = bench, batch_size, module
        self._texts = subject.vocabulary.render(prompts)
        # Its tokenizer opens texts as ours does; a chat template has done so already.
        bos = subject.checkpoint.tokenizer.bos_token_id
        opened = subject.tokens(prompts[:1])[0][:1] == (bos,)
        self._opens = subject.prompts.format == "text" and opened
        self._instance = imported(LM_EVAL, "api.instance")[0].Instance
        self._lm: Any = None
        self.found: FloatArray = np.empty(0)

    @contextmanager
    def around(self) -> Iterator[None]:
        checkpoint = self._bench.subject.checkpoint
        with ExitStack() as stack:
            stack.enter_context(self._bench.subject.plain())
            self._lm = self._lm or self._module.HFLM(
                pretrained=checkpoint.model,
                tokenizer=deepcopy(checkpoint.tokenizer),
                batch_size=self.batch_size,
                add_bos_token=self._opens,
                max_length=checkpoint.window,
            )
            yield

    def work(self) -> float:
        options = self._bench.subject.prompts.answers
        requests = [
            self._instance("loglikelihood", {}, (text, option), place)
            for text in self._texts
            for place, option in enumerate(options)
        ]
        scored = self._lm.loglikelihood(requests, disable_tqdm=True)
        self.found = np.exp([score for score, _ in scored]).reshape(len(self._texts), len(options))
        return len(self._texts)


def choose_rows(bench: Workbench) -> list[TableRow]:
    """The prompts of verdicts, two options each, beside the harness and beside the matrix rate."""
    clock, checkpoint = bench.clock, bench.subject.checkpoint
    prompts = bench.prompts("verdict", PROMPTS[clock.device.type] * bench.questions)
    ours = Chooser(bench, prompts)
    mine = Side(OURS, ours.work, ours.around, {"prompts": len(prompts)})
    harnesses, missing = _harnesses(bench, prompts)
    candidates = [
        Side(f"{LM_EVAL} {version_of(LM_EVAL)}", one.work, one.around, {"batch_size": one.batch_size})
        for one in harnesses
    ]
    first, other, (product,), reason = clock.beside(mine, candidates, multiplying(clock, checkpoint.dtype))
    length = sum(map(len, bench.subject.tokens(prompts))) / len(prompts)
    note = f"{len(prompts)} prompts of {length:.0f} tokens, whose examples ours reads once, within the time."
    if other:
        theirs = next(harness.found for harness in harnesses if harness.found.size)
        gap = float(np.abs(np.log(ours.found) - np.log(theirs)).max())
        first = first.times(1, largest_difference=gap)
        note += (
            f" The other's loglikelihood of the same texts and options. {best_of(other)} "
            f"Log-probabilities differ by at most {gap:.1g} nats."
        )
    amount = Sizes.of(checkpoint.model).operations(ours.computed) / 1e12
    share = "Operations of the weights and of attention, padding not counted, in the time of the row above."
    achieved = rate(amount, first.seconds)
    return [
        TableRow("choose", "prompts scored", "per second", first, other, note, missing or reason),
        TableRow("choose", "choose: matrix rate", "TFLOP/s", achieved, product, share, reads="share"),
    ]


def _harnesses(bench: Workbench, prompts: Sequence[Prompt]) -> tuple[list[Harness], str]:
    """The harness with each batch size, or none and what is missing."""
    module, missing = imported(LM_EVAL, "models.huggingface")
    if missing:
        return [], missing
    return [Harness(bench, prompts, size, module) for size in BATCH_SIZES[bench.clock.device.type]], ""
