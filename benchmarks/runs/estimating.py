"""The cost of a run before it is made, as a range, from a few of its questions."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Method, Usage
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import run
from maieutic.checkpoints.process import usable_cores
from maieutic.models import LoadedModels

__all__ = ["SAMPLE", "Estimate", "Range", "estimate"]

BATCHES = (1, 2, 5)  # questions of the sample that are asked together; the first pays for what is done once
SAMPLE = sum(BATCHES)
OF_TREES = (1, 4, 27)
"""The same where the questions bring their trees: these need no language model but differ by far. Of the
published trees half have a single node, others some hundred pairs."""
UNSEEN = (0.5, 2.0)  # cost of a question unlike those of the sample, in means of these
ERRORS = 1.9  # standard errors to each side: Student's t at 90 % for seven degrees of freedom


@dataclass(frozen=True, slots=True)
class Range:
    """Where a number of the whole run is expected, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated cost of a run.

    Attributes:
        sampled: questions in the sample; ``questions`` in the run.
        prompt_tokens, generated_tokens, calls, pairs: see :class:`maieutic.usage.Usage`.
        minutes: wall clock, without the time to load the models.
    """

    sampled: int
    questions: int
    prompt_tokens: Range
    generated_tokens: Range
    calls: Range
    pairs: Range
    minutes: Range


def estimate(items: Sequence[Item], method: Method, models: LoadedModels, batch: int, seed: int) -> Estimate:
    """Ask :data:`SAMPLE` questions (32 that bring trees), drawn with ``seed``, and extrapolate.

    Tokens and calls: the mean of a question, 1.9 standard errors to each side. Where texts are generated
    there is room for questions unlike those of the sample: one more, of half or twice the mean. (Else a
    sample of questions that cost the same would make the range a point.) Seconds: a batch takes some time
    whatever its size, and some for each question; how much of either, two batches of the sample tell. At best
    the run's full batches share the first; at worst they gain nothing over the sample's. Both are widened as
    the tokens are. Where other programs kept the processor busy, the least is what it would be without them.

    Args:
        batch: questions of the run that are asked together.
    """
    sizes = OF_TREES if any(item.tree is not None for item in items) else BATCHES
    sample = random.Random(seed).sample(list(items), min(sum(sizes), len(items)))  # noqa: S311 - no secret
    records, seconds, rest = [], [], sample
    for size in sizes:
        group, rest = rest[:size], rest[size:]
        start = time.perf_counter()
        records += [record for done in run(group, method, models, min(size, batch)) for record in done]
        seconds.append(time.perf_counter() - start)
    usages = [record.usage for record in records]
    unseen = UNSEEN if any(usage.generated_tokens for usage in usages) else (1.0, 1.0)
    ranges = {
        name: _total([getattr(usage, name) for usage in usages], len(items), unseen)
        for name in Usage.__dataclass_fields__
    }
    minutes = _minutes(seconds, sizes, records, len(items), batch)
    return Estimate(len(sample), len(items), minutes=minutes, **ranges)


def _total(numbers: Sequence[float], questions: int, unseen: tuple[float, float]) -> Range:
    """The range of a sum over all questions; exact where all of them are in the sample."""
    if len(numbers) >= questions:
        return Range(math.fsum(numbers), math.fsum(numbers))
    mean, error = fmean(numbers), _error(numbers)
    least, most = ((len(numbers) + other) / (len(numbers) + 1) for other in unseen)
    return Range(max(0.0, mean - error) * least * questions, (mean + error) * most * questions)


def _error(numbers: Sequence[float]) -> float:
    return ERRORS * stdev(numbers) / math.sqrt(len(numbers)) if len(numbers) > 1 else 0.0


def _minutes(
    seconds: Sequence[float], sizes: Sequence[int], records: Sequence[Record], questions: int, batch: int
) -> Range:
    if len(records) < sum(sizes):  # all questions were asked
        return Range(sum(seconds) / 60, sum(seconds) / 60)
    first, small, large = seconds
    _, few, many = sizes
    each = max(0.0, (large - small) / (many - few))  # seconds of a question, and of a batch without questions
    fixed = max(0.0, small - few * each)
    shared = fixed * math.ceil(questions / batch) + each * questions
    alone = questions * large / many
    once = max(0.0, first - large / many)
    work = [float(r.usage.generated_tokens + r.usage.calls + r.usage.pairs) for r in records]
    spread = _error(work) / fmean(work) if any(work) else 0.0
    low, high = sorted((shared, alone))
    least = (once + low * max(0.0, 1 - spread)) * _own_share()
    return Range(least / 60, (once + high * (1 + spread)) / 60)


def _own_share() -> float:
    """Cores by processes that wanted to run, over the last minute: 1 on a machine that is not overloaded.

    1 too where the operating system does not say.
    """
    if not hasattr(os, "getloadavg"):
        return 1.0
    return min(1.0, usable_cores() / max(os.getloadavg()[0], 1.0))
