"""A language model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, a hosted one.

Plain-text prompts go to ``/completions``, chat prompts to ``/chat/completions``. Requests of one call are
under way together; what fails in passing is asked again (:mod:`maieutic.lm.server.exchange`). What a server
can do is found out when it is opened (:mod:`maieutic.lm.server.probe`).

Where it is not what a model in this process is:

- P(option) is read from the likeliest first tokens, 20 of them on most servers, by the rules of
  :func:`maieutic.lm.server.replies.read_options`.
- Every text is drawn by a request of its own, whose seed is made from the seed, the prompt and the index
  of the text. A server that ignores seeds draws other texts every time; one that heeds them may still round
  otherwise when other requests share its batch.
- Truncation that a server applies by itself (top-k, min-p, penalties) is switched off where it lets itself
  be; Ollama's 40 likeliest tokens cannot be changed over this interface. Ollama also cuts off, without a
  word, the beginning of a prompt that is longer than the context it was started with.
- The opening of a chat reply is only asked for where the server cannot go on from one
  (:mod:`maieutic.lm.server.prompts`).
- Whether a prompt fits the window is for the server to say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from maieutic.errors import ContextLengthError, InputError, ModelError, ServerError
from maieutic.lm.base import Completion, Prompt, SamplingParams, Scores
from maieutic.lm.server.address import server_address
from maieutic.lm.server.counting import TokenCounter
from maieutic.lm.server.exchange import Connection, Patience, Refused, Request
from maieutic.lm.server.http import Host
from maieutic.lm.server.probe import Served, probe
from maieutic.lm.server.prompts import PromptWriter
from maieutic.lm.server.replies import TOO_LONG, Candidate, Reply, Shared, candidates, read_options

__all__ = ["ServerLM"]

LIMIT = 16  # requests under way at a time
LISTED = 10_000  # characters of what a server lists of its model, in the record of a run
SHOWN = 60  # characters of a prompt in a message
ABOUT_THE_PROMPT = frozenset({400, 413, 422})  # what else is refused, is refused to every prompt


class ServerLM:
    """A language model on a server; see :class:`maieutic.lm.base.LanguageModel`.

    Args:
        connection: the way to the server.
        served: the model, and what the server can do.
    """

    def __init__(self, connection: Connection, served: Served) -> None:
        self._connection, self._served = connection, served
        self._writer = PromptWriter(connection, served, self.name)
        self._counter = TokenCounter(connection, served, self.name)

    @classmethod
    def load(cls, name: str, *, patience: Patience | None = None, limit: int = LIMIT) -> ServerLM:
        """Open ``http://host:port/v1#model``; the model may be left out where the server has only one.

        Args:
            patience: how long the server is waited for.
            limit: most requests under way at a time.

        Raises:
            InputError: the name is no address, no model is named where there are several, or the extra
                ``server`` is not installed.
            ModelError: the server cannot be reached, does not have the model, or gives no probabilities.
            ServerError: it fails.
        """
        url, model = server_address(name)
        connection = Connection(Host(url), patience or Patience(), limit)
        return cls(connection, probe(connection, model))

    @property
    def name(self) -> str:
        """The address and the model, as in a name that opens it."""
        return f"{self._connection.url}#{self._served.model}"

    @property
    def prompts(self) -> str:
        """ "paper" where plain text can be continued with probabilities, else "chat"."""
        completions = self._served.completions
        return "paper" if completions and completions.top else "chat"

    @property
    def fingerprint(self) -> str:
        """The address, the model and what the server tells of its size and origin."""
        told = {key: self._served.listed.get(key) for key in ("root", "max_model_len", "meta")}
        return json.dumps(["server", self._connection.url, self._served.model, told], sort_keys=True)

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the model, for the record of a run."""
        ways = (self._served.completions, self._served.chat)
        listed = dict(self._served.listed)
        return {
            "name": self.name,
            "url": self._connection.url,
            "model": self._served.model,
            "listed": listed if len(json.dumps(listed)) <= LISTED else {"id": self._served.model},
            "top_tokens": {way.path: way.top for way in ways if way},
            "token_counts": self._counter.source,
        }

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`LanguageModel.sample`.

        Raises:
            ContextLengthError: the server says that a prompt does not fit the model's window.
            ModelError: the server cannot take the prompt's format, or refuses a prompt.
            ServerError: it fails.
        """
        distinct = list(dict.fromkeys(prompts))
        copies = min(n, 1) if params.greedy else n  # greedy texts are all the same
        owners = [prompt for prompt in distinct for _ in range(copies)]
        bodies = [
            self._writer.body(prompt, **_drawing(prompt, index, params))
            for prompt in distinct
            for index in range(copies)
        ]
        replies = self._ask(owners, bodies)
        texts = [self._text(prompt, reply) for prompt, reply in zip(owners, replies, strict=True)]
        given = self._counter.charged("prompt", owners, replies)
        drawn = self._counter.charged("completion", texts, replies)
        completions = iter(map(Completion, texts, given, drawn))
        groups = {prompt: [next(completions) for _ in range(copies)] for prompt in distinct}
        return [groups[prompt] if copies == n else groups[prompt] * n for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Scores:
        """P(option | prompt), read from the likeliest first tokens; see :func:`read_options`.

        Where several options begin with one token, what comes after it is asked for in turn.

        Raises:
            InputError: an option is empty, or a chat server cannot tell two options apart.
            ContextLengthError: the server says that a prompt does not fit the model's window.
            ModelError: the server cannot take the prompt's format, or gives no probabilities for it.
            ServerError: it fails.
        """
        if not all(options):
            raise InputError("an option to choose from is empty; give every option a text")
        if not options:
            return Scores(np.empty((len(prompts), 0)), tuple(self._counter.count(prompts)))
        distinct = list(dict.fromkeys(prompts))
        lengths: dict[Prompt, int] = {}
        table = {prompt: dict.fromkeys(options, 1.0) for prompt in distinct}
        # (prompt, its continuation so far, options that begin with that)
        asked = [(prompt, "", list(table[prompt])) for prompt in distinct]
        while asked:
            longer = [replace(prompt, opening=prompt.opening + said) for prompt, said, _ in asked]
            rows, counts = self._first_tokens(longer)
            lengths = lengths or dict(zip(distinct, counts, strict=True))  # without a continuation
            following: dict[tuple[Prompt, str], list[str]] = {}
            for (prompt, said, left), listed in zip(asked, rows, strict=True):
                readings = read_options(listed, [option[len(said) :] for option in left])
                for option, reading in zip(left, readings, strict=True):
                    if isinstance(reading, Shared):
                        table[prompt][option] *= reading.probability
                        following.setdefault((prompt, said + reading.beginning), []).append(option)
                    else:
                        table[prompt][option] *= reading
            asked = [(prompt, said, left) for (prompt, said), left in following.items()]
            self._check_distinction(asked)
        rows_of = [[table[prompt][option] for option in options] for prompt in prompts]
        probabilities = np.array(rows_of, dtype=np.float64).reshape(len(prompts), len(options))
        return Scores(probabilities, tuple(lengths[prompt] for prompt in prompts))

    def _first_tokens(self, prompts: Sequence[Prompt]) -> tuple[list[list[Candidate]], list[int]]:
        """The likeliest first tokens after each prompt, and the prompt's tokens."""
        found: list[list[Candidate]] = [[] for _ in prompts]
        read: list[Reply] = [Reply([])] * len(prompts)
        for temperature in (1.0, 0.0):
            left = [place for place, listed in enumerate(found) if not listed]
            owners = [prompts[place] for place in left]
            bodies = [self._writer.first_token(prompt, temperature) for prompt in owners]
            for place, reply in zip(left, self._ask(owners, bodies), strict=True):
                found[place] = candidates(reply, self._writer.endpoint(prompts[place]).top)
                read[place] = reply
        for prompt, listed in zip(prompts, found, strict=True):
            if not listed:
                about = f'the prompt "{_shortened(prompt.query)}"'
                raise ModelError(
                    f"{self.name} gave no probabilities for {about}; try other prompts (--prompts)"
                )
        return found, self._counter.charged("prompt", prompts, read)

    def _check_distinction(self, asked: Sequence[tuple[Prompt, str, list[str]]]) -> None:
        for prompt, said, left in asked:
            if not self._writer.goes_on(prompt):
                alike = " and ".join(map(repr, left))
                raise InputError(
                    f"the options {alike} begin with the same token {said!r} for {self.name}, which cannot "
                    "go on from there; choose options that begin differently"
                )

    def _ask(self, owners: Sequence[Prompt], bodies: Sequence[Mapping[str, Any]]) -> list[Reply]:
        """The replies to requests, each on behalf of a prompt."""
        requests = [
            Request(self._writer.endpoint(prompt).path, body)
            for prompt, body in zip(owners, bodies, strict=True)
        ]
        try:
            replies: list[Reply] = self._connection.ask(requests)
        except Refused as refused:
            raise self._refusal(owners[refused.place], refused) from None
        return replies

    def _refusal(self, prompt: Prompt, refused: Refused) -> ModelError | ServerError:
        about = f'the prompt "{_shortened(prompt.query)}"'
        if TOO_LONG.search(refused.message):
            return ContextLengthError(
                f"{about} does not fit the context window of {self.name} ({refused.message}); "
                "shorten it, or start the server with a larger one"
            )
        if refused.status in ABOUT_THE_PROMPT:
            return ModelError(f"{self.name} refuses {about} ({refused})")
        return ServerError(f"{self.name} does not answer any more ({refused})")

    def _text(self, prompt: Prompt, reply: Reply) -> str:
        """What a reply adds to the prompt, up to the first newline, as not all servers stop there."""
        choice = reply.choice
        if choice.only_thought:
            raise ModelError(
                f"{self.name} thinks before it replies, and got no further; "
                "start the server with thinking switched off, or name another model"
            )
        return self._writer.reply(prompt, choice.written)


def _drawing(prompt: Prompt, index: int, params: SamplingParams) -> dict[str, Any]:
    """The fields of a request that say how its text is drawn."""
    return {
        "max_tokens": params.max_new_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "stop": ["\n"],
        "seed": 0 if params.greedy else _seed(params.seed, prompt, index),
    }


def _digest(prompt: Prompt) -> bytes:
    """Short, and its own for every prompt as it is sent."""
    sent = [prompt.format, prompt.messages(), prompt.opening]
    return hashlib.blake2b(repr(sent).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _seed(seed: int, prompt: Prompt, index: int) -> int:
    """A request's own seed, in 31 bits, which every server takes."""
    key = repr((seed, index)).encode() + _digest(prompt)
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 33


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
