"""The ways to judge a statement that are compared: names, settings as text, descriptions.

All of them ask the same model with the same prompt set; none of them retrieves anything.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from maieutic.benchmarks.methods.base import Method, Outcome, Usage
from maieutic.benchmarks.methods.cascade import Cascade
from maieutic.benchmarks.methods.chain_of_thought import ChainOfThought
from maieutic.benchmarks.methods.direct import Direct
from maieutic.benchmarks.methods.generated_knowledge import GeneratedKnowledge
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.benchmarks.methods.self_consistency import SelfConsistency
from maieutic.errors import InputError

__all__ = ["METHODS", "Method", "Outcome", "Usage", "build_method", "describe", "settings_of"]

METHODS: Mapping[str, type[Any]] = {
    "direct": Direct,
    "chain-of-thought": ChainOfThought,
    "self-consistency": SelfConsistency,
    "generated-knowledge": GeneratedKnowledge,
    "maieutic": MaieuticMethod,
    "cascade": Cascade,
}

NO_SETTINGS = {"seed"}  # the run's

_TRUTH = {"true": True, "false": False}
_ATTRIBUTES = re.compile(r"^Attributes:\n(.*)", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {6,}.*)*)", re.MULTILINE)


def build_method(name: str, settings: Mapping[str, object], seed: int) -> Method:
    """The method of that name, with its defaults where nothing else is set.

    Args:
        settings: by name, as ``--set`` takes them ("3,1" for a tuple) or as :func:`settings_of` gives them.
        seed: of all sampling; methods that never sample ignore it.

    Raises:
        InputError: there is no such method or setting, or a value does not fit; the message names it.
    """
    cls = _method(name)
    known = _settings(cls)
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in known:
            others = f"its settings are {', '.join(known)}" if known else "it has none"
            hint = "; give the seed to the run" if key == "seed" else ""
            raise InputError(f"{name} has no setting {key!r}; {others}{hint}")
        values[key] = _parsed(key, value, known[key])
    if "seed" in cls.__dataclass_fields__:
        values["seed"] = seed
    method: Method = cls(**values)
    return method


def settings_of(method: Method) -> dict[str, Any]:
    """The settings by name, as plain values (tuples as lists); the seed is not among them."""
    values = {name: getattr(method, name) for name in _settings(type(method))}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def describe(name: str) -> str:
    """What the method does, then one line a setting: its name, default and meaning.

    Raises:
        InputError: there is no such method.
    """
    cls = _method(name)
    doc = (inspect.getdoc(cls) or "").replace("``", "")
    found = _ATTRIBUTES.search(doc)
    about = doc[: found.start()] if found else doc
    meanings = dict(_ATTRIBUTE.findall(found[1])) if found else {}
    lines = [about.strip()]
    for key, default in settings_of(cls()).items():
        lines.append(f"  {key}={_text(default)}  {' '.join(meanings[key].split())}")
    return "\n".join(lines)


def _method(name: str) -> type[Any]:
    if name not in METHODS:
        raise InputError(f"the method must be one of {', '.join(METHODS)}, not {name!r}")
    return METHODS[name]


def _settings(cls: type[Any]) -> dict[str, Any]:
    """The types of a method's settings, by name."""
    types = get_type_hints(cls)
    every: tuple[Field[Any], ...] = fields(cls)
    return {item.name: types[item.name] for item in every if item.name not in NO_SETTINGS}


def _text(value: object) -> str:
    """A plain value as ``--set`` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def _parsed(key: str, value: object, wanted: Any) -> Any:
    """The value that a text means, by the type of its setting."""
    text = _text(value).strip()
    several, arguments = get_origin(wanted) is tuple, get_args(wanted)
    kind = arguments[0] if several else wanted
    try:
        if several:
            return tuple(_one(part.strip(), kind) for part in text.split(","))
        return _one(text, kind)
    except (ValueError, KeyError):
        what = " or ".join(_table(kind)) or f"{'numbers' if several else 'a number'}"
        what += (" without a fraction" if kind is int else "") + (", joined by commas" if several else "")
        raise InputError(f"{key} must be {what}, not {text[:60]!r}") from None


def _one(text: str, kind: Any) -> Any:
    """Raises ValueError or KeyError where the text is none of the kind."""
    if kind is str:
        return text
    if "_" in text:  # Python's own way to group digits
        raise ValueError
    table = _table(kind)
    return table[text] if table else kind(text)


def _table(kind: Any) -> Mapping[str, Any]:
    """The words that mean a value of the kind; empty for numbers."""
    if get_origin(kind) is Literal:
        return {option: option for option in get_args(kind)}
    return _TRUTH if kind is bool else {}
