"""Records without their trees, for runs whose records do not fit into memory in full.

Comparisons need an answer and some numbers of every question, which is a tenth of a record. Reading a million
of them takes about half a minute and one GiB. msgspec reads them: it builds no objects for what is left out,
which halves the time.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.benchmarks.methods.base import Usage
from maieutic.benchmarks.runs.folder import RECORDS, Run, read_run
from maieutic.benchmarks.runs.records import Record, TreeFacts
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import parse_json
from maieutic.files.reading import open_data
from maieutic.text import NO_VERDICT

__all__ = ["Brief", "read_brief", "read_places", "stream_records"]


@dataclass(frozen=True, slots=True)
class Brief(Record):
    """A record without its tree, the model's texts and the details.

    Attributes:
        tree_facts: what comparisons need of the tree.
    """

    tree_facts: TreeFacts | None = None

    @classmethod
    def from_json(cls, text: str | bytes) -> Brief:
        """Read a record; the fields that a brief one lacks are not checked.

        Raises:
            InputError: the text is not a record; the message names the field.
        """
        try:
            line = _decoder().decode(text)
        except ValueError:  # it says less about what is wrong, and does not read NaN
            line = parse_json(_Line, text)
        return cls(
            line.id,
            line.text,
            line.gold,
            line.pair,
            line.answer,
            p_true=line.p_true,
            margin=line.margin,
            margin_unit=line.margin_unit,
            usage=line.usage,
            seconds=line.seconds,
            problem=line.problem,
            requests=line.requests,
            cached=line.cached,
            belief_source=line.belief_source,
            tree_facts=None if line.reasoning is None else line.reasoning.tree.facts,
        )


@cache
def _decoder() -> Any:
    """Parser of a :class:`_Line` that makes no conversions between types; raises ValueError."""
    return bench_library("msgspec").json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class _Node:
    parent: str | None
    p_true: float | None


@dataclass(frozen=True, slots=True)
class _Discard:
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Tree:
    """The parts of :class:`maieutic.tree.Tree` that its facts depend on."""

    nodes: tuple[_Node, ...]
    pruned: tuple[_Node, ...] = ()
    discarded: tuple[_Discard, ...] = ()

    @property
    def facts(self) -> TreeFacts:
        all_nodes = (*self.nodes, *self.pruned)
        discarded = tuple((item.kind, item.reason) for item in self.discarded)
        judged = any(node.p_true is not None for node in all_nodes) or not any(
            reason == NO_VERDICT for _, reason in discarded
        )
        explanations = sum(node.parent is not None for node in all_nodes)
        return _facts(min(len(self.nodes), 2), explanations, discarded, judged)


@lru_cache(maxsize=10_000)
def _facts(size: int, explanations: int, discarded: tuple[tuple[str, str], ...], judged: bool) -> TreeFacts:
    """One object for all trees with the same facts."""
    return TreeFacts(("empty", "one-node", "grown")[size], explanations, discarded, judged)


@dataclass(frozen=True, slots=True)
class _Reasoning:
    tree: _Tree


@dataclass(frozen=True, slots=True)
class _Line:
    """The fields of :class:`Record` that are read."""

    id: str
    text: str
    gold: bool | None
    pair: str
    answer: bool | None
    p_true: float | None = None
    margin: float | None = None
    margin_unit: str | None = None
    usage: Usage = field(default=Usage())
    seconds: float = 0.0
    problem: str | None = None
    reasoning: _Reasoning | None = None
    requests: int = 0
    cached: int = 0
    belief_source: str | None = None


def read_brief(folder: Path) -> Run:
    """Read a run's configuration and brief records.

    Raises:
        FileFormatError: a file is missing or damaged; the message names it and the line.
    """
    _decoder()  # else a line would be blamed if msgspec is missing
    with _without_collector():
        return read_run(folder, Brief.from_json)


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for circles of objects: records have none, and it would visit all of them repeatedly."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_places(run: Run, places: Collection[int]) -> Run:
    """The run with some of its records in full.

    Args:
        places: indices of records in the file, from 0.

    Raises:
        FileFormatError: the file cannot be read, or one of the records is not valid.
    """
    chosen = set(places)
    path = run.folder / RECORDS

    def kept() -> Iterator[Record]:
        with open_data(path) as lines:
            for place, line in enumerate(line for line in lines if line.strip()):
                if place in chosen:
                    yield Record.from_json(line)

    return Run(run.name, run.folder, run.config, tuple(kept()))


def stream_records(folder: Path) -> Iterator[Record]:
    """The records of a run in full, one at a time.

    Raises:
        FileFormatError: the file cannot be read, or a line is not a record.
    """
    return (record for _, record in read_records(folder / RECORDS, Record.from_json))
