"""What reasoning costs over answering at once, where its time goes, and how near it is to the hardware."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from maieutic.benchmarks.throughput.achieved import counted, hardware_rows
from maieutic.benchmarks.throughput.backends import Call
from maieutic.benchmarks.throughput.clock import Side
from maieutic.benchmarks.throughput.hardware import peak_bytes
from maieutic.benchmarks.throughput.questions import Together, seconds_by_kind
from maieutic.benchmarks.throughput.rows import Row, Series
from maieutic.benchmarks.throughput.workbench import Workbench
from maieutic.lm.base import LanguageModel

__all__ = ["cost_rows"]


def cost_rows(bench: Workbench) -> list[Row]:
    """Tokens, time, shares of the steps, shares of the hardware, memory."""
    device = bench.clock.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    ours = Together(bench)
    direct = _Direct(bench)
    mine, plain = bench.clock.interleaved(ours.side(), Side("direct answers", direct.work, direct.around))
    peak = peak_bytes(device)
    rows = [
        *_token_rows(bench, ours),
        _time_row(bench, mine, plain),
        *_step_rows(bench, ours, mine.seconds[-1]),
        *hardware_rows(bench),
    ]
    what = "most memory held by tensors" if device.type == "cuda" else "most memory of the process so far"
    held = Series("maieutic", (peak / 2**30,))
    compared = f"{bench.questions} questions together, weights included"
    return [*rows, Row("cost", what, "GiB", held, None, compared)]


class _Direct:
    """One few-shot prompt a question, its two options scored."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.prompts = [bench.subject.prompts.direct(question) for question in bench.script.questions]
        self._lm: LanguageModel | None = None

    @contextmanager
    def around(self) -> Iterator[None]:
        self._lm = self._bench.subject.fresh()
        yield

    def work(self) -> float:
        assert self._lm is not None
        self._lm.choose(self.prompts, self._bench.subject.prompts.answers)
        return len(self.prompts)


def _token_rows(bench: Workbench, ours: Together) -> list[Row]:
    """Tokens a question: as a client without a cache would pay for them, and as they are computed here."""
    model, count = bench.subject.checkpoint.model, bench.questions
    paid = sum(_paid(bench, call) for call in ours.calls) / count
    direct = _Direct(bench)
    at_once = sum(map(len, bench.subject.tokens(direct.prompts))) / count
    with counted(model) as reasoning, ours.around():
        ours.work()
    with counted(model) as answering, direct.around():
        direct.work()
    return [
        Row(
            "cost",
            "tokens read and drawn, each prompt in full",
            "per question",
            Series("maieutic", (paid,)),
            Series("direct answers", (at_once,)),
            "cost of reasoning in tokens; every text drawn pays for its prompt",
        ),
        Row(
            "cost",
            "tokens computed",
            "per question",
            Series("maieutic", (reasoning.tokens / count,)),
            Series("direct answers", (answering.tokens / count,)),
            f"examples read once for {count} questions, prompts once for all their texts",
        ),
    ]


def _paid(bench: Workbench, call: Call) -> int:
    given = sum(map(len, bench.subject.tokens(call.prompts)))
    return given * max(call.n, 1) + len(call.prompts) * call.n * call.new_tokens


def _time_row(bench: Workbench, mine: Series, plain: Series) -> Row:
    def each(series: Series) -> Series:
        return Series(series.name, tuple(1000 / value for value in series.values), series.seconds)

    compared = f"cost of reasoning in time; {bench.questions} questions together on both sides"
    return Row("cost", "time", "ms per question", each(mine), each(plain), compared)


def _step_rows(bench: Workbench, ours: Together, whole: float) -> list[Row]:
    """Seconds of each step in the last run, and their share of it."""
    answers = ours.answers
    steps = {f"elicit, {kind}": spent for kind, spent in seconds_by_kind(ours.calls).items()}
    steps["relate"] = sum(answer.seconds.relate for answer in answers)
    steps["solve"] = sum(answer.seconds.solve for answer in answers)
    steps["the rest"] = whole - sum(steps.values())
    total = Series("all steps", (whole,))
    compared = f"share of the time of {bench.questions} questions together; the last repeat"
    return [
        Row("cost", f"step: {step}", "s", Series("maieutic", (spent,)), total, compared)
        for step, spent in steps.items()
    ]
