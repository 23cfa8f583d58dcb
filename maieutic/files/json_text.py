"""Dataclasses from and to JSON text, validated strictly by pydantic."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from maieutic.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["dump_json", "parse_json"]

T = TypeVar("T")

_SHOWN = 60  # characters of a bad value that a message quotes


def parse_json(cls: type[T], text: str | bytes) -> T:
    """Build the dataclass ``cls`` from one JSON object, without conversions between types (0 is not false).

    Unknown fields are ignored.

    Raises:
        InputError: the text is not UTF-8 or not JSON, or a value does not match its field. ``subject`` is
            the path of the first such field, as in ``nodes[1].p_true``, or what the class's own check says.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - keeps `import maieutic` light

    try:
        return cast("T", _adapter(cls).validate_json(text, strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    except InputError as error:  # from the class's own check; without pydantic's traceback
        raise InputError(str(error), subject=error.subject) from None
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    if first["type"] == "json_invalid":
        raise InputError(first["msg"].replace("line 1 column", "column"))  # a record is one line
    value = repr(first["input"])
    shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    field = field.lstrip(".")
    raise InputError(f"{field or 'the record'}: {first['msg']} (got {shown})", subject=field)


def dump_json(record: Any) -> str:
    """The record as one line of JSON, with all fields, defaults included, and without ASCII escapes."""
    return _adapter(type(record)).dump_json(record).decode()


def _build(cls: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(cls)


_adapter = cast("Callable[[type[Any]], TypeAdapter[Any]]", cache(_build))
