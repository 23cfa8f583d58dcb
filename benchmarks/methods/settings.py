"""Conversion of settings, plain values or texts under dotted names, to frozen dataclasses and back.

Every field of a dataclass is a setting. A field that is a dataclass has settings of its own under its name
(``tree.depth``). A field with the metadata ``{"choices": {name: class}}`` takes the name of one of several
dataclasses, each of which can be made without arguments, and has the settings of that class. With ::

    inference: Joint | Vote = field(default=Joint(), metadata={"choices": {"joint": Joint, "vote": Vote}})

there are ``inference=vote`` and ``inference.merge=true``. The settings of a dataclass in a field with the
metadata :data:`FLAT` stand among those around it, without its name. A field ``seed``, and one with the
metadata ``{"setting": False}``, is not a setting.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from maieutic.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["FLAT", "build", "documented", "plain", "text"]

T = TypeVar("T")

FLAT = {"flat": True}

SEED = "seed"  # of the run, wherever a dataclass has one
_CHOICES = "choices"
_SHOWN = 60  # characters of an offending value that a message quotes
_ATTRIBUTES = re.compile(r"^Attributes:\n(.*)", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {6,}.*)*)", re.MULTILINE)


def build(default: T, settings: Mapping[str, object], seed: int, path: str = "") -> T:
    """The dataclass ``default`` with these settings, and with the seed wherever there is one.

    Args:
        settings: by dotted name, as text ("3,1" for a tuple) or as :func:`plain` gives them.
        path: prefix of the names in messages, "" or ending in a dot.

    Raises:
        InputError: there is no such setting, or a value does not fit; ``subject`` is its dotted name.
    """
    cls: Any = type(default)
    types = get_type_hints(cls)
    left, values = dict(settings), dict[str, Any]()
    for item in _settable(cls):
        current = _chosen(item, getattr(default, item.name), left, path)
        if is_dataclass(current):
            inner = _taken(item, current, left)
            values[item.name] = build(current, inner, seed, path + _prefix(item))
        elif item.name in left:
            values[item.name] = _parsed(f"{path}{item.name}", left.pop(item.name), types[item.name], current)
    if left:
        name = next(iter(left))
        raise InputError(_unknown(name, default, path), subject=f"{path}{name}")
    if SEED in cls.__dataclass_fields__:
        values[SEED] = seed
    try:
        return replace(default, **values)  # type: ignore[type-var]
    except InputError as error:
        name = error.subject or str(error).partition(" ")[0]
        if type(error) is not InputError or name not in types:
            raise
        raise InputError(f"{path}{error}", subject=f"{path}{name}") from None


def plain(value: Any) -> dict[str, Any]:
    """The settings of a dataclass by dotted name, as plain values (tuples as lists)."""
    return {name: _as_plain(item, setting) for name, item, setting, _ in _walk(value)}


def documented(value: Any) -> Iterator[tuple[str, Any, str]]:
    """Every setting of a dataclass: its dotted name, its plain value, and its meaning from the docstring."""
    for name, item, setting, owner in _walk(value):
        doc = _ATTRIBUTES.search((inspect.getdoc(owner) or "").replace("``", ""))
        meaning = dict(_ATTRIBUTE.findall(doc[1])).get(item.name, "") if doc else ""
        yield name, _as_plain(item, setting), " ".join(meaning.split())


def text(value: object) -> str:
    """A plain value as ``--set`` takes it.

    >>> text(True), text([3, 1])
    ('true', '3,1')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(text, value)) if isinstance(value, list | tuple) else str(value)


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Field[Any], Any, type[Any]]]:
    """Dotted name, field, value and class of every setting; nested dataclasses only give their fields."""
    for item in _settable(type(value)):
        setting = getattr(value, item.name)
        if _CHOICES in item.metadata or not is_dataclass(setting):
            yield f"{path}{item.name}", item, setting, type(value)
        if is_dataclass(setting):
            yield from _walk(setting, path + _prefix(item))


def _settable(cls: type[Any]) -> Iterator[Field[Any]]:
    return (f for f in fields(cls) if f.name != SEED and f.metadata.get("setting", True))


def _prefix(item: Field[Any]) -> str:
    """What the names of the settings in a field's dataclass begin with."""
    return "" if item.metadata.get("flat") else f"{item.name}."


def _as_plain(item: Field[Any], value: Any) -> Any:
    if _CHOICES in item.metadata:
        return next(name for name, cls in item.metadata[_CHOICES].items() if cls is type(value))
    return list(value) if isinstance(value, tuple) else value


def _chosen(item: Field[Any], current: Any, left: dict[str, object], path: str) -> Any:
    """The current value, or the chosen class with its defaults if another class is chosen."""
    if _CHOICES not in item.metadata or item.name not in left:
        return current
    choices, name = item.metadata[_CHOICES], left.pop(item.name)
    if not isinstance(name, str) or name not in choices:
        problem = f"{path}{item.name} must be one of {', '.join(choices)}, not {name!r:.{_SHOWN}}"
        raise InputError(problem, subject=f"{path}{item.name}")
    return current if isinstance(current, choices[name]) else choices[name]()


def _taken(item: Field[Any], current: Any, left: dict[str, object]) -> dict[str, object]:
    """The settings of the field's dataclass, by their names in it; they are removed from ``left``."""
    start, names = _prefix(item), {f.name for f in _settable(type(current))}
    mine = [key for key in left if (key.startswith(start) if start else key.partition(".")[0] in names)]
    return {key.removeprefix(start): left.pop(key) for key in mine}


def _unknown(name: str, default: Any, path: str) -> str:
    known = ", ".join(path + key for key in plain(default))
    others = f"the settings are {known}" if known else "there are none"
    hint = "; give the seed to the run" if name == SEED else ""
    return f"there is no setting {path + name!r}; {others}{hint}"


def _parsed(name: str, value: object, kind: Any, default: object) -> Any:
    """The value, without conversion between types. A text is read as text, JSON, or elements of an array."""
    from pydantic import ValidationError  # noqa: PLC0415 - keeps --help fast

    written = json.dumps(value, default=str)
    problems = []
    for reading in (written, value, f"[{value}]") if isinstance(value, str) else (written,):
        try:
            return _adapter(kind).validate_json(reading, strict=True)
        except ValidationError as error:
            problems.append(error.errors(include_url=False)[0]["msg"])
    rule = problems[0].replace("Input should be", "must be").replace("a valid array", "numbers with commas")
    shown = f"{text(value)!r:.{_SHOWN}}"
    raise InputError(f"{name} {rule}, not {shown}; the default is {text(default)!r}", subject=name)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(kind)
