"""Generated tokens per second, beside Transformers' ``generate`` and its continuous batching."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import torch
from transformers import GenerationConfig

from maieutic.benchmarks.throughput.clock import OURS, Side, best_of
from maieutic.benchmarks.throughput.hardware import Sizes, Work, copying, counted, rate
from maieutic.benchmarks.throughput.script import sentence
from maieutic.benchmarks.throughput.table import Series, TableRow
from maieutic.benchmarks.throughput.workbench import TEXTS, Workbench
from maieutic.checkpoints.batching import padded
from maieutic.checkpoints.internals import continuous_batching
from maieutic.errors import ModelError
from maieutic.lm.base import LanguageModel, Prompt, SamplingParams
from maieutic.lm.local.decoding import Decoder

__all__ = ["Drawer", "Generate", "Workload", "bare", "drawn_tokens", "few_shot", "generate_rows"]

BATCH_SIZES = {"cpu": (8, 16, 32), "cuda": (64, 256, 1024)}
BATCH_TOKENS = {"cpu": (512, 2048), "cuda": (None,)}  # of continuous batching; None: as it sees fit
PAGE = 256  # tokens, of continuous batching
LONGEST = 64  # tokens of a text of varied length, the paper's limit
SEED = 0
TEMPERATURE = 1.0


@dataclass(frozen=True, slots=True)
class Workload:
    """Texts to draw.

    Attributes:
        what: in the note.
        n: texts of each prompt.
        longest: tokens of a text, at most.
        ends: makes the model end its texts as this workload wants them.
    """

    what: str
    prompts: list[Prompt]
    n: int
    longest: int
    ends: Callable[[], AbstractContextManager[None]]

    @property
    def texts(self) -> int:
        """How many are drawn."""
        return len(self.prompts) * self.n


def bare(bench: Workbench) -> Workload:
    """Prompts that share nothing, texts of one length: decoding alone."""
    places = range(20_000, 20_000 + TEXTS[bench.clock.device.type] * bench.questions)
    form = bench.subject.prompts.format
    prompts = [Prompt(form, "", (), sentence(number).affirmed) for number in places]
    what = f"that share nothing, {bench.new_tokens} tokens a text"
    return Workload(what, prompts, 1, bench.new_tokens, bench.subject.endless)


def few_shot(bench: Workbench) -> Workload:
    """Few-shot prompts with several texts each, as different in length as a method's texts are."""
    n = bench.config.width(1)
    texts = TEXTS[bench.clock.device.type] * bench.questions // 2
    prompts = bench.prompts("explain", math.ceil(texts / n))
    if not bench.subject.random:
        what = f"for explanations, {n} texts each, ending as the model will, {LONGEST} tokens at most"
        return Workload(what, prompts, n, LONGEST, nullcontext)
    what = f"for explanations, {n} texts each, of 1 to {LONGEST} tokens, some {bench.new_tokens} on average"
    return Workload(what, prompts, n, LONGEST, lambda: bench.subject.ending(bench.new_tokens))


class Drawer:
    """Draws texts with maieutic.

    Attributes:
        computed: the model's work in the last run.
    """

    def __init__(self, bench: Workbench, load: Workload) -> None:
        self._bench, self._load = bench, load
        self._lm: LanguageModel | None = None
        self.computed = Work()

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has not read the examples yet: reading them is part of the work."""
        with self._load.ends(), counted(self._bench.subject.checkpoint.model) as self.computed:
            self._lm = self._bench.subject.fresh()
            yield

    def work(self) -> float:
        """Draw all texts; returns the number of tokens."""
        assert self._lm is not None
        load = self._load
        with drawn_tokens() as lengths:
            self._lm.sample(load.prompts, load.n, SamplingParams(load.longest, TEMPERATURE, seed=SEED))
        if not lengths:
            problem = (
                f"{self._lm.name} is decoded by Transformers' generate; measure a model that maieutic decodes"
            )
            raise ModelError(problem, subject=self._lm.name)
        return sum(lengths)


class Generate:
    """Transformers' ``generate``: left-padded batches of prompts of similar length."""

    def __init__(self, bench: Workbench, load: Workload, batch_size: int) -> None:
        self._bench, self._load = bench, load
        self._rows = max(1, batch_size // load.n)  # prompts
        self._config = _config(bench, load)

    @contextmanager
    def around(self) -> Iterator[None]:
        with self._load.ends(), self._bench.subject.plain():
            torch.manual_seed(SEED)
            yield

    def work(self) -> float:
        """Draw all texts; returns the number of tokens, those aside that come after a text's end."""
        subject = self._bench.subject
        rows = sorted(subject.tokens(self._load.prompts), key=len, reverse=True)
        device, pad = subject.checkpoint.device, subject.vocabulary.pad
        tokens = 0
        for start in range(0, len(rows), self._rows):
            batch = rows[start : start + self._rows]
            ids = torch.from_numpy(padded(batch, pad, "left")).to(device)
            mask = torch.from_numpy(padded([[1] * len(row) for row in batch], 0, "left")).to(device)
            with torch.inference_mode():
                drawn = subject.checkpoint.model.generate(
                    input_ids=ids, attention_mask=mask, generation_config=self._config
                )
            for place, row in enumerate(drawn[:, ids.shape[1] :].tolist()):
                tokens += _length(row, subject.stops)
                subject.vocabulary.text_after(batch[place // self._load.n], row)
        return tokens


class ContinuousBatching:
    """Transformers' continuous batching; every run has a new manager, warmed up before the clock starts."""

    def __init__(self, bench: Workbench, load: Workload, batch_tokens: int | None) -> None:
        self._bench, self._load = bench, load
        self._rows = [list(row) for row in bench.subject.tokens(load.prompts)]
        longest = max(map(len, self._rows))
        pages = (math.ceil((longest + load.longest) / PAGE) + 1) * load.texts
        on_cpu = bench.subject.checkpoint.device.type == "cpu"  # where it would take most of the memory
        config, hints = continuous_batching()
        self._batching = config(
            page_size=PAGE, num_blocks=pages if on_cpu else None, max_batch_tokens=batch_tokens, seed=SEED
        )
        self._hints = hints(longest, load.longest, load.texts)
        self._manager: Any = None

    @contextmanager
    def around(self) -> Iterator[None]:
        model = self._bench.subject.checkpoint.model
        with ExitStack() as stack:
            stack.enter_context(self._load.ends())
            stack.enter_context(self._bench.subject.plain())
            self._manager = stack.enter_context(
                model.continuous_batching_context_manager(
                    generation_config=_config(self._bench, self._load),
                    continuous_batching_config=self._batching,
                    workload_hints=self._hints,
                )
            )
            yield

    def work(self) -> float:
        """Draw all texts; returns the number of tokens."""
        vocabulary = self._bench.subject.vocabulary
        self._manager.add_requests(inputs=self._rows, max_new_tokens=self._load.longest)
        tokens = finished = 0
        while finished < self._load.texts:
            result = self._manager.get_result(timeout=1)
            if result is None and not self._manager.is_running():
                raise RuntimeError("its thread ended before all texts were drawn")
            if result is None or not result.is_finished():
                continue
            if result.error:
                raise RuntimeError(result.error)
            vocabulary.text_after(tuple(result.prompt_ids[-1:]), result.generated_tokens)
            tokens += len(result.generated_tokens)
            finished += 1
        return tokens


def generate_rows(bench: Workbench) -> list[TableRow]:
    """For each workload a row beside ``generate`` and one beside continuous batching; the memory's rate."""
    alone = bare(bench)
    first = Drawer(bench, replace(alone, longest=1))
    begun = Side("maieutic, first tokens", first.work, first.around)
    ours, rows, begun_series, copied = _compared(bench, alone, begun, copying(bench.clock))
    later = [whole - part for whole, part in zip(rows[0].ours.seconds, begun_series.seconds, strict=True)]
    read = Sizes.of(bench.subject.checkpoint.model).bytes_read(ours.computed - first.computed) / 1e9
    note = (
        "What must be read after the first tokens of the texts that share nothing: in each step the weights, "
        "and each text's keys and values; in the time of that row, less that of its first tokens."
    )
    share = TableRow(
        "generate", "decoding: memory bandwidth", "GB/s", rate(read, later), copied, note, reads="share"
    )
    _, more, *_ = _compared(bench, few_shot(bench))
    return [*rows, *more, share]


def _compared(bench: Workbench, load: Workload, *others: Side) -> tuple[Any, ...]:
    """(our drawer, the workload's two rows, the series of the other sides)."""
    clock, kind = bench.clock, bench.clock.device.type
    ours = Drawer(bench, load)
    mine = Side(OURS, ours.work, ours.around, {"texts": load.texts})
    tried: dict[str, list[Side]] = {"generate": [], "continuous batching": []}
    sizes = BATCH_SIZES[kind]
    for size in [size for last, size in zip((0, *sizes), sizes, strict=False) if last < load.texts]:
        one = Generate(bench, load, size)
        tried["generate"].append(Side("generate", one.work, one.around, {"batch_size": size}))
    for limit in BATCH_TOKENS[kind]:
        two = ContinuousBatching(bench, load, limit)
        details = {"batch_tokens": limit or "its own choice"}
        tried["continuous batching"].append(Side("continuous batching", two.work, two.around, details))
    fastest = {name: clock.fastest(settings) for name, settings in tried.items()}
    clock.once(mine)
    best = [side for side, _ in fastest.values() if side]
    first, *series = clock.interleaved(mine, *others, *best)
    by_name = {one.name: one for one in series[len(others) :]}
    rows = [_row(load, first, by_name.get(name), reason) for name, (_, reason) in fastest.items()]
    return ours, rows, *series[: len(others)]


def _row(load: Workload, ours: Series, other: Series | None, reason: str) -> TableRow:
    note = f"{load.texts} texts of {len(load.prompts)} prompts {load.what}."
    if other is not None:
        note += f" {best_of(other)}"
    return TableRow("generate", "tokens drawn", "per second", ours, other, note, reason)


def _config(bench: Workbench, load: Workload) -> GenerationConfig:
    return GenerationConfig(
        max_new_tokens=load.longest,
        do_sample=True,
        temperature=TEMPERATURE,
        top_p=1.0,
        top_k=0,
        num_return_sequences=load.n,
        eos_token_id=bench.subject.stops,
        pad_token_id=bench.subject.vocabulary.pad,
    )


def _length(row: Sequence[int], stops: Sequence[int]) -> int:
    """The tokens of a text, the one that ends it included."""
    return next((place + 1 for place, token in enumerate(row) if token in stops), len(row))


@contextmanager
def drawn_tokens() -> Iterator[list[int]]:
    """Collects the number of tokens of each text that maieutic's decoder draws."""
    lengths: list[int] = []
    plain = Decoder.draw

    def draw(self: Decoder, *arguments: Any) -> list[list[int]]:
        drawn = plain(self, *arguments)
        lengths.extend(map(len, drawn))
        return drawn

    with patch.object(Decoder, "draw", draw):
        yield lengths
