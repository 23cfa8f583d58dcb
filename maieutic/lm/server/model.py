"""A language model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, a hosted one.

Text prompts go to ``/completions``, chat prompts to ``/chat/completions``. The requests of one call run
concurrently, and temporary failures are retried (:mod:`maieutic.lm.server.exchange`). What the server can do
is found out when the model is opened (:mod:`maieutic.lm.server.probe`).

It differs from a model in this process:

- P(option) is derived from the likeliest first tokens, 20 of them on most servers, by the rules of
  :func:`maieutic.lm.server.replies.option_probabilities`.
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
from dataclasses import replace
from typing import Any

import numpy as np

from maieutic.errors import ContextLengthError, InputError, ModelError, ServerError
from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams
from maieutic.lm.server.address import Host, server_address
from maieutic.lm.server.counting import TokenCounter
from maieutic.lm.server.exchange import Connection, Request, RequestRejected
from maieutic.lm.server.probe import ServedModel, probe
from maieutic.lm.server.prompts import PromptWriter
from maieutic.lm.server.replies import (
    TOO_LONG,
    FirstToken,
    Reply,
    SharedStart,
    first_tokens,
    option_probabilities,
)
from maieutic.lm.server.retries import RetryPolicy
from maieutic.lm.server.trial import THOUGHT_REMEDY

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
        connection: access to the server.
        served: the model, and what the server can do.
    """

    def __init__(self, connection: Connection, served: ServedModel) -> None:
        self._connection, self._served = connection, served
        self._writer = PromptWriter(connection, served, self.name)
        self._counter = TokenCounter(connection, served, self.name)

    @classmethod
    def load(
        cls,
        name: str,
        *,
        retries: RetryPolicy | None = None,
        limit: int = LIMIT,
        probabilities: bool = True,
    ) -> ServerLM:
        """Open ``http://host:port/v1#model``; the model may be left out if the server has only one.

        Args:
            retries: time limits and retries of requests.
            limit: maximum number of concurrent requests.
            probabilities: whether to refuse a server that gives no probabilities of tokens.

        Raises:
            InputError: the name is not a valid address, it names none of several models, or the extra
                ``server`` is not installed.
            ModelError: the server cannot be reached, does not have the model, or gives no probabilities.
            ServerError: the server fails.
        """
        url, model = server_address(name)
        connection = Connection(Host(url), retries or RetryPolicy(), limit)
        return cls(connection, probe(connection, model, probabilities=probabilities))

    @property
    def name(self) -> str:
        """The address and the model, as in the name that opens it."""
        return f"{self._connection.url}#{self._served.model}"

    @property
    def prompts(self) -> str:
        """ "paper" if the server continues plain text with probabilities, or cannot chat; else "chat"."""
        completions = self._served.completions
        return "paper" if completions and (completions.top or not self._served.chat) else "chat"

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
        replies = self._nonempty(owners, bodies, self._send(owners, bodies))
        self._check_thoughts(replies)
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
        """P(option | prompt), derived from the likeliest first tokens; see :func:`option_probabilities`.

        If several options start with the same token, further requests ask for what follows it.

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
        distinct = list(dict.fromkeys(prompts))
        lengths: dict[Prompt, int] = {}
        table = {prompt: dict.fromkeys(options, 1.0) for prompt in distinct}
        # (prompt, start of its continuation, options with that start)
        pending = [(prompt, "", list(table[prompt])) for prompt in distinct]
        while pending:
            extended = [replace(prompt, opening=prompt.opening + start) for prompt, start, _ in pending]
            tokens, counts = self._first_tokens(extended)
            lengths = lengths or dict(zip(distinct, counts, strict=True))  # without a continuation
            pending = _multiply(table, pending, tokens)
            self._check_distinct(pending)
        rows = [[table[prompt][option] for option in options] for prompt in prompts]
        probabilities = np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))
        return OptionScores(probabilities, tuple(lengths[prompt] for prompt in prompts))

    def _first_tokens(self, prompts: Sequence[Prompt]) -> tuple[list[list[FirstToken]], list[int]]:
        """The likeliest first tokens after each prompt, and the number of tokens of the prompt."""
        tokens: list[list[FirstToken]] = [[] for _ in prompts]
        replies: list[Reply] = [Reply([])] * len(prompts)
        for temperature in (1.0, 0.0):
            missing = [index for index, listed in enumerate(tokens) if not listed]
            owners = [prompts[index] for index in missing]
            bodies = [self._writer.first_token(prompt, temperature) for prompt in owners]
            for index, reply in zip(missing, self._send(owners, bodies), strict=True):
                tokens[index] = first_tokens(reply, self._writer.endpoint(prompts[index]).top)
                replies[index] = reply
        self._check_thoughts(replies)
        missing = [index for index, listed in enumerate(tokens) if not listed]
        if missing and len(missing) == len(prompts):
            problem = f"{self.name} gave no probabilities for {_quoted(prompts[0])}; try other prompts"
            raise ModelError(f"{problem} (--prompts)", subject=self.name)
        if missing:
            _log.warning(
                "%s gave no probabilities for %d of %d prompts; their options count as 0",
                self.name,
                len(missing),
                len(prompts),
            )
        return tokens, self._counter.charged("prompt", prompts, replies)

    def _check_distinct(self, pending: Sequence[_Pending]) -> None:
        for prompt, start, options in pending:
            if not self._writer.continues_opening(prompt):
                names = " and ".join(map(repr, options))
                raise InputError(
                    f"the options {names} start with the same token {start!r}, from which {self.name} cannot "
                    "continue; choose options that start differently",
                    subject="options",
                )

    def _send(self, owners: Sequence[Prompt], bodies: Sequence[Mapping[str, Any]]) -> list[Reply]:
        """The replies to requests, each on behalf of a prompt."""
        requests = [
            Request(self._writer.endpoint(prompt).path, body)
            for prompt, body in zip(owners, bodies, strict=True)
        ]
        try:
            replies: list[Reply] = self._connection.send(requests)
        except RequestRejected as rejection:
            raise self._error(owners[rejection.index], rejection) from None
        return replies

    def _error(self, prompt: Prompt, rejection: RequestRejected) -> ModelError | ServerError:
        if TOO_LONG.search(rejection.message):
            return ContextLengthError(
                f"{_quoted(prompt)} does not fit the context window of {self.name} ({rejection.message}); "
                "shorten it, or start the server with a larger window",
                subject=self.name,
            )
        if rejection.status in ABOUT_THE_PROMPT:
            problem = f"{self.name} rejects {_quoted(prompt)} ({rejection}); change the prompt"
            return ModelError(problem, subject=self.name)
        problem = f"{self.name} does not answer any more ({rejection}); check the server"
        return ServerError(problem, subject=self.name)

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
        again = self._send([owners[index] for index in empty], unstopped)
        others = dict(zip(empty, again, strict=True))
        return [others.get(index, reply) for index, reply in enumerate(replies)]

    def _check_thoughts(self, replies: Sequence[Reply]) -> None:
        """Raise a ModelError if no reply has more than a thought; single such replies count as empty."""
        if replies and all(reply.choice.only_thought for reply in replies):
            raise ModelError(
                f"{self.name} thinks before it answers, and reached the token limit before its answer; "
                f"{THOUGHT_REMEDY}",
                subject=self.name,
            )


def _has_content(reply: Reply) -> bool:
    return bool(reply.choice.text.strip()) or reply.choice.thinks


def _multiply(
    table: Mapping[Prompt, dict[str, float]],
    pending: Sequence[_Pending],
    tokens: Sequence[Sequence[FirstToken]],
) -> list[_Pending]:
    """Multiply the options' probabilities by those of their next tokens; return what is still to extend."""
    following: dict[tuple[Prompt, str], list[str]] = {}
    for (prompt, start, options), listed in zip(pending, tokens, strict=True):
        if not listed:  # the model judged nothing
            table[prompt].update(dict.fromkeys(options, 0.0))
            continue
        results = option_probabilities(listed, [option[len(start) :] for option in options])
        for option, result in zip(options, results, strict=True):
            if isinstance(result, SharedStart):
                table[prompt][option] *= result.probability
                following.setdefault((prompt, start + result.text), []).append(option)
            else:
                table[prompt][option] *= result
    return [(prompt, start, options) for (prompt, start), options in following.items()]


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


def _quoted(prompt: Prompt) -> str:
    """A prompt in a message, by the beginning of its query."""
    line = " ".join(prompt.query.split())
    return f'the prompt "{line if len(line) <= QUERY_CHARS else line[: QUERY_CHARS - 1] + "…"}"'
