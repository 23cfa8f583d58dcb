"""Finds out what a server has and can do, once, with small requests.

One request lists the models, one asks each endpoint for a token with probabilities, and one splits a text
into tokens. If the server rejects a request, it is repeated with fewer fields: without the settings that
switch off the server's own truncation, or with fewer top tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maieutic.errors import InputError, MaieuticError, ModelError
from maieutic.lm.server.exchange import MISSING, Connection, Request, RequestRejected
from maieutic.lm.server.replies import first_tokens

__all__ = ["CHAT", "COMPLETIONS", "Endpoint", "ServedModel", "TokenCount", "probe", "tokenize_request"]

WrittenPrompt = str | list[dict[str, str]]  # a prompt as plain text, or as the messages of a chat
COMPLETIONS, CHAT = "/completions", "/chat/completions"
TOP_TOKENS = (20, 5)  # the limit of most servers, and of some

# Settings that allow every token to be drawn; the first set that a server accepts is used. They are those of
# vLLM, SGLang and llama.cpp; those that llama-cpp-python checks; those of the API itself.
_OPEN = {"min_p": 0.0, "repetition_penalty": 1.0, "repeat_penalty": 1.0}
_SETTINGS: tuple[Mapping[str, Any], ...] = ({"top_k": -1, **_OPEN}, {"top_k": 0, **_OPEN}, {})
_NO_REASONING = {"chat_template_kwargs": {"enable_thinking": False}}

_REMEDIES = {  # by the owner of the model in /models
    "vllm": "start vLLM with --max-logprobs 20",
    "library": "use Ollama 0.12.11 or later",
    "llamacpp": "llama.cpp's server gives them, so use it without the proxy that drops them",
    "me": "start llama-cpp-python with --logits_all true",
}
_REMEDY = (
    "start vLLM with --max-logprobs 20, llama-cpp-python with --logits_all true; llama.cpp's own server and "
    "SGLang give them by default, Ollama since version 0.12.11, and some hosted servers never"
)
_CHAT_WITH_SYSTEM = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Count to ten."},
]
_LISTED_NAMES, _NAME_CHARS = 20, 80  # names of models in a message


@dataclass(frozen=True)
class ModelList:
    """The reply of /models."""

    data: list[dict[str, Any]]


@dataclass(frozen=True)
class TokenCount:
    """The reply of a tokenizer, in the formats of several servers."""

    count: int | None = None
    tokens: list[Any] | None = None

    @property
    def number(self) -> int | None:
        """The number of tokens, None if the reply does not give it."""
        return self.count if self.tokens is None else len(self.tokens)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that continues prompts.

    Attributes:
        path: COMPLETIONS or CHAT.
        top: how many of the likeliest tokens it gives; 0 for none.
        settings: fields of every request.
        system: whether a chat may begin with a system message.
    """

    path: str
    top: int
    settings: Mapping[str, Any]
    system: bool = True

    def body(
        self, model: str, prompt: WrittenPrompt, extra: Mapping[str, Any], **sampling: Any
    ) -> dict[str, Any]:
        """The body of a request to continue a prompt."""
        key = "messages" if self.path == CHAT else "prompt"
        return {"model": model, key: prompt, **self.settings, **extra, **sampling}

    def first_token(
        self, model: str, prompt: WrittenPrompt, extra: Mapping[str, Any], temperature: float = 1.0
    ) -> dict[str, Any]:
        """The body of a request for the likeliest first tokens.

        Args:
            temperature: 1, because some servers apply it to the probabilities; or 0, which draws the
                likeliest token: llama.cpp gives no probabilities if the drawn token is part of a character.
        """
        top: dict[str, Any] = {}
        if self.top:
            top = (
                {"logprobs": True, "top_logprobs": self.top} if self.path == CHAT else {"logprobs": self.top}
            )
        return self.body(
            model, prompt, extra, max_tokens=1, temperature=temperature, top_p=1.0, seed=0, **top
        )


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model on a server.

    Attributes:
        model: its name there.
        listed: its entry in /models; empty if the server does not list its models.
        completions, chat: its endpoints, None if missing.
        tokenizer: the path that splits texts into tokens, "" for none.
    """

    model: str
    listed: Mapping[str, Any] = field(hash=False)
    completions: Endpoint | None
    chat: Endpoint | None
    tokenizer: str


def probe(connection: Connection, model: str) -> ServedModel:
    """Find out what a server can do.

    Args:
        model: its name there; "" for the only one.

    Raises:
        ModelError: the server cannot be reached, does not have the model, or gives no probabilities.
        InputError: it has several models, and ``model`` is "".
        ServerError: the server fails.
    """
    model, listed = _listed(connection, model)
    reasons: list[str] = []
    completions = _endpoint(connection, model, COMPLETIONS, reasons)
    chat = _endpoint(connection, model, CHAT, reasons)
    url = connection.url
    if completions is None and chat is None:
        details = "; ".join(dict.fromkeys(reasons))
        raise ModelError(
            f"{url} answers no prompts ({details}); give the address of an OpenAI-compatible server",
            subject=url,
        )
    if not any(endpoint and endpoint.top for endpoint in (completions, chat)):
        remedy = _REMEDIES.get(str(listed.get("owned_by", "")), _REMEDY)
        raise ModelError(f"{url} gives no probabilities of tokens (logprobs); {remedy}", subject=url)
    return ServedModel(model, listed, completions, chat, _tokenizer(connection, model))


def _listed(connection: Connection, model: str) -> tuple[str, Mapping[str, Any]]:
    """The name of a model on the server (of the only one for ""), and its entry in /models."""
    url = connection.url
    try:
        (reply,) = connection.send([Request("/models", schema=ModelList)], opening=True)
    except RequestRejected as rejection:
        return model, _unlisted(connection, model, rejection)
    models = {str(entry.get("id", "")): entry for entry in reply.data}
    aliases = {alias: entry for entry in reply.data for alias in _aliases(entry)}
    names = ", ".join(name[:_NAME_CHARS] for name in list(models)[:_LISTED_NAMES]) or "none"
    names += f" and {len(models) - _LISTED_NAMES} more" if len(models) > _LISTED_NAMES else ""
    if model:
        if entry := models.get(model) or aliases.get(model):
            return model, entry
        raise ModelError(f"{url} has no model {model!r}; choose one that it has: {names}", subject=model)
    if len(models) != 1 or "" in models:
        raise InputError(f"name a model after #, as in {url}#NAME; the server has {names}", subject=url)
    return next(iter(models.items()))


def _aliases(entry: Mapping[str, Any]) -> list[str]:
    aliases = entry.get("aliases")
    return [alias for alias in aliases if isinstance(alias, str)] if isinstance(aliases, list) else []


def _unlisted(connection: Connection, model: str, rejection: RequestRejected) -> Mapping[str, Any]:
    """The empty entry of a model on a server that lists none, if the address may be right."""
    url = connection.url
    problem = f"{url} lists no models ({rejection.status}: {rejection.message})"
    if not url.endswith("/v1"):
        raise ModelError(f"{problem}; check the address, which mostly ends in /v1", subject=url)
    if not model:
        raise InputError(f"{problem}; name one after #, as in {url}#NAME", subject=url)
    return {}


def _endpoint(connection: Connection, model: str, path: str, reasons: list[str]) -> Endpoint | None:
    """The endpoint with all that it supports; None if it is unusable, with its rejections in ``reasons``."""
    rejected_settings: Mapping[str, Any] | None = None
    for variant in _variants(path):
        if variant.settings is rejected_settings:
            continue
        prompt = "1 2 3" if path == COMPLETIONS else _CHAT_WITH_SYSTEM[not variant.system :]
        bodies = [variant.first_token(model, prompt, {}, temperature) for temperature in (1.0, 0.0)]
        try:
            replies = connection.send([Request(path, body) for body in bodies], opening=True)
        except RequestRejected as rejection:
            reasons.append(f"{path} {rejection.status}: {rejection.message}")
            if rejection.status in MISSING:
                return None
            if variant.top and "logprobs" not in rejection.message:
                rejected_settings = variant.settings
            continue
        has_probabilities = any(first_tokens(reply, variant.top) for reply in replies)
        return variant if has_probabilities else replace(variant, top=0)
    return None


def _variants(path: str) -> Iterator[Endpoint]:
    """The endpoints to try, from most to fewest features."""
    for system in (True, False) if path == CHAT else (True,):
        for settings in _SETTINGS:
            fields = {**settings, **_NO_REASONING} if path == CHAT and settings else settings
            for top in TOP_TOKENS:
                yield Endpoint(path, top, fields, system)
        yield Endpoint(path, 0, {}, system)


def _tokenizer(connection: Connection, model: str) -> str:
    """The path of the tokenizer of llama.cpp, vLLM and SGLang; "" if the server has none."""
    path = "//tokenize"
    try:
        (reply,) = connection.send([tokenize_request(path, model, "1 2 3")], opening=True, attempts=1)
    except (RequestRejected, MaieuticError):  # whatever the path is, it is not a tokenizer
        return ""
    return path if reply.number else ""


def tokenize_request(path: str, model: str, text: str, *, special: bool = False) -> Request:
    """A request to split a text into tokens, with the field names of all these servers.

    Args:
        special: whether to count the special tokens that begin a text.
    """
    text_fields = dict.fromkeys(("content", "prompt"), text)
    special_fields = dict.fromkeys(("add_special", "add_special_tokens"), special)
    return Request(path, {"model": model, **text_fields, **special_fields}, TokenCount)
