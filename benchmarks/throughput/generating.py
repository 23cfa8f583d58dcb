"""Generated tokens per second, beside Transformers' ``generate`` and its continuous batching."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from transformers import GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.utils import WorkloadHints

from maieutic.batching import padded
from maieutic.benchmarks.throughput.clock import Side
from maieutic.benchmarks.throughput.packages import version_of
from maieutic.benchmarks.throughput.rows import Row, Series
from maieutic.benchmarks.throughput.sentences import sentence
from maieutic.benchmarks.throughput.workbench import TEXTS, Workbench
from maieutic.errors import ModelError
from maieutic.lm.base import LanguageModel, Prompt
from maieutic.lm.decoding import Decoder

__all__ = ["Drawer", "Workload", "drawn_tokens", "generate_rows", "workloads"]

BATCH_SIZES = {"cpu": (8, 32, 128), "cuda": (64, 256, 1024)}
BATCH_TOKENS = {"cpu": (64, 512, 2048), "cuda": (None,)}  # of continuous batching; None: as it sees fit
PAGE = 256  # tokens, of continuous batching
LONGEST = 64  # tokens of a text of varied length, the paper's limit
SEED = 0
TEMPERATURE = 1.0


@dataclass(frozen=True, slots=True)
class Workload:
    """Texts to draw.

    Attributes:
        what: in the table.
        n: texts of each prompt.
        longest: tokens of a text, at most.
        ends: makes the model end its texts as this workload wants them.
    """

    what: str
    prompts: list[Prompt]
    n: int
    longest: int
    ends: Callable[[], AbstractContextManager[None]]


def workloads(bench: Workbench) -> list[Workload]:
    """Prompts without and with examples; texts of one length, and as different as a method's texts are."""
    subject, texts = bench.subject, TEXTS * bench.questions
    n = bench.config.width(1)
    bare = [
        Prompt(subject.prompts.format, "", (), sentence(number).affirmed)
        for number in range(20_000, 20_000 + texts)
    ]
    same = Workload(
        f"tokens drawn, no shared examples, {bench.new_tokens} a text",
        bare,
        1,
        bench.new_tokens,
        subject.endless,
    )
    asked = list(islice(bench.prompts("explain", texts), -(-texts // n)))
    if not subject.random:
        varied = f"tokens drawn, {n} texts a few-shot prompt, ending as the model will, ≤ {LONGEST}"
        return [same, Workload(varied, asked, n, LONGEST, _as_it_will)]
    mean = bench.new_tokens
    varied = f"tokens drawn, {n} texts a few-shot prompt, of 1 to {LONGEST} tokens"
    return [same, Workload(varied, asked, n, LONGEST, lambda: subject.ending(mean))]


class Drawer:
    """Our way."""

    def __init__(self, bench: Workbench, load: Workload) -> None:
        self._bench, self._load = bench, load
        self._lm: LanguageModel | None = None

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has read no examples yet: reading them is part of the work."""
        with self._load.ends():
            self._lm = self._bench.subject.fresh()
            yield

    def work(self) -> float:
        """Draw all texts; returns the number of tokens."""
        assert self._lm is not None
        load = self._load
        with drawn_tokens() as lengths:
            self._lm.sample(
                load.prompts,
                load.n,
                max_new_tokens=load.longest,
                temperature=TEMPERATURE,
                top_p=1.0,
                seed=SEED,
            )
        if not lengths:
            raise ModelError(f"{self._lm.name} is left to Transformers' generate: nothing of ours to measure")
        return sum(lengths)


class Generate:
    """Transformers' ``generate``: left-padded batches of prompts of similar length."""

    def __init__(self, bench: Workbench, load: Workload, batch_size: int) -> None:
        self._bench, self._load = bench, load
        self._rows = max(1, batch_size // load.n)  # prompts
        self._config = _config(bench, load)

    @contextmanager
    def around(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._load.ends())
            stack.enter_context(self._bench.subject.plain())
            torch.manual_seed(SEED)
            yield

    def work(self) -> float:
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
        self._texts = len(self._rows) * load.n
        longest = max(map(len, self._rows))
        pages = (math.ceil((longest + load.longest) / PAGE) + 1) * self._texts
        on_cpu = bench.subject.checkpoint.device.type == "cpu"  # where it would take most of the memory
        self._batching = ContinuousBatchingConfig(
            page_size=PAGE, num_blocks=pages if on_cpu else None, max_batch_tokens=batch_tokens, seed=SEED
        )
        self._hints = WorkloadHints(longest, load.longest, self._texts)
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
        vocabulary = self._bench.subject.vocabulary
        self._manager.add_requests(inputs=self._rows, max_new_tokens=self._load.longest)
        tokens = finished = 0
        while finished < self._texts:
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


def generate_rows(bench: Workbench) -> list[Row]:
    """For each workload a row against ``generate`` and one against continuous batching."""
    rows: list[Row] = []
    for load in workloads(bench):
        rows += _rows_of(bench, load)
    return rows


def _rows_of(bench: Workbench, load: Workload) -> list[Row]:
    device = bench.subject.checkpoint.device.type
    ours = Drawer(bench, load)
    details = {"texts": len(load.prompts) * load.n}
    sides = [Side("maieutic", ours.work, ours.around, details)]
    version = version_of("transformers")
    candidates: dict[str, list[Side]] = {
        f"generate of transformers {version}": [
            Side("", one.work, one.around, {"batch_size": size})
            for size in BATCH_SIZES[device]
            for one in [Generate(bench, load, size)]
        ],
        f"continuous batching of transformers {version}": [
            Side("", one.work, one.around, {"batch_tokens": size})
            for size in BATCH_TOKENS[device]
            for one in [ContinuousBatching(bench, load, size)]
        ],
    }
    missing: dict[str, str] = {}
    for name, settings in candidates.items():
        best, reason = bench.clock.fastest(settings)
        if best is None:
            missing[name] = f"does not run on {device}: {reason}"
        else:
            sides.append(Side(name, best.work, best.around, best.details))
    series = bench.clock.interleaved(*sides)
    others = {found.name: found for found in series[1:]}
    return [
        Row(
            "generate",
            load.what,
            "per second",
            series[0],
            others.get(name),
            _compared(load, name, others.get(name)),
            missing.get(name, ""),
        )
        for name in candidates
    ]


def _compared(load: Workload, name: str, other: Series | None) -> str:
    best = ""
    if other is not None:
        key = next(key for key in ("batch_size", "batch_tokens") if key in other.details)
        tried = ", ".join(str(setting[key]) for setting in other.details["tried"])
        best = f", best of {key.replace('_', ' ')} {tried}: {other.details[key]}"
    return f"{len(load.prompts) * load.n} texts of {len(load.prompts)} prompts at temperature 1{best}"


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
def _as_it_will() -> Iterator[None]:
    yield


@contextmanager
def drawn_tokens() -> Iterator[list[int]]:
    """Collects how many tokens each text has that our decoder draws meanwhile."""
    lengths: list[int] = []
    plain = Decoder.draw

    def draw(self: Decoder, *arguments: Any) -> list[list[int]]:
        found = plain(self, *arguments)
        lengths.extend(map(len, found))
        return found

    setattr(Decoder, "draw", draw)  # noqa: B010 - mypy refuses the plain assignment
    try:
        yield lengths
    finally:
        setattr(Decoder, "draw", plain)  # noqa: B010
