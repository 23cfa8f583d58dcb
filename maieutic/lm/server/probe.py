"""What a server has and can do, found out once by tiny requests.

One request lists its models, one asks each endpoint for a token with probabilities, one has a text split
into tokens. A request is repeated with less in it where the server refuses something: the settings that
switch off the truncation which some servers apply by themselves, or so many top tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maieutic.errors import InputError, MaieuticError, ModelError
from maieutic.lm.server.exchange import MISSING, Connection, Refused, Request
from maieutic.lm.server.replies import candidates

__all__ = ["CHAT", "COMPLETIONS", "Endpoint", "Served", "TokenCount", "probe", "tokenizing"]

Written = str | list[dict[str, str]]  # a prompt as plain text, or as the messages of a chat
COMPLETIONS, CHAT = "/completions", "/chat/completions"
TOP_TOKENS = (20, 5)  # what most servers allow, what some do

# Settings that let every token be drawn, and no thinking before a reply; the first that a server takes. Those
# of vLLM, SGLang and llama.cpp; those that llama-cpp-python checks; those of the API itself.
_OPEN = {"min_p": 0.0, "repetition_penalty": 1.0, "repeat_penalty": 1.0}
_SETTINGS: tuple[Mapping[str, Any], ...] = ({"top_k": -1, **_OPEN}, {"top_k": 0, **_OPEN}, {})
_UNTHINKING = {"chat_template_kwargs": {"enable_thinking": False}}

_REMEDIES = {  # by what /models says of the owner
    "vllm": "start vLLM with --max-logprobs 20",
    "library": "Ollama gives them since version 0.12.11",
    "llamacpp": "llama.cpp's server gives them unless a proxy drops them",
    "me": "start llama-cpp-python with --logits_all true",
}
_REMEDY = (
    "start vLLM with --max-logprobs 20, llama-cpp-python with --logits_all true; llama.cpp's own server and "
    "SGLang give them by default, Ollama since version 0.12.11; not every hosted one does"
)
_CHAT_WITH_SYSTEM = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Count to ten."},
]
_SHOWN, _SHOWN_CHARS = 20, 80  # names of models in a message


@dataclass(frozen=True)
class Models:
    """The answer of /models."""

    data: list[dict[str, Any]]


@dataclass(frozen=True)
class TokenCount:
    """The answer of a tokenizer, in the spellings of several servers."""

    count: int | None = None
    tokens: list[Any] | None = None

    @property
    def number(self) -> int | None:
        """How many there are, None if it does not say."""
        return self.count if self.tokens is None else len(self.tokens)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to ask.

    Attributes:
        path: COMPLETIONS or CHAT.
        top: how many of the likeliest tokens can be had; 0 for none.
        settings: what goes into every request.
        system: whether a chat may begin with a system message.
    """

    path: str
    top: int
    settings: Mapping[str, Any]
    system: bool = True

    def body(self, model: str, prompt: Written, more: Mapping[str, Any], **drawing: Any) -> dict[str, Any]:
        """What is posted to have a prompt continued."""
        key = "messages" if self.path == CHAT else "prompt"
        return {"model": model, key: prompt, **self.settings, **more, **drawing}

    def first_token(
        self, model: str, prompt: Written, more: Mapping[str, Any], temperature: float = 1.0
    ) -> dict[str, Any]:
        """What is posted to have the likeliest first tokens.

        Args:
            temperature: 1, since some servers apply it before they tell probabilities; or 0 to have the
                likeliest token drawn: llama.cpp tells none if what it drew is but a part of a character.
        """
        tops: dict[str, Any] = {}
        if self.top:
            tops = (
                {"logprobs": True, "top_logprobs": self.top} if self.path == CHAT else {"logprobs": self.top}
            )
        return self.body(
            model, prompt, more, max_tokens=1, temperature=temperature, top_p=1.0, seed=0, **tops
        )


@dataclass(frozen=True, slots=True)
class Served:
    """A model on a server.

    Attributes:
        model: its name there.
        listed: what /models says of it; empty if the server does not list its models.
        completions, chat: the two ways to ask, None where there is none.
        tokenizer: the path that splits texts into tokens, "" for none.
    """

    model: str
    listed: Mapping[str, Any] = field(hash=False)
    completions: Endpoint | None
    chat: Endpoint | None
    tokenizer: str


def probe(connection: Connection, model: str) -> Served:
    """Find out what a server can do.

    Args:
        model: its name there; "" for the only one.

    Raises:
        ModelError: the server cannot be reached, does not have the model, or gives no probabilities.
        InputError: it has several models and none was named.
        ServerError: it fails.
    """
    model, listed = _listed(connection, model)
    reasons: list[str] = []
    completions = _endpoint(connection, model, COMPLETIONS, reasons)
    chat = _endpoint(connection, model, CHAT, reasons)
    if completions is None and chat is None:
        raise ModelError(f"{connection.url} does not answer prompts ({'; '.join(dict.fromkeys(reasons))})")
    if not any(endpoint and endpoint.top for endpoint in (completions, chat)):
        remedy = _REMEDIES.get(str(listed.get("owned_by", "")), _REMEDY)
        raise ModelError(f"{connection.url} gives no probabilities of tokens (logprobs); {remedy}")
    return Served(model, listed, completions, chat, _tokenizer(connection, model))


def _listed(connection: Connection, model: str) -> tuple[str, Mapping[str, Any]]:
    """A model, or else the only one, by its name on the server, and what /models says of it."""
    try:
        (answer,) = connection.ask([Request("/models", shape=Models)], opening=True)
    except Refused as refused:
        return model, _unlisted(connection, model, refused)
    models = {str(entry.get("id", "")): entry for entry in answer.data}
    aliases = {alias: entry for entry in answer.data for alias in _aliases(entry)}
    names = ", ".join(name[:_SHOWN_CHARS] for name in list(models)[:_SHOWN]) or "none"
    names += f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    if model:
        if found := models.get(model) or aliases.get(model):
            return model, found
        raise ModelError(f"{connection.url} has no model {model!r}; it has {names}")
    if len(models) != 1 or "" in models:
        raise InputError(f"name a model after #, as in {connection.url}#NAME; there are {names}")
    return next(iter(models.items()))


def _aliases(entry: Mapping[str, Any]) -> list[str]:
    found = entry.get("aliases")
    return [alias for alias in found if isinstance(alias, str)] if isinstance(found, list) else []


def _unlisted(connection: Connection, model: str, refused: Refused) -> Mapping[str, Any]:
    """A server without a list is asked for any model, if the address can be right."""
    problem = f"{connection.url} lists no models ({refused.status}: {refused.message})"
    if not connection.url.endswith("/v1"):
        raise ModelError(f"{problem}; is the address right? Most end in /v1")
    if not model:
        raise InputError(f"{problem}; name one after #, as in {connection.url}#NAME")
    return {}


def _endpoint(connection: Connection, model: str, path: str, reasons: list[str]) -> Endpoint | None:
    """How an endpoint can be asked, None if it cannot; why not is added to ``reasons``."""
    skipped: Mapping[str, Any] | None = None
    for tried in _variants(path):
        if tried.settings is skipped:
            continue
        text = "1 2 3" if path == COMPLETIONS else _CHAT_WITH_SYSTEM[not tried.system :]
        bodies = [tried.first_token(model, text, {}, temperature) for temperature in (1.0, 0.0)]
        try:
            replies = connection.ask([Request(path, body) for body in bodies], opening=True)
        except Refused as refused:
            reasons.append(f"{path} {refused.status}: {refused.message}")
            if refused.status in MISSING:
                return None
            if tried.top and "logprobs" not in refused.message:
                skipped = tried.settings
            continue
        return tried if any(candidates(reply, tried.top) for reply in replies) else replace(tried, top=0)
    return None


def _variants(path: str) -> Iterator[Endpoint]:
    """What to try in turn, all that can be wanted first."""
    for system in (True, False) if path == CHAT else (True,):
        for settings in _SETTINGS:
            everything = {**settings, **_UNTHINKING} if path == CHAT and settings else settings
            for top in TOP_TOKENS:
                yield Endpoint(path, top, everything, system)
        yield Endpoint(path, 0, {}, system)


def _tokenizer(connection: Connection, model: str) -> str:
    """Where texts are split into tokens, as llama.cpp, vLLM and SGLang have it; "" if nowhere."""
    path = "//tokenize"
    try:
        (answer,) = connection.ask([tokenizing(path, model, "1 2 3")], opening=True, tries=1)
    except (Refused, MaieuticError):  # whatever it is, it is no tokenizer
        return ""
    return path if answer.number else ""


def tokenizing(path: str, model: str, text: str, *, special: bool = False) -> Request:
    """A request for the tokens of a text, in words that each of those servers understands.

    Args:
        special: whether the tokens that open a text are among them.
    """
    text_fields = dict.fromkeys(("content", "prompt"), text)
    special_fields = dict.fromkeys(("add_special", "add_special_tokens"), special)
    return Request(path, {"model": model, **text_fields, **special_fields}, TokenCount)
