"""A language model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, a hosted one.

Text prompts go to ``/completions``, chat prompts to ``/chat/completions``. The requests of one call run
concurrently, and temporary failures are retried (:mod:`maieutic.lm.server.exchange`). What the server can do
is found out when the model is opened (:mod:`maieutic.lm.server.probe`).

It differs from a model in this process:

- P(option) is exact on servers that score given continuations (:mod:`maieutic.lm.server.scoring`) or single
  tokens (:mod:`maieutic.lm.server.labels`). Elsewhere it is derived from the likeliest first tokens, 20 of
  them on most servers, by the rules of :func:`maieutic.lm.server.replies.option_probabilities`.
- Every text is drawn by its own request, whose seed is a hash of the seed, the prompt and the index of the
  text. A server that ignores seeds draws different texts each time. A server that uses them may still round
  differently when its batch contains other requests.
- The server's own truncation (top-k, min-p, penalties) is switched off where that is possible. Ollama's limit
  of the 40 likeliest tokens cannot be changed through this interface. Ollama also silently cuts off the
  beginning of a prompt that is longer than the context it was started with.
- If the server cannot continue the opening of a chat reply, the prompt asks for what follows it
  (:mod:`maieutic.lm.server.prompts`).
- The server decides whether a prompt fits the context window.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maieutic.errors import InputError
from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams
from maieutic.lm.server.address import Host, server_addresses
from maieutic.lm.server.choosing import choose
from maieutic.lm.server.counting import TokenCounter
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.fleet_opening import open_fleet
from maieutic.lm.server.probe import ServedModel, probe
from maieutic.lm.server.prompts import PromptWriter
from maieutic.lm.server.replies import (
    Reply,
)
from maieutic.lm.server.request import Channel
from maieutic.lm.server.retries import RetryPolicy
from maieutic.lm.server.sending import Sender

__all__ = ["ServerLM"]

_Pending = tuple[Prompt, str, list[str]]  # a prompt, the start of its continuation, options with that start

_log = logging.getLogger(__name__)
LIMIT = 16  # concurrent requests
MAX_LISTED = 10_000  # characters of the model's entry in /models, in the record of a run
QUERY_CHARS = 60  # of a prompt in a message
ABOUT_THE_PROMPT = frozenset({400, 413, 422})  # other rejections concern every prompt


class ServerLM:
    """A language model on a server; see :class:`maieutic.lm.base.LanguageModel`.

    Args:
        connection: access to the server, or to several.
        served: the model, and what the server can do.
    """

    def __init__(self, connection: Channel, served: ServedModel) -> None:
        self._connection, self._served = connection, served
        self._writer = PromptWriter(connection, served, self.name)
        self._counter = TokenCounter(connection, served, self.name)
        self._sender = Sender(connection, self._writer, self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @classmethod
    def load(
        cls,
        name: str,
        *,
        retries: RetryPolicy | None = None,
        limit: int = LIMIT,
        probabilities: bool = True,
        key: str | None = None,
        shown_as: str = "",
    ) -> ServerLM:
        """Open ``http://host:port/v1#model``; the model may be left out if the server has only one.

        Several servers of one model are given with commas, ``http://a:8000/v1,http://b:8000/v1#model``.

        Args:
            retries: time limits and retries of requests.
            limit: maximum number of concurrent requests to a server.
            probabilities: whether to refuse a server that gives no probabilities of tokens.
            key: the server's API key; by default that of the environment.
            shown_as: the model's name in results and messages; by default its address.

        Raises:
            InputError: the name is not a valid address, it names none of several models, two servers have
                different models, or the extra ``server`` is not installed.
            ModelError: the server cannot be reached, does not have the model, or gives no probabilities.
            ServerError: the server fails.
        """
        urls, model = server_addresses(name)
        connections = [Connection(Host(url, key), retries or RetryPolicy(), limit) for url in urls]
        if len(connections) == 1:
            served = probe(connections[0], model, probabilities=probabilities, shown_as=shown_as)
            return cls(connections[0], served)
        fleet, served = open_fleet(connections, model, shown_as or name, probabilities=probabilities)
        return cls(fleet, served)

    @property
    def name(self) -> str:
        """The address and the model, as in the name that opens it, unless it was given another name."""
        return self._served.name

    @property
    def prompts(self) -> str:
        """ "paper" if the server continues plain text with probabilities, or cannot chat; else "chat"."""
        completions = self._served.completions
        return (
            "paper"
            if completions and (completions.top or completions.scoring or not self._served.chat)
            else "chat"
        )

    @property
    def can_chat(self) -> bool:
        """Whether the model answers in a chat."""
        return self._served.chat is not None

    @property
    def fingerprint(self) -> str:
        """The address, the model, and its size and origin as the server lists them."""
        listed = {key: self._served.listed.get(key) for key in ("root", "max_model_len", "meta")}
        return json.dumps(["server", self._connection.url, self._served.model, listed], sort_keys=True)

    @property
    def facts(self) -> dict[str, Any]:
        """A description of the model for the record of a run."""
        endpoints = (self._served.completions, self._served.chat)
        listed = dict(self._served.listed)
        return {
            "name": self.name,
            "url": self._connection.url,
            "model": self._served.model,
            "listed": listed if len(json.dumps(listed)) <= MAX_LISTED else {"id": self._served.model},
            "scoring": {endpoint.path: endpoint.ways for endpoint in endpoints if endpoint},
            "top_tokens": {endpoint.path: endpoint.top for endpoint in endpoints if endpoint},
            "token_counts": self._counter.source,
        }

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`LanguageModel.sample`.

        Raises:
            ContextLengthError: the server reports that a prompt does not fit the context window.
            ModelError: the server does not support the prompt's format, or rejects a prompt.
            ServerError: the server fails.
        """
        distinct = list(dict.fromkeys(prompts))
        copies = min(n, 1) if params.greedy else n  # greedy texts are all the same
        owners = [prompt for prompt in distinct for _ in range(copies)]
        bodies = [
            self._writer.body(prompt, **_sampling_fields(prompt, index, params))
            for prompt in distinct
            for index in range(copies)
        ]
        replies = self._nonempty(owners, bodies, self._sender.send(owners, bodies))
        self._sender.check_thoughts(replies)
        texts = [
            self._writer.completion(prompt, reply.choice.text)
            for prompt, reply in zip(owners, replies, strict=True)
        ]
        prompt_tokens = self._counter.charged("prompt", owners, replies)
        completion_tokens = self._counter.charged("completion", texts, replies)
        completions = iter(map(Completion, texts, prompt_tokens, completion_tokens))
        samples = {prompt: [next(completions) for _ in range(copies)] for prompt in distinct}
        return [samples[prompt] if copies == n else samples[prompt] * n for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt): exact, or derived from the likeliest first tokens.

        See :mod:`maieutic.lm.server.exact` and :func:`option_probabilities`. In the second case, if several
        options start with the same token, further requests ask for what follows it.

        Raises:
            InputError: an option is empty, or a chat server cannot tell two options apart.
            ContextLengthError: the server reports that a prompt does not fit the context window.
            ModelError: the server does not support the prompt's format, or gives no probabilities for it.
            ServerError: the server fails.
        """
        if not all(options):
            raise InputError("an option is empty; every option must have a text", subject="options")
        if not options:
            return OptionScores(np.empty((len(prompts), 0)), tuple(self._counter.count(prompts)))
        return choose(self._sender, self._counter, prompts, options)

    def _nonempty(
        self, owners: Sequence[Prompt], bodies: Sequence[Mapping[str, Any]], replies: Sequence[Reply]
    ) -> list[Reply]:
        """The replies; chat replies that a stop text left empty are drawn again without it.

        Such a reply begins with a newline.
        """
        empty = [
            index
            for index, (prompt, reply) in enumerate(zip(owners, replies, strict=True))
            if prompt.format == "chat" and "stop" in bodies[index] and not _has_content(reply)
        ]
        unstopped = [{key: bodies[index][key] for key in bodies[index] if key != "stop"} for index in empty]
        again = self._sender.send([owners[index] for index in empty], unstopped)
        others = dict(zip(empty, again, strict=True))
        return [others.get(index, reply) for index, reply in enumerate(replies)]


def _has_content(reply: Reply) -> bool:
    return bool(reply.choice.text.strip()) or reply.choice.thinks


def _sampling_fields(prompt: Prompt, index: int, params: SamplingParams) -> dict[str, Any]:
    """The fields of a request that control sampling."""
    return {
        "max_tokens": params.max_new_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "stop": ["\n"],
        "seed": 0 if params.greedy else _seed(params.seed, prompt, index),
    }


def _digest(prompt: Prompt) -> bytes:
    """A hash of a prompt as it is sent."""
    sent = [prompt.format, prompt.messages(), prompt.opening]
    return hashlib.blake2b(repr(sent).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _seed(seed: int, prompt: Prompt, index: int) -> int:
    """The seed of one request, in 31 bits, which every server accepts."""
    key = repr((seed, index)).encode() + _digest(prompt)
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 33
