"""Parses prompt files and rejects those that would bias or break a run without notice.

A prompt file is TOML: settings, the examples ``[[facts]]`` and ``[[pairs]]``, and one table
``[prompts.<kind>]`` for each kind of prompt; see ``paper.toml`` beside this module. ``[prompts.knowledge]``
is optional; a file that has it needs ``knowledge`` in every fact. With ``zero_shot = true``, for models
trained on the prompts themselves, the examples are checked but not shown.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from maieutic.errors import FileFormatError, InputError
from maieutic.lm.base import Shot
from maieutic.prompts.base import (
    FIELDS,
    KNOWLEDGE,
    PromptForm,
    PromptSet,
    Template,
    answer_fields,
    statement_fields,
)

__all__ = ["parse_prompts"]

MIN_EXAMPLES = 6
ANSWERS = ("true", "false")
RELATIONS = ("contradiction", "neutral", "entailment")
MULTIPLE_CHOICE = {"verdict", "direct", "entailment"}  # kinds whose reply is one of the options

_FACT = {"question": str, "statement": str, "negation": str, "answer": bool, "because": str}
_FACT_MORE = {KNOWLEDGE: str}
_PAIR = {"premise": str, "hypothesis": str, "relation": str}
_TYPE_NAMES: dict[type, str] = {str: "a string", bool: "true or false", list: "a list", dict: "a table"}


@dataclass(frozen=True, slots=True)
class _Example:
    """One entry of ``[[facts]]`` or ``[[pairs]]``."""

    where: str
    words: dict[str, str]  # field → value, for queries and replies
    label: str  # one of ANSWERS or RELATIONS
    option: str  # the option of this prompt set for the label


def parse_prompts(text: str, path: str | Path) -> PromptSet:
    """Parse a prompt set from ``text``; ``path`` is used in errors only.

    Raises:
        FileFormatError: the text is not valid TOML (with the line), or violates a rule. Then the
            ``__cause__`` is an InputError whose ``subject`` is the table, entry or key.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also for huge numbers and deep nesting
        place = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = int(place[1]) if place else None
        problem = str(error).replace(place[0], "") if place else str(error)
        raise FileFormatError(path, line, f"this is not valid TOML: {problem}; correct it") from error
    try:
        return _prompt_set(document)
    except InputError as error:
        raise FileFormatError(path, None, str(error)) from error


def _error(where: str, problem: str) -> InputError:
    return InputError(f"{where}: {problem}", subject=where)


def _key(table: str, key: str) -> str:
    """Where a key is: the name of its table, "" for the top level, and its own name."""
    return f"{table}: {key}" if table else key


def _prompt_set(document: dict[str, Any]) -> PromptSet:
    style = document.get("format")
    if style not in ("text", "chat"):
        raise _error("format", 'must be "text" (base models) or "chat" (instruct models)')
    settings = {"name": str, "format": str, "answers": list, "relation_options": list}
    tables = {"facts": list, "pairs": list, "prompts": dict}
    text_only = {"marker": str} if style == "text" else {}
    keys = settings | text_only | {"zero_shot": bool} | tables
    top = _checked(document, "", keys, optional=["zero_shot"])
    answers = _options(top["answers"], "answers", ANSWERS, style)
    relations = _options(top["relation_options"], "relation_options", RELATIONS, style)
    facts = [_fact(table, index, answers) for index, table in enumerate(top["facts"], 1)]
    pairs = [_pair(table, index, relations) for index, table in enumerate(top["pairs"], 1)]
    _check_mix(facts, "[[facts]]", ANSWERS, [("question",), ("statement",)])
    _check_mix(pairs, "[[pairs]]", RELATIONS, [("premise", "hypothesis")])
    prompts = _checked(top["prompts"], "[prompts]", dict.fromkeys(FIELDS, dict), optional=[KNOWLEDGE])
    for fact in facts if KNOWLEDGE in prompts else ():
        if KNOWLEDGE not in fact.words:
            raise _error(_key(fact.where, KNOWLEDGE), f"missing; [prompts.{KNOWLEDGE}] shows it")
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
        shows_facts=not top.get("zero_shot", False),
    )


def _checked(
    table: object, where: str, keys: Mapping[str, type], optional: Sequence[str] = ()
) -> dict[str, Any]:
    """A copy of the table; its keys and types must match ``keys``, and strings must be stripped."""
    if not isinstance(table, dict):
        raise _error(where, "must be a table")
    for key, value in table.items():
        if key not in keys:
            raise _error(_key(where, key), f"unknown key; the keys here are {', '.join(keys)}")
        if type(value) is not keys[key]:  # not isinstance: strict types
            raise _error(_key(where, key), f"must be {_TYPE_NAMES[keys[key]]}")
        if isinstance(value, str) and (not value or value != value.strip()):
            raise _error(_key(where, key), "must not be empty and must not begin or end with a space")
    for key in keys:
        if key not in table and key not in optional:
            raise _error(_key(where, key), "missing; add it")
    return dict(table)


def _options(values: list[object], where: str, labels: Sequence[str], style: str) -> dict[str, str]:
    """Label → option of this prompt set, in the order of the labels."""
    space = " " if style == "text" else ""
    words = [value for value in values if isinstance(value, str)]
    if len(words) != len(values) or len(words) != len(labels):
        raise _error(where, f"must be {len(labels)} strings, one each for {', '.join(labels)}")
    for word in words:
        if not word.strip() or "\n" in word or word != space + word.strip():
            rule = "one space and a word" if space else "a word without spaces around it"
            raise _error(where, f"{word!r} must be {rule}, as it continues the opening of a reply")
        if sum(other.startswith(word) for other in words) > 1:
            raise _error(where, f"another option begins with {word!r}; choose options with other beginnings")
    return dict(zip(labels, words, strict=True))


def _fact(table: object, index: int, answers: Mapping[str, str]) -> _Example:
    where = f"[[facts]] entry {index}"
    fact = _checked(table, where, _FACT | _FACT_MORE, optional=list(_FACT_MORE))
    label = "true" if fact.pop("answer") else "false"
    for key, text in fact.items():
        if not text.endswith("?" if key == "question" else "."):
            end = "a question mark" if key == "question" else "a full stop"
            raise _error(_key(where, key), f"must end with {end}")
    _check_lines(fact, where)
    if fact["negation"].casefold() == fact["statement"].casefold():
        raise _error(_key(where, "negation"), "equals the statement; write its opposite")
    words = fact | statement_fields(fact["statement"]) | answer_fields(answers[label])
    words["explanation"] = fact["because"][0].upper() + fact["because"][1:]
    return _Example(where, words, label, answers[label])


def _pair(table: object, index: int, relations: Mapping[str, str]) -> _Example:
    where = f"[[pairs]] entry {index}"
    pair = _checked(table, where, _PAIR)
    _check_lines(pair, where)
    label = pair["relation"]
    if label not in relations:
        raise _error(_key(where, "relation"), f"must be one of {', '.join(RELATIONS)}, not {label!r}")
    words = pair | {"relation": relations[label].strip()}
    return _Example(where, words, label, relations[label])


def _check_lines(words: Mapping[str, str], where: str) -> None:
    for key, text in words.items():
        if "\n" in text:
            raise _error(_key(where, key), "has a line break, which ends a reply; use one line")


def _check_mix(
    examples: Sequence[_Example],
    where: str,
    labels: Sequence[str],
    unique: Sequence[tuple[str, ...]],
) -> None:
    """Check for enough examples, balanced labels (counts within a third of all) and ``unique`` keys."""
    if len(examples) < MIN_EXAMPLES:
        raise _error(where, f"{len(examples)} entries; give at least {MIN_EXAMPLES}")
    counts = Counter(example.label for example in examples)
    if 3 * (max(counts.values()) - min(counts[label] for label in labels)) > len(examples):
        mix = ", ".join(f"{counts[label]} {label}" for label in labels)
        raise _error(where, f"{mix} would bias the model; balance the labels")
    for keys in unique:
        seen: dict[tuple[str, ...], str] = {}
        for example in examples:
            words = tuple(example.words[key].casefold() for key in keys)
            if words in seen:
                raise _error(example.where, f"{' and '.join(keys)} as in {seen[words]}; change one")
            seen[words] = example.where


def _form(kind: str, table: object, style: str, examples: Sequence[_Example]) -> PromptForm:
    where, fields = f"[prompts.{kind}]", FIELDS[kind]
    text_only = {"opening": str} if style == "text" else {}
    keys = {"instruction": str, "query": str} | text_only | {"reply": str}
    texts = _checked(table, where, keys, optional=["instruction"])
    inputs = set().union(*fields.inputs)
    query = _template(texts["query"], _key(where, "query"), inputs)
    opening = _template(texts.get("opening", ""), _key(where, "opening"), inputs)
    reply = _template(texts["reply"], _key(where, "reply"), set(examples[0].words))
    for group in fields.inputs:
        if not group & (query.fields | opening.fields):
            raise _error(_key(where, "query"), f"must use {_braced(group)}")
    if not fields.outputs & reply.fields:
        raise _error(_key(where, "reply"), f"must use {_braced(fields.outputs)}")
    if style == "text" and "\n\n" in texts["query"]:
        raise _error(_key(where, "query"), "has an empty line, which separates examples; remove it")
    if "\n" in texts["reply"]:
        raise _error(_key(where, "reply"), "has a line break, which ends a reply; use one line")
    if style == "text" and not texts["reply"].startswith(texts["opening"] + " "):
        raise _error(_key(where, "reply"), "must begin with the opening and a space")
    shots = tuple(Shot(query.fill(it.words), reply.fill(it.words)) for it in examples)
    for example, shot in zip(examples, shots, strict=True):
        rest = shot.reply[len(opening.fill(example.words)) :]
        if kind in MULTIPLE_CHOICE and not rest.startswith(example.option):
            raise _error(_key(where, "reply"), f"must continue the opening with {example.option!r}")
    return PromptForm(texts.get("instruction", ""), shots, query, opening)


def _template(text: str, where: str, known: set[str]) -> Template:
    try:
        return Template.compile(text, known)
    except ValueError as error:
        raise _error(where, str(error)) from None


def _braced(names: frozenset[str]) -> str:
    return " or ".join(f"{{{name}}}" for name in sorted(names))


def _check_marker(marker: str, forms: Mapping[str, PromptForm]) -> None:
    """Belief replies are cut at the marker, and verdicts are read after it, so both must have it."""
    if any(shot.reply.count(marker) != 1 for shot in forms["belief"].shots):
        raise _error(_key("[prompts.belief]", "reply"), "must contain the marker exactly once")
    opening = forms["verdict"].opening
    if not opening.fill(dict.fromkeys(opening.fields, "")).endswith(marker):
        raise _error(_key("[prompts.verdict]", "opening"), "must end with the marker")
