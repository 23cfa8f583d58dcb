"""Questions with options, read as published.

- CommonsenseQA (Talmor et al. 2019), ``dev_rand_split.jsonl``: id, question {stem, choices [{label, text}]},
  answerKey.
- ARC easy and challenge (Clark et al. 2018), ``ARC-Easy-Dev.jsonl``, …; OpenBookQA (Mihaylov et al. 2018),
  ``dev.jsonl``: the same.
- PIQA (Bisk et al. 2020), ``valid.jsonl`` with ``valid-labels.lst``: goal, sol1, sol2.
- Social IQa (Sap et al. 2019), ``dev.jsonl`` with ``dev-labels.lst``: context, question, answerA, answerB,
  answerC.
- Trees grown elsewhere, any ``.jsonl`` or ``.jsonl.gz``: question {stem, choices}, answer_key, choices
  [{label, nodes}].

A file is recognised by its rows, so that it may have any name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maieutic.benchmarks.datasets.rows import FileRow, find_file, read_content, read_rows
from maieutic.errors import FileFormatError, InputError
from maieutic.problem.base import bare_tree
from maieutic.problem.choosing import check_options
from maieutic.sentences.options import option_statements
from maieutic.tree import Proposition, Tree

__all__ = ["ChoiceItem", "read_choices"]


@dataclass(frozen=True, slots=True)
class ChoiceItem:
    """A question with options.

    Attributes:
        id: of the row, unique within its file.
        gold: place of the right option; None where it is not published.
        trees: of the options, grown elsewhere; () for none. An option whose tree was empty has its statement
            by rule and no beliefs.
    """

    id: str
    question: str
    options: tuple[str, ...]
    gold: int | None
    trees: tuple[Tree, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Option:
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class _Stem:
    stem: str
    choices: tuple[_Option, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    id: str
    question: _Stem
    answerKey: str = ""  # noqa: N815 - as published


@dataclass(frozen=True, slots=True)
class _GrownOption:
    label: str
    nodes: tuple[Proposition, ...]


@dataclass(frozen=True, slots=True)
class _Grown:
    id: str
    question: _Stem
    choices: tuple[_GrownOption, ...]
    answer_key: str = ""


@dataclass(frozen=True, slots=True)
class _Goal:
    goal: str
    sol1: str
    sol2: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class _Social:
    context: str
    question: str
    answerA: str  # noqa: N815
    answerB: str  # noqa: N815
    answerC: str  # noqa: N815


_FIRST_LABEL: Mapping[type[Any], int] = {_Goal: 0, _Social: 1}


def read_choices(path: Path) -> list[ChoiceItem]:
    """The questions of a published file, plain or gzipped; labels are read from the file beside it.

    Raises:
        FileFormatError: the file cannot be read or has an invalid row (with the line).
    """
    rows = read_rows(path)
    kind = _kind(rows[0])
    labels = _labels(path, len(rows), _FIRST_LABEL[kind]) if kind in _FIRST_LABEL else None
    items: list[ChoiceItem] = []
    known: set[str] = set()
    for place, row in enumerate(rows):
        item = _item(row, row.parse(kind), labels[place] if labels else None, str(place + 1))
        if item.id in known:
            raise row.error(f"the id {item.id!r} occurs twice")
        known.add(item.id)
        items.append(item)
    return items


def _kind(row: FileRow) -> type[Any]:
    try:
        keys = json.loads(row.json).keys()
    except (ValueError, AttributeError):
        raise row.error("the row is no JSON object") from None
    for key, kind in (("choices", _Grown), ("goal", _Goal), ("answerA", _Social)):
        if key in keys:
            return kind
    if "question" in keys:
        return _Question
    raise row.error("the row has neither 'question' nor 'goal': it is of no known data set")


def _item(row: FileRow, parsed: object, label: int | None, number: str) -> ChoiceItem:
    try:
        match parsed:
            case _Goal(goal=goal, sol1=one, sol2=other):
                return _checked(number, goal, (one, other), label)
            case _Social(context=context, question=question):
                three = (parsed.answerA, parsed.answerB, parsed.answerC)
                return _checked(number, f"{context} {question}", three, label)
            case _Grown() | _Question():
                key = parsed.answer_key if isinstance(parsed, _Grown) else parsed.answerKey
                options = tuple(choice.text for choice in parsed.question.choices)
                names = [choice.label for choice in parsed.question.choices]
                gold = names.index(key) if key else None
                item = _checked(parsed.id, parsed.question.stem, options, gold)
                return _grown(item, names, parsed.choices) if isinstance(parsed, _Grown) else item
    except InputError as error:
        raise row.error(str(error)) from error
    except ValueError:
        raise row.error("the key of the answer is that of no option") from None
    raise AssertionError(type(parsed))


def _checked(item_id: str, question: str, options: Sequence[str], gold: int | None) -> ChoiceItem:
    asked, texts = check_options(question, options, distinct=False)
    if gold is not None and not 0 <= gold < len(texts):
        raise InputError(f"the label {gold} is that of no option", subject="label")
    return ChoiceItem(item_id, asked, texts, gold)


def _grown(item: ChoiceItem, names: Sequence[str], choices: Sequence[_GrownOption]) -> ChoiceItem:
    nodes = {choice.label: choice.nodes for choice in choices}
    if stray := next((name for name in nodes if name not in names), None):
        raise InputError(f"the tree of {stray!r} is that of no option", subject=stray)
    trees = []
    for name, option in zip(names, item.options, strict=True):
        root = next((node for node in nodes.get(name, ()) if node.parent is None), None)
        if root is None:
            trees.append(bare_tree(option_statements(item.question, option)[0]))
        else:
            trees.append(Tree(root.statement, root.statement, root.negation, nodes[name]))
    return ChoiceItem(item.id, item.question, item.options, item.gold, tuple(trees))


def _labels(path: Path, count: int, first: int) -> list[int] | None:
    """The places of the right options, from the ``-labels.lst`` beside a file; None without one.

    Args:
        first: the label of the first option.
    """
    stem = path.name.removesuffix(".gz").removesuffix(".jsonl")
    beside = find_file(path.parent, f"{stem}-labels.lst")
    if beside is None:
        return None
    lines = read_content(beside).split()
    if len(lines) != count:
        raise FileFormatError(beside, None, f"{len(lines)} labels for {count} questions; fetch both again")
    try:
        numbers = [int(line) for line in lines]
    except ValueError:
        raise FileFormatError(beside, None, "a label is no number; fetch the file again") from None
    return [number - first for number in numbers]
