"""Frozen dataclasses from and to JSON text, checked by pydantic; one sentence when they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from maieutic.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["dump_json", "parse_json"]

T = TypeVar("T")

_SHOWN = 60  # characters of an offending value that a message quotes


def parse_json(cls: type[T], text: str | bytes) -> T:
    """Build ``cls`` (a dataclass) from one JSON object, strictly: no text for a number, no 0 for false.

    Fields that the class does not have are ignored.

    Raises:
        InputError: not JSON, not UTF-8, or the first thing that does not fit, with its place and value.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - keeps `import maieutic` light

    try:
        return cast("T", _adapter(cls).validate_json(text, strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    except InputError as error:  # a class's own check, raised while it was built
        raise InputError(str(error)) from None
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    if first["type"] == "json_invalid":
        raise InputError(first["msg"].replace("line 1 column", "column"))  # a record is one line
    value = repr(first["input"])
    shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    raise InputError(f"{place.lstrip('.') or 'the record'}: {first['msg']} (found {shown})")


def dump_json(record: Any) -> str:
    """The record as one line of JSON; fields that equal their default are kept, text is not escaped."""
    return _adapter(type(record)).dump_json(record).decode()


def _build(cls: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(cls)


_adapter = cast("Callable[[type[Any]], TypeAdapter[Any]]", cache(_build))
