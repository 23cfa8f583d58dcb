"""Runs a method over the items of a data set, batch by batch, and records failures.

A question that fails is recorded as unscored with its reason. A question that has a record is not asked
again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Method, Outcome, in_shares
from maieutic.benchmarks.methods.direct import NO_READING
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.benchmarks.methods.self_check import NOTHING_SAID
from maieutic.benchmarks.methods.self_consistency import NO_VERDICTS
from maieutic.benchmarks.runs.records import Record
from maieutic.cache.store import ResponseStore, Tally
from maieutic.errors import MaieuticError, ServerError
from maieutic.models import LoadedModels

__all__ = ["Stopped", "check_judged", "judged", "run", "unanswered"]

# Called between batches: whether to stop.
Stopped = Callable[[], bool]


def unanswered(items: Sequence[Item], answered: Container[str]) -> list[Item]:
    """The items that have no record yet, given the ids of those that have one."""
    return [item for item in items if item.id not in answered]


def run(
    items: Sequence[Item],
    method: Method,
    models: LoadedModels,
    batch: int,
    stopped: Stopped = lambda: False,
    cache: ResponseStore | None = None,
) -> Iterator[list[Record]]:
    """The records of the items, ``batch`` at a time, until ``stopped`` says so.

    Args:
        cache: the models' own; its requests are divided equally among the records of a batch.
    """
    for group in _groups(items, batch):
        if stopped():
            return
        before = cache.tally if cache else Tally()
        outcomes = _outcomes(group, method, models)
        done = (cache.tally if cache else Tally()) - before
        shares = zip(in_shares(done.requests, len(group)), in_shares(done.cached, len(group)), strict=True)
        yield [
            replace(Record.of(item, outcome), requests=requests, cached=cached)
            for item, outcome, (requests, cached) in zip(group, outcomes, shares, strict=True)
        ]


def check_judged(records: Sequence[Record], lm: str) -> None:
    """Refuse a run in which the language model judged nothing; its share of right answers means nothing.

    Args:
        lm: the model's name; "" where trees were given.

    Raises:
        MaieuticError: on more than half of the questions the model said neither true nor false.
    """
    silent = sum(map(_unjudged, records))
    if lm and 2 * silent > len(records):
        raise MaieuticError(
            f"{lm} judged nothing on {silent} of {len(records)} questions: {NO_READING}; choose "
            "other --prompts, or another model",
            subject=lm,
        )


def _unjudged(record: Record) -> bool:
    """Whether the model said neither true nor false, about the question or anything in its tree."""
    facts = record.tree_facts
    return record.problem in {NO_READING, NO_VERDICTS, NOTHING_SAID} if facts is None else not facts.judged


def _groups(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _outcomes(items: Sequence[Item], method: Method, models: LoadedModels) -> list[Outcome]:
    """Judge a batch. If it fails, judge each question alone and record why one fails.

    Raises:
        ServerError: the models' server failed. The questions of the batch stay without a record.
    """
    try:
        return judged(items, method, models)
    except ServerError:
        raise
    except MaieuticError as error:
        if len(items) == 1:
            return [Outcome(None, problem=str(error))]
    return [outcome for item in items for outcome in _outcomes([item], method, models)]


def judged(items: Sequence[Item], method: Method, models: LoadedModels) -> list[Outcome]:
    """Answer the items' trees, or judge their texts if they have none, all together.

    Raises:
        MaieuticError: an item cannot be judged; the message does not say which.
    """
    able = [item for item in items if not item.problem]
    trees = [item.tree for item in able if item.tree is not None]
    if trees:
        assert isinstance(method, MaieuticMethod)
        judged = iter(method.conclude(trees, models))
    else:
        judged = iter(method.run([item.text for item in able], models) if able else [])
    return [Outcome(None, problem=item.problem) if item.problem else next(judged) for item in items]
