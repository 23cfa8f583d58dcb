"""Finds out what a server has and can do, once, with small requests.

One request lists the models (:mod:`maieutic.lm.server.listing`). Each endpoint is asked for a token with
probabilities, in other forms if it rejects the first one (:mod:`maieutic.lm.server.negotiation`). A chat
endpoint gets a trial question (:mod:`maieutic.lm.server.trial`), every way to score given continuations is
tried (:mod:`maieutic.lm.server.scoring_trial`), and one request splits a text into tokens.
One endpoint may fail if the other one works.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maieutic.errors import MaieuticError, ModelError
from maieutic.lm.beliefs import NO_PROBABILITIES_REMEDY
from maieutic.lm.server.endpoint import CHAT, COMPLETIONS, Endpoint, WrittenPrompt
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.listing import find_model
from maieutic.lm.server.negotiation import Negotiation
from maieutic.lm.server.request import Request, RequestRejected, UnreachableServerError
from maieutic.lm.server.scoring_trial import ScoringTrial
from maieutic.lm.server.trial import THOUGHT_REMEDY, THOUGHT_TOKENS, Trial

__all__ = ["ServedModel", "TokenCount", "probe", "tokenize_request"]

_log = logging.getLogger(__name__)
_SHORT_CHAT = [  # it fits the smallest context window
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Count to ten."},
]
FEW_ATTEMPTS = 2  # for a failing endpoint beside one that works

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


@dataclass(frozen=True)
class TokenCount:
    """The reply of a tokenizer, in the formats of several servers."""

    count: Any = None
    tokens: Any = None

    @property
    def number(self) -> int | None:
        """The number of tokens, None if the reply does not give it."""
        if isinstance(self.tokens, list):
            return len(self.tokens)
        return self.count if isinstance(self.count, int) and not isinstance(self.count, bool) else None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model on a server.

    Attributes:
        model: its name there.
        name: its name in results and messages.
        listed: its entry in /models; empty if the server does not list its models.
        completions, chat: its endpoints, None if missing.
        tokenizer: the path that splits texts into tokens, "" for none.
    """

    model: str
    name: str
    listed: Mapping[str, Any] = field(hash=False)
    completions: Endpoint | None
    chat: Endpoint | None
    tokenizer: str


def probe(
    connection: Connection, model: str, *, probabilities: bool = True, shown_as: str = ""
) -> ServedModel:
    """Find out what a server can do.

    Args:
        model: its name there; "" for the only one.
        probabilities: whether to refuse a server that gives no probabilities of tokens.
        shown_as: its name in results and messages; "" for its address.

    Raises:
        ModelError: the server cannot be reached, does not have the model, or gives no probabilities.
        InputError: it has several models, and ``model`` is "".
        ServerError: the server fails.
    """
    model, listed = find_model(connection, model)
    endpoints, problems = _endpoints(connection, model)
    url = connection.url
    if not endpoints:
        failures = [problem for problem in problems if isinstance(problem, MaieuticError)]
        if failures:
            raise failures[0]
        details = "; ".join(dict.fromkeys(map(str, problems)))
        raise ModelError(
            f"{url} answers no prompts ({details}); give the address of an OpenAI-compatible server",
            subject=url,
        )
    name = shown_as or f"{url}#{model}"
    if (chat := endpoints.get(CHAT)) is not None:
        chat = Trial(connection, model, name).adapt(chat)
    completions = endpoints.get(COMPLETIONS)
    completions, chat = (
        endpoint and _negotiation(connection, model).with_known_top(endpoint)
        for endpoint in (completions, chat)
    )
    completions, chat = (
        endpoint and ScoringTrial(connection, model).adapt(endpoint) for endpoint in (completions, chat)
    )
    for endpoint in filter(None, (completions, chat)):
        _log.info("%s: options after prompts to %s are scored by %s", name, endpoint.path, endpoint.ways)
    usable = [
        endpoint
        for endpoint in (completions, chat)
        if endpoint and (endpoint.top or endpoint.scoring or not probabilities)
    ]
    if not usable:
        if CHAT in endpoints and chat is None:
            limit = f"and gives no answer within {THOUGHT_TOKENS} tokens"
            raise ModelError(f"{name} thinks before it answers, {limit}; {THOUGHT_REMEDY}", subject=url)
        remedy = _REMEDIES.get(str(listed.get("owned_by", "")), _REMEDY)
        raise ModelError(
            f"{url} gives no probabilities of tokens (logprobs); {remedy}; {NO_PROBABILITIES_REMEDY}",
            subject=url,
        )
    if CHAT in endpoints and chat is None:
        _log.warning("%s never stops thinking in a chat; it can only continue plain text", name)
    return ServedModel(model, name, listed, completions, chat, _tokenizer(connection, model))


def _endpoints(
    connection: Connection, model: str
) -> tuple[dict[str, Endpoint], list[MaieuticError | RequestRejected]]:
    """The endpoints that work, and the problems of the others.

    A failing endpoint gets few further attempts if the other one works, else those of the retry policy.
    """
    endpoints: dict[str, Endpoint] = {}
    problems: list[MaieuticError | RequestRejected] = []
    pending = [COMPLETIONS, CHAT]
    for last in (False, True):
        attempts = 1 if not last else FEW_ATTEMPTS if endpoints else None
        failed = []
        for path in pending:
            try:
                endpoints[path] = _negotiation(connection, model, attempts).agree(path)
            except RequestRejected as rejection:
                problems.append(rejection)
            except UnreachableServerError:
                raise
            except MaieuticError as failure:
                failed.append(path)
                if last:
                    problems.append(failure)
        pending = failed
    return endpoints, problems


def _negotiation(connection: Connection, model: str, attempts: int | None = None) -> Negotiation:
    return Negotiation(connection, model, _prompt, attempts)


def _prompt(endpoint: Endpoint) -> WrittenPrompt:
    if endpoint.path == COMPLETIONS:
        return "1 2 3"
    return _SHORT_CHAT[not endpoint.system :]


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
