"""The models that a server lists, in the formats of several servers."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from maieutic.errors import InputError, MaieuticError, ModelError
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.request import Request, RequestRejected, UnreachableServerError

__all__ = ["find_model"]

_NAME_FIELDS = ("id", "name", "model")
_LISTED_NAMES, _NAME_CHARS = 20, 80  # names of models in a message
_LATEST = ":latest"  # Ollama's tag for a name without one


def find_model(connection: Connection, model: str) -> tuple[str, Mapping[str, Any]]:
    """The name of a model on the server (of the only one for ""), and its entry in /models.

    The entry is empty if the server does not list its models, or lists the name by a wildcard.

    Raises:
        ModelError: the list lacks the model, or the address is wrong.
        InputError: no name is given, and the server lists several models or none.
    """
    url = connection.url
    try:
        (reply,) = connection.send([Request("/models", schema=object)], opening=True)
    except RequestRejected as rejection:
        return model, _unlisted(url, model, f"({rejection.status}: {rejection.message})")
    except UnreachableServerError:
        raise
    except MaieuticError:
        if model and url.endswith("/v1"):
            return model, {}  # its endpoints may work all the same
        raise
    models = _entries(reply)
    names = ", ".join(name[:_NAME_CHARS] for name in list(models)[:_LISTED_NAMES]) or "none"
    names += f" and {len(models) - _LISTED_NAMES} more" if len(models) > _LISTED_NAMES else ""
    if not model:
        if len(models) != 1:
            raise InputError(f"name a model after #, as in {url}#NAME; the server has {names}", subject=url)
        return next(iter(models.items()))
    if not models:
        return model, _unlisted(url, model, "(the list is empty)")
    entry = _match(models, model)
    if entry is None:
        raise ModelError(f"{url} has no model {model!r}; choose one that it has: {names}", subject=model)
    return model, entry


def _entries(reply: Any) -> dict[str, Mapping[str, Any]]:
    """The entries by name: of a list, or of a list in an object, of names or of objects with names."""
    listed = reply
    if isinstance(reply, dict):
        listed = next((reply[key] for key in ("data", "models") if isinstance(reply.get(key), list)), [])
    entries: dict[str, Mapping[str, Any]] = {}
    for item in listed if isinstance(listed, list) else []:
        entry = {"id": item} if isinstance(item, str) else item if isinstance(item, dict) else {}
        names = [entry[key] for key in _NAME_FIELDS if isinstance(entry.get(key), str) and entry[key]]
        if names:
            entries.setdefault(names[0], entry)
    return entries


def _match(models: Mapping[str, Mapping[str, Any]], model: str) -> Mapping[str, Any] | None:
    """The entry of a model: by its name, an alias, its name with or without ":latest", or a wildcard."""
    aliases = {alias: entry for entry in models.values() for alias in _aliases(entry)}
    for name in (model, model + _LATEST, model.removesuffix(_LATEST)):
        if entry := models.get(name) or aliases.get(name):
            return entry
    wildcards = (name for name in models if "*" in name and fnmatchcase(model, name))
    return {} if next(wildcards, None) else None


def _aliases(entry: Mapping[str, Any]) -> list[str]:
    aliases = entry.get("aliases")
    return [alias for alias in aliases if isinstance(alias, str)] if isinstance(aliases, list) else []


def _unlisted(url: str, model: str, reason: str) -> Mapping[str, Any]:
    """The empty entry of a model on a server that lists none, if the address may be right."""
    problem = f"{url} lists no models {reason}"
    if not url.endswith("/v1"):
        raise ModelError(f"{problem}; check the address, which mostly ends in /v1", subject=url)
    if not model:
        raise InputError(f"{problem}; name one after #, as in {url}#NAME", subject=url)
    return {}
