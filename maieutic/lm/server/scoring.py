"""Exact probabilities of given continuations, on servers that return the probabilities of a prompt's tokens.

vLLM, SGLang and llama-cpp-python do so for /completions with ``echo``, vLLM also with ``prompt_logprobs``,
for chats too. The option is appended to the prompt, or to a chat as the beginning of the assistant's message,
and the log-probabilities of its tokens are added up. That needs a token boundary between prompt and option.

SGLang warns in its log that ``echo`` is not compatible with ``logprobs``, but computes the log-probabilities
from the first token on, if ``logprobs`` is not 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maieutic.lm.server.choice import Position, prompt_positions, text_positions
from maieutic.lm.server.replies import Reply

__all__ = ["SCORINGS", "ChatLogprobs", "Continuation", "Scoring", "continuation_logprob"]

ROUNDING = 1e-3  # nats; a log-probability above it is none


@dataclass(frozen=True, slots=True)
class Continuation:
    """The score of a continuation.

    Attributes:
        logprob: the log-probability of all its tokens, in nats, ≤ 0.
        prompt_tokens: the number of tokens before it.
    """

    logprob: float
    prompt_tokens: int

    @property
    def probability(self) -> float:
        """P(continuation | prompt), in [0, 1]."""
        return math.exp(self.logprob)


class Scoring(Protocol):
    """A way to get the probabilities of a prompt's tokens."""

    @property
    def name(self) -> str:
        """Its name in messages and records."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of a request that ask for them."""
        ...

    def continuation(self, reply: Reply, before: str, option: str) -> Continuation | None:
        """The score of an option; None if the reply does not give it.

        Args:
            before: the text before the option: a text prompt, or the beginning of a chat's last message.
        """
        ...


@dataclass(frozen=True, slots=True)
class Echo:
    """The prompt is repeated before the drawn text, with log-probabilities."""

    @property
    def name(self) -> str:
        return "echo"

    @property
    def fields(self) -> Mapping[str, Any]:
        return {"echo": True, "logprobs": 1}

    def continuation(self, reply: Reply, before: str, option: str) -> Continuation | None:
        return continuation_logprob(text_positions(reply.raw), before, option)


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """The prompt's log-probabilities are a field of their own."""

    @property
    def name(self) -> str:
        return "prompt_logprobs"

    @property
    def fields(self) -> Mapping[str, Any]:
        return {"prompt_logprobs": 0}

    def continuation(self, reply: Reply, before: str, option: str) -> Continuation | None:
        raw = reply.raw.get("prompt_logprobs") if isinstance(reply.raw, dict) else None
        return continuation_logprob(prompt_positions(raw), before, option)


@dataclass(frozen=True, slots=True)
class ChatLogprobs:
    """The log-probabilities of a chat whose last message, of the assistant, is left open.

    The prompt must end with the option. What the chat template writes before it is not looked at, except that
    a token must begin with the option.
    """

    @property
    def name(self) -> str:
        return "prompt_logprobs"

    @property
    def fields(self) -> Mapping[str, Any]:
        return {"prompt_logprobs": 0, "continue_final_message": True, "add_generation_prompt": False}

    def continuation(self, reply: Reply, before: str, option: str) -> Continuation | None:
        positions = prompt_positions(reply.prompt_logprobs)
        text = "".join(position.drawn for position in positions)
        charged = reply.token_count("prompt")
        if not text.endswith(before + option) or charged not in (None, len(positions)):
            return None
        return _span(positions, len(text) - len(option), len(text))


SCORINGS: tuple[Scoring, ...] = (Echo(), PromptLogprobs())  # of text prompts


def continuation_logprob(
    positions: Sequence[Position], prompt: str, continuation: str
) -> Continuation | None:
    """The score of a continuation of a text prompt.

    None if the tokens have no boundary between prompt and continuation, or lack a log-probability.

    >>> tokens = [Position("A:", None, ()), Position(" tr", -1.0, ()), Position("ue", -0.5, ())]
    >>> continuation_logprob(tokens, "A:", " true")
    Continuation(logprob=-1.5, prompt_tokens=1)
    """
    start = "".join(position.drawn for position in positions).find(prompt + continuation)
    if start < 0:
        return None
    begin = start + len(prompt)
    return _span(positions, begin, begin + len(continuation))


def _span(positions: Sequence[Position], begin: int, end: int) -> Continuation | None:
    """The score of the tokens between two offsets in characters; None without token boundaries there."""
    offsets = [0]
    for position in positions:
        offsets.append(offsets[-1] + len(position.drawn))
    if begin not in offsets or end not in offsets:
        return None
    first, last = len(offsets) - 1 - offsets[::-1].index(begin), offsets.index(end)
    logs = [position.logprob for position in positions[first:last]]
    known = [log for log in logs if log is not None and log <= ROUNDING]
    if not known or len(known) < len(logs):
        return None
    return Continuation(min(math.fsum(known), 0.0), first)
