"""Reads a prompt file and refuses one that would quietly spoil a run.

A file is TOML: some settings, the examples ``[[facts]]`` and ``[[pairs]]``, and a table
``[prompts.<kind>]`` for each of the kinds; ``paper.toml`` beside this module shows it all. A file may do
without ``[prompts.knowledge]``; one that has it gives every fact its ``knowledge``. With
``zero_shot = true``, for models trained on the prompts themselves, the examples are checked and left out.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from maieutic.errors import FileFormatError
from maieutic.lm.base import Shot
from maieutic.prompts.base import (
    FIELDS,
    KNOWLEDGE,
    Form,
    PromptSet,
    Template,
    answer_fields,
    statement_fields,
)

__all__ = ["parse_prompts"]

MIN_EXAMPLES = 6
ANSWERS = ("true", "false")
RELATIONS = ("contradiction", "neutral", "entailment")
CHOSEN = {"verdict", "direct", "entailment"}  # kinds whose reply is one of the options

_FACT = {"question": str, "statement": str, "negation": str, "answer": bool, "because": str}
_FACT_MORE = {KNOWLEDGE: str}
_PAIR = {"premise": str, "hypothesis": str, "relation": str}
_TYPE_NAMES: dict[type, str] = {str: "a string", bool: "true or false", list: "a list", dict: "a table"}


class _RuleError(Exception):
    """What is wrong, where, and what to do; the path is added at the top."""


@dataclass(frozen=True, slots=True)
class _Example:
    where: str
    words: dict[str, str]  # the fields a reply may use
    label: str  # one of ANSWERS or RELATIONS
    option: str  # the label in the words of this set


def parse_prompts(text: str, path: str | Path) -> PromptSet:
    """The prompt set written in ``text``; ``path`` is only named in errors.

    Raises:
        FileFormatError: the text is not TOML (with the line), or breaks a rule (with the key).
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not only TOMLDecodeError: also absurd numbers
        place = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = int(place[1]) if place else None
        problem = str(error).replace(place[0], "") if place else str(error)
        raise FileFormatError(path, line, f"this is not valid TOML: {problem}") from error
    try:
        return _prompt_set(document)
    except _RuleError as error:
        raise FileFormatError(path, None, str(error)) from None


def _prompt_set(document: dict[str, Any]) -> PromptSet:
    style = document.get("format")
    if style not in ("text", "chat"):
        raise _RuleError('format: must be "text" (base models) or "chat" (instruct models)')
    settings = {"name": str, "format": str, "answers": list, "relation_options": list}
    tables = {"facts": list, "pairs": list, "prompts": dict}
    text_only = {"marker": str} if style == "text" else {}
    keys = settings | text_only | {"zero_shot": bool} | tables
    top = _checked(document, "the file", keys, optional=["zero_shot"])
    answers = _options(top["answers"], "answers", ANSWERS, style)
    relations = _options(top["relation_options"], "relation_options", RELATIONS, style)
    facts = [_fact(table, index, answers) for index, table in enumerate(top["facts"], 1)]
    pairs = [_pair(table, index, relations) for index, table in enumerate(top["pairs"], 1)]
    _check_mix(facts, "[[facts]]", ANSWERS, [("question",), ("statement",)])
    _check_mix(pairs, "[[pairs]]", RELATIONS, [("premise", "hypothesis")])
    prompts = _checked(top["prompts"], "[prompts]", dict.fromkeys(FIELDS, dict), optional=[KNOWLEDGE])
    for fact in facts if KNOWLEDGE in prompts else ():
        if KNOWLEDGE not in fact.words:
            raise _RuleError(f"{fact.where}: {KNOWLEDGE} is missing; [prompts.{KNOWLEDGE}] shows it")
    forms = {
        kind: _form(kind, table, style, pairs if kind == "entailment" else facts)
        for kind, table in prompts.items()
    }
    marker = top.get("marker", "")
    if marker:
        _check_marker(marker, forms)
    if top.get("zero_shot", False):
        forms = {kind: replace(form, shots=()) for kind, form in forms.items()}
    return PromptSet(
        name=top["name"],
        format=cast(Literal["text", "chat"], style),
        marker=marker,
        answers=(answers["true"], answers["false"]),
        relation_options=cast(tuple[str, str, str], tuple(relations.values())),
        forms=forms,
    )


def _checked(
    table: object, where: str, keys: Mapping[str, type], optional: Sequence[str] = ()
) -> dict[str, Any]:
    """The table, once it has exactly these keys, with values of these types and no idle blanks."""
    if not isinstance(table, dict):
        raise _RuleError(f"{where}: must be a table")
    for key, value in table.items():
        if key not in keys:
            raise _RuleError(f"{where}: unknown key {key!r}; the keys here are {', '.join(keys)}")
        if type(value) is not keys[key]:  # not isinstance: a boolean is no string, nor the reverse
            raise _RuleError(f"{where}: {key} must be {_TYPE_NAMES[keys[key]]}")
        if isinstance(value, str) and (not value or value != value.strip()):
            raise _RuleError(f"{where}: {key} must not be empty, nor begin or end with a blank")
    for key in keys:
        if key not in table and key not in optional:
            raise _RuleError(f"{where}: {key} is missing; add it")
    return dict(table)


def _options(values: list[object], where: str, labels: Sequence[str], style: str) -> dict[str, str]:
    """The set's own words for the labels, in the order of the labels."""
    blank = " " if style == "text" else ""
    words = [value for value in values if isinstance(value, str)]
    if len(words) != len(values) or len(words) != len(labels):
        raise _RuleError(f"{where}: must be {len(labels)} strings, for {', '.join(labels)}")
    for word in words:
        if not word.strip() or "\n" in word or word != blank + word.strip():
            rule = "one blank and then a word" if blank else "a word without blanks around it"
            raise _RuleError(f"{where}: {word!r} must be {rule}, as it follows the opening of a reply")
        if sum(other.startswith(word) for other in words) > 1:
            raise _RuleError(f"{where}: another option begins with {word!r}; make them differ at once")
    return dict(zip(labels, words, strict=True))


def _fact(table: object, index: int, answers: Mapping[str, str]) -> _Example:
    where = f"[[facts]] entry {index}"
    fact = _checked(table, where, _FACT | _FACT_MORE, optional=list(_FACT_MORE))
    label = "true" if fact.pop("answer") else "false"
    for key, text in fact.items():
        if not text.endswith("?" if key == "question" else "."):
            end = "a question mark" if key == "question" else "a full stop"
            raise _RuleError(f"{where}: {key} must end with {end}")
    _check_lines(fact, where)
    if fact["negation"].casefold() == fact["statement"].casefold():
        raise _RuleError(f"{where}: negation is the statement itself; write its opposite")
    words = fact | statement_fields(fact["statement"]) | answer_fields(answers[label])
    words["explanation"] = fact["because"][0].upper() + fact["because"][1:]
    return _Example(where, words, label, answers[label])


def _pair(table: object, index: int, relations: Mapping[str, str]) -> _Example:
    where = f"[[pairs]] entry {index}"
    pair = _checked(table, where, _PAIR)
    _check_lines(pair, where)
    label = pair["relation"]
    if label not in relations:
        raise _RuleError(f"{where}: relation must be one of {', '.join(RELATIONS)}, not {label!r}")
    words = pair | {"relation": relations[label].strip()}
    return _Example(where, words, label, relations[label])


def _check_lines(words: Mapping[str, str], where: str) -> None:
    for key, text in words.items():
        if "\n" in text:
            raise _RuleError(f"{where}: {key} has a line break, where replies end; use one line")


def _check_mix(
    examples: Sequence[_Example],
    where: str,
    labels: Sequence[str],
    unique: Sequence[tuple[str, ...]],
) -> None:
    """Enough examples, no label above another by more than a third of all, no ``unique`` twice."""
    if len(examples) < MIN_EXAMPLES:
        raise _RuleError(f"{where}: {len(examples)} entries; give at least {MIN_EXAMPLES}")
    counts = Counter(example.label for example in examples)
    if 3 * (max(counts.values()) - min(counts[label] for label in labels)) > len(examples):
        shares = ", ".join(f"{counts[label]} {label}" for label in labels)
        raise _RuleError(f"{where}: {shares} is uneven and would bias the model; balance them")
    for keys in unique:
        seen: dict[tuple[str, ...], str] = {}
        for example in examples:
            words = tuple(example.words[key].casefold() for key in keys)
            if words in seen:
                raise _RuleError(f"{example.where}: {' and '.join(keys)} as in {seen[words]}")
            seen[words] = example.where


def _form(kind: str, table: object, style: str, examples: Sequence[_Example]) -> Form:
    where, fields = f"[prompts.{kind}]", FIELDS[kind]
    text_only = {"opening": str} if style == "text" else {}
    keys = {"instruction": str, "query": str} | text_only | {"reply": str}
    texts = _checked(table, where, keys, optional=["instruction"])
    given = set().union(*fields.inputs)
    query = _template(texts["query"], f"{where}: query", given)
    opening = _template(texts.get("opening", ""), f"{where}: opening", given)
    reply = _template(texts["reply"], f"{where}: reply", set(examples[0].words))
    for group in fields.inputs:
        if not group & (query.fields | opening.fields):
            raise _RuleError(f"{where}: query must use {_braced(group)}")
    if not fields.outputs & reply.fields:
        raise _RuleError(f"{where}: reply must use {_braced(fields.outputs)}")
    if style == "text" and "\n\n" in texts["query"]:
        raise _RuleError(f"{where}: query has an empty line, which separates examples; remove it")
    if "\n" in texts["reply"]:
        raise _RuleError(f"{where}: reply has a line break, where replies end; use one line")
    if style == "text" and not texts["reply"].startswith(texts["opening"] + " "):
        raise _RuleError(f"{where}: reply must begin with the opening and a blank")
    shots = tuple(Shot(query.fill(it.words), reply.fill(it.words)) for it in examples)
    for example, shot in zip(examples, shots, strict=True):
        rest = shot.reply[len(opening.fill(example.words)) :]
        if kind in CHOSEN and not rest.startswith(example.option):
            raise _RuleError(f"{where}: reply must go on with {example.option!r} after the opening")
    return Form(texts.get("instruction", ""), shots, query, opening)


def _template(text: str, where: str, known: set[str]) -> Template:
    try:
        return Template.compile(text, known)
    except ValueError as error:
        raise _RuleError(f"{where}: {error}") from None


def _braced(names: frozenset[str]) -> str:
    return " or ".join(f"{{{name}}}" for name in sorted(names))


def _check_marker(marker: str, forms: Mapping[str, Form]) -> None:
    """A belief reply is cut at the marker and the verdict is read where the marker ends."""
    if any(shot.reply.count(marker) != 1 for shot in forms["belief"].shots):
        raise _RuleError("[prompts.belief]: reply must contain the marker, and once only")
    opening = forms["verdict"].opening
    if not opening.fill(dict.fromkeys(opening.fields, "")).endswith(marker):
        raise _RuleError("[prompts.verdict]: opening must end with the marker")
