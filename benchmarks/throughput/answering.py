"""Questions per minute beside the reference's method of calls, and cost beside direct answers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch

from maieutic.answer import Answer
from maieutic.benchmarks.throughput.clock import OURS, Side
from maieutic.benchmarks.throughput.hardware import Work, counted, peak_bytes
from maieutic.benchmarks.throughput.reference import ReferenceLM
from maieutic.benchmarks.throughput.scoring import Chooser
from maieutic.benchmarks.throughput.script import Script
from maieutic.benchmarks.throughput.table import Series, TableRow
from maieutic.benchmarks.throughput.workbench import Workbench
from maieutic.lm.base import Completion, LanguageModel, OptionScores, Prompt, SamplingParams
from maieutic.nli.local import TransformersVerifier
from maieutic.pipeline import Maieutic
from maieutic.usage import Usage

__all__ = ["REFERENCE_QUESTIONS", "Answering", "AnsweringRun", "Call", "Working", "question_rows"]

REFERENCE_QUESTIONS = 2  # one of each kind that the script knows
ONE_BATCH = 10**9  # tokens: the reference's verifier takes all pairs of a tree at once


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a language model.

    Attributes:
        kind: negate, explain, belief or verdict.
        n: texts drawn for each prompt; 0 where options were scored.
        new_tokens: limit of each text.
        usage: of all of its texts, or of the prompts that were scored.
    """

    kind: str
    prompts: tuple[Prompt, ...]
    n: int
    new_tokens: int
    usage: Usage
    seconds: float


class Working:
    """A language model that computes every request, then replies with the script.

    Args:
        worker: the model that computes.

    Attributes:
        calls: all calls, in order.
    """

    def __init__(self, worker: LanguageModel, script: Script, options: Sequence[str]) -> None:
        self.name, self.prompts = worker.name, worker.prompts
        self._worker, self._script, self._options = worker, script, tuple(options)
        self.calls: list[Call] = []

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        start = time.perf_counter()
        drawn = self._worker.sample(prompts, n, params)
        usage = sum((completion.usage for row in drawn for completion in row), Usage())
        self._note(prompts, n, params.max_new_tokens, usage, start)
        assert [len(texts) for texts in drawn] == [n] * len(prompts)
        return [
            [
                replace(completion, text=text)
                for completion, text in zip(row, self._script.replies[prompt], strict=False)
            ]
            for prompt, row in zip(prompts, drawn, strict=True)
        ]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        assert tuple(options) == self._options
        start = time.perf_counter()
        scores = self._worker.choose(prompts, options)
        self._note(prompts, 0, 0, sum(scores.usages, Usage()), start)
        assert scores.probabilities.shape == (len(prompts), len(options))
        return replace(scores, probabilities=np.array([self._script.verdicts[prompt] for prompt in prompts]))

    def _note(self, prompts: Sequence[Prompt], n: int, new_tokens: int, usage: Usage, start: float) -> None:
        kind = self._script.kinds[prompts[0]]
        self.calls.append(Call(kind, tuple(prompts), n, new_tokens, usage, time.perf_counter() - start))


@dataclass(frozen=True, slots=True)
class AnsweringRun:
    """The calls of the language model in one run, the answers, and the peak memory at its end."""

    calls: list[Call]
    answers: list[Answer]
    peak_bytes: int

    def seconds_by_kind(self) -> dict[str, float]:
        """Seconds of the requests of each kind, in the order of their first call."""
        spent: defaultdict[str, float] = defaultdict(float)
        for call in self.calls:
            spent[call.kind] += call.seconds
        return dict(spent)


class Answering:
    """Answers the first questions of the script: maieutic together, the reference one by one.

    Attributes:
        runs: all runs.
        computed: the language model's work in the last run of maieutic.
    """

    def __init__(self, bench: Workbench, questions: int, *, ours: bool) -> None:
        self._bench, self._ours = bench, ours
        self._questions = bench.script.questions[:questions]
        self._verifier = TransformersVerifier(bench.verifier, None if ours else ONE_BATCH)
        self._lm: LanguageModel | None = None
        self.runs: list[AnsweringRun] = []
        self.computed = Work()

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has not read the examples yet: reading them is part of the work."""
        subject = self._bench.subject
        with ExitStack() as stack:
            stack.enter_context(subject.endless())
            if self._ours:
                self._lm = subject.fresh()
                self.computed = stack.enter_context(counted(subject.checkpoint.model))
            else:
                self._lm = ReferenceLM(subject)
                stack.enter_context(subject.plain())
            if subject.checkpoint.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(subject.checkpoint.device)
            yield

    def work(self) -> float:
        """Answer the questions; returns their number."""
        assert self._lm is not None
        lm = Working(self._lm, self._bench.script, self._bench.subject.prompts.answers)
        prompts, config = self._bench.subject.prompts, self._bench.config
        maieutic = Maieutic(lm, self._verifier, prompts=prompts, elicit=config)
        answers: list[Answer] = []
        for batch in [self._questions] if self._ours else [[question] for question in self._questions]:
            answers += maieutic.conclude(maieutic.grow(batch))
        self.runs.append(AnsweringRun(lm.calls, answers, peak_bytes(self._bench.clock.device)))
        return len(answers)


def question_rows(bench: Workbench) -> list[TableRow]:
    """Speed beside the reference, then cost beside direct answers, memory, and the share of each step.

    Both sides must grow the same trees. The reference answers only the first questions; their trees have the
    same sizes as all others.
    """
    ours = Answering(bench, bench.questions, ours=True)
    reference = Answering(bench, REFERENCE_QUESTIONS, ours=False)
    direct = Chooser(bench, [bench.subject.prompts.direct(question) for question in bench.script.questions])
    sides = [
        Side(OURS, ours.work, ours.around, {"questions": bench.questions}),
        Side("one call per request", reference.work, reference.around, {"questions": REFERENCE_QUESTIONS}),
        Side("direct answers", direct.work, direct.around, {"questions": bench.questions}),
    ]
    for side, is_ours in zip(sides, (True, False), strict=False):  # a question that ends at its root
        first = Answering(bench, 1, ours=is_ours)
        bench.clock.once(Side(side.name, first.work, first.around, {"questions": 1}))
    mine, theirs, plain = bench.clock.interleaved(*sides)
    grown = [[answer.tree for answer in side.runs[-1].answers] for side in (ours, reference)]
    assert grown[0][:REFERENCE_QUESTIONS] == grown[1]
    return [
        _speed(bench, mine, theirs, reference.runs),
        *_costs(bench, ours, direct, mine, plain),
        *_steps(ours.runs, mine),
    ]


def _speed(bench: Workbench, mine: Series, theirs: Series, runs: Sequence[AnsweringRun]) -> TableRow:
    nodes = sum(len(tree.nodes) + len(tree.pruned) for tree in bench.trees) / len(bench.trees)
    verdicts = runs[-1].seconds_by_kind().get("verdict", 0.0) / theirs.seconds[-1]
    note = (
        f"Ours {bench.questions} questions together; the other {REFERENCE_QUESTIONS} of them, one unbatched "
        "generate for each request and one verifier call for each tree, no reuse. Equal trees, "
        f"{nodes:.3g} propositions per question on average, {bench.new_tokens} tokens per text. Of the "
        f"other's time {verdicts:.0%} are verdicts, which an implementation may read off the explanations."
    )
    other = theirs.times(60, calls=len(runs[-1].calls))
    return TableRow("questions", "questions answered", "per minute", mine.times(60), other, note)


def _costs(bench: Workbench, ours: Answering, direct: Chooser, mine: Series, plain: Series) -> list[TableRow]:
    """Tokens as a client without a cache pays for them, and as computed; time; memory."""
    count = bench.questions

    def row(what: str, unit: str, one: Series, other: Series | None, note: str) -> TableRow:
        return TableRow("questions", what, unit, one, other, note, reads="cost")

    def tokens(what: str, spent: float, at_once: float, note: str) -> TableRow:
        sides = Series(OURS, (spent / count,)), Series(plain.name, (at_once / count,))
        return row(what, "per question", *sides, note)

    def each(series: Series) -> Series:
        return replace(series, values=tuple(1000 / value for value in series.values))

    peak = Series(OURS, (ours.runs[0].peak_bytes / 2**30,))
    on_cuda = bench.clock.device.type == "cuda"
    held = "by tensors" if on_cuda else "by the process until then, the verifier included"
    return [
        tokens(
            "tokens read and drawn",
            sum(call.usage.prompt_tokens + call.usage.generated_tokens for call in ours.runs[-1].calls),
            sum(map(len, bench.subject.tokens(direct.prompts))),
            "Every text drawn pays for all of its prompt, as with a server that shares nothing.",
        ),
        tokens(
            "tokens computed",
            ours.computed.tokens,
            direct.computed.tokens,
            f"Examples read once for {count} questions, a prompt once for all of its texts.",
        ),
        row("time", "ms per question", each(mine), each(plain), f"{count} questions together on both sides."),
        row("peak memory", "GiB", peak, None, f"Held {held}; {count} questions together, weights included."),
    ]


def _steps(runs: Sequence[AnsweringRun], mine: Series) -> list[TableRow]:
    """The share of each step in the time of our runs."""
    shares: defaultdict[str, list[float]] = defaultdict(list)
    for run, whole in zip(runs, mine.seconds, strict=True):
        steps = {f"elicit, {kind}": spent for kind, spent in run.seconds_by_kind().items()}
        steps["relate"] = sum(answer.seconds.relate for answer in run.answers)
        steps["solve"] = sum(answer.seconds.solve for answer in run.answers)
        steps["the rest"] = whole - sum(steps.values())
        for step, spent in steps.items():
            shares[step].append(100 * spent / whole)
    note = "Of the time of our side of the first row."
    return [
        TableRow("questions", f"step: {step}", "% of the time", Series(OURS, tuple(values)), None, note)
        for step, values in shares.items()
    ]
