"""Exact probabilities of given continuations, on servers that return the probabilities of a prompt's tokens.

vLLM, SGLang and llama-cpp-python do so for /completions with ``echo``, vLLM also with ``prompt_logprobs``.
The option is appended to the prompt, and the log-probabilities of its tokens are added up. That needs a
token boundary between prompt and option.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maieutic.lm.server.choice import Position, prompt_positions, text_positions
from maieutic.lm.server.replies import Reply

__all__ = ["SCORINGS", "Scoring", "continuation_logprob"]


class Scoring(Protocol):
    """A way to get the probabilities of a prompt's tokens."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of a request that ask for them."""
        ...

    def positions(self, reply: Reply) -> Sequence[Position]:
        """The tokens of the prompt and their log-probabilities; they may be followed by drawn tokens."""
        ...


@dataclass(frozen=True, slots=True)
class Echo:
    """The prompt is repeated before the drawn text, with log-probabilities."""

    @property
    def fields(self) -> Mapping[str, Any]:
        return {"echo": True, "logprobs": 1}

    def positions(self, reply: Reply) -> Sequence[Position]:
        return text_positions(reply.raw)


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """The prompt's log-probabilities are a field of their own."""

    @property
    def fields(self) -> Mapping[str, Any]:
        return {"prompt_logprobs": 0}

    def positions(self, reply: Reply) -> Sequence[Position]:
        return prompt_positions(reply.raw)


SCORINGS: tuple[Scoring, ...] = (Echo(), PromptLogprobs())


def continuation_logprob(
    positions: Sequence[Position], prompt: str, continuation: str
) -> tuple[float, int] | None:
    """The log-probability of a continuation (nats), and the index of its first token.

    None if the tokens have no boundary between prompt and continuation, or lack a log-probability.

    >>> tokens = [Position("A:", None, ()), Position(" tr", -1.0, ()), Position("ue", -0.5, ())]
    >>> continuation_logprob(tokens, "A:", " true")
    (-1.5, 1)
    """
    start = "".join(position.drawn for position in positions).find(prompt + continuation)
    if start < 0:
        return None
    offsets = [0]
    for position in positions:
        offsets.append(offsets[-1] + len(position.drawn))
    begin, end = start + len(prompt), start + len(prompt) + len(continuation)
    if begin not in offsets or end not in offsets:
        return None
    first, last = len(offsets) - 1 - offsets[::-1].index(begin), offsets.index(end)
    logs = [position.logprob for position in positions[first:last]]
    known = [log for log in logs if log is not None]
    return (math.fsum(known), first) if len(known) == len(logs) > 0 else None
