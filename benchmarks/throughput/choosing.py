"""Requests of ``choose`` per second, beside lm-evaluation-harness's Hugging Face backend."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from maieutic.benchmarks.throughput.clock import Side
from maieutic.benchmarks.throughput.packages import LM_EVAL, imported, version_of
from maieutic.benchmarks.throughput.rows import Row
from maieutic.benchmarks.throughput.workbench import PROMPTS, Workbench
from maieutic.lm.base import FloatArray, LanguageModel, Prompt

__all__ = ["Chooser", "choose_rows"]

BATCH_SIZES = {"cpu": (1, 4, 16), "cuda": (8, 32, 128)}


class Chooser:
    """Our way to score the options of some prompts."""

    def __init__(self, bench: Workbench, prompts: Sequence[Prompt]) -> None:
        self._bench, self.prompts = bench, prompts
        self._lm: LanguageModel | None = None
        self.found: FloatArray = np.empty(0)

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has read no examples yet: reading them is part of the work."""
        self._lm = self._bench.subject.fresh()
        yield

    def work(self) -> float:
        """Score all; returns their number."""
        assert self._lm is not None
        self.found = self._lm.choose(self.prompts, self._bench.subject.prompts.answers)
        return len(self.prompts)


class Harness:
    """The same with lm-evaluation-harness, for one batch size."""

    def __init__(self, bench: Workbench, prompts: Sequence[Prompt], batch_size: int, module: Any) -> None:
        subject = bench.subject
        self._bench, self._count = bench, len(prompts)
        self._batch_size, self._module = batch_size, module
        self._instance = imported(LM_EVAL, "api.instance")[0].Instance
        self._texts = subject.texts(prompts)
        # Its tokenizer opens texts as ours does; a chat template has done so already.
        opens = subject.prompts.format == "text" and bool(
            subject.tokens(prompts[:1])[0][:1] == self._opening()
        )
        self._arguments = {"add_bos_token": opens, "max_length": subject.checkpoint.window}
        self._lm: Any = None
        self.found: FloatArray = np.empty(0)

    def _opening(self) -> tuple[int, ...]:
        bos = self._bench.subject.checkpoint.tokenizer.bos_token_id
        return () if bos is None else (bos,)

    @contextmanager
    def around(self) -> Iterator[None]:
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        checkpoint = self._bench.subject.checkpoint
        with self._bench.subject.plain():
            self._lm = self._lm or self._module.HFLM(
                pretrained=checkpoint.model,
                tokenizer=deepcopy(checkpoint.tokenizer),
                batch_size=self._batch_size,
                **self._arguments,
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
        self.found = np.exp([score for score, _ in scored]).reshape(self._count, len(options))
        return self._count


def choose_rows(bench: Workbench) -> list[Row]:
    """One row: the prompts of verdicts, two options each."""
    prompts = bench.prompts("verdict", PROMPTS * bench.questions)
    ours = Chooser(bench, prompts)
    mine = Side("maieutic", ours.work, ours.around, {"prompts": len(prompts)})
    sizes = BATCH_SIZES[bench.subject.checkpoint.device.type]
    length = sum(map(len, bench.subject.tokens(prompts))) / len(prompts)
    what, unit = "prompts with two options scored", "per second"
    compared = (
        f"{len(prompts)} prompts of {length:.0f} tokens, whose examples ours reads once, within the time; "
    )
    module, missing = imported(LM_EVAL, "models.huggingface")
    if missing:
        (alone,) = bench.clock.interleaved(mine)
        return [Row("choose", what, unit, alone, None, compared + "lm-evaluation-harness", missing)]
    name = f"lm-evaluation-harness {version_of(LM_EVAL)}"
    harnesses = [Harness(bench, prompts, size, module) for size in sizes]
    best, reason = bench.clock.fastest(
        [
            Side(name, harness.work, harness.around, {"batch_size": size})
            for size, harness in zip(sizes, harnesses, strict=True)
        ]
    )
    if best is None:
        (alone,) = bench.clock.interleaved(mine)
        return [Row("choose", what, unit, alone, None, compared + name, f"did not run: {reason}")]
    first, second = bench.clock.interleaved(mine, best)
    theirs = next(harness.found for harness in harnesses if harness.found.size)
    gap = float(np.abs(ours.found - theirs).max())
    compared += (
        f"the other's loglikelihood of the same texts and options, best of batch sizes "
        f"{', '.join(map(str, sizes))}: {best.details['batch_size']}; probabilities differ by ≤ {gap:.1g}"
    )
    return [Row("choose", what, unit, first.times(1, largest_difference=gap), second, compared)]
