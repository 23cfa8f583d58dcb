"""Parses the replies of servers: texts, probabilities of first tokens, token counts, errors.

The replies of all OpenAI-compatible servers are read in one format, whose fields may be missing. Top tokens
are in ``logprobs.top_logprobs`` (the older format of /completions) or in ``logprobs.content`` (chat;
llama.cpp uses it for /completions, too).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maieutic.lm.server.choice import Choice

__all__ = [
    "TOO_LONG",
    "FirstToken",
    "Reply",
    "SharedStart",
    "error_message",
    "first_tokens",
    "option_probabilities",
]

MIN_SHARED = 0.01  # a start that options share is not extended if it is less likely
MESSAGE_CHARS = 200  # of a server's message
TOO_LONG = re.compile(  # how servers say that a prompt does not fit
    r"context.?(length|size|window)|maximum context|exceed_context|(prompt|input)s? (is|are) too long"
    r"|max_new_tokens. must be <=|longer than the model",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reply:
    """A reply of /completions or /chat/completions; fields of the wrong type count as missing.

    Attributes:
        prompt_logprobs: of a chat on vLLM; /completions has them in ``choices``.
    """

    choices: Any
    usage: Any = None
    prompt_logprobs: Any = None

    @property
    def raw(self) -> Any:
        """The first element of ``choices`` as it was sent, None if there is none."""
        return self.choices[0] if isinstance(self.choices, list) and self.choices else None

    @property
    def choice(self) -> Choice:
        """The first text; an empty one if there is none."""
        return Choice.read(self.raw, self.usage)

    def token_count(self, kind: str) -> int | None:
        """The number of "prompt" or "completion" tokens by the server's count, None if it gives none."""
        count = self.usage.get(f"{kind}_tokens") if isinstance(self.usage, dict) else None
        return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None


@dataclass(frozen=True, slots=True)
class FirstToken:
    """A token that may come first, and its probability in [0, 1]."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class SharedStart:
    """The start that an option shares with another option, and the probability of that start in [0, 1].

    Another request must ask for the probabilities of what follows.
    """

    text: str
    probability: float


def first_tokens(reply: Reply, limit: int) -> list[FirstToken]:
    """The likeliest first tokens of the text, likeliest first; empty if the reply has no probabilities.

    The first token is the one after a thought and after blank lines; see :class:`Choice`.

    Some servers add the drawn token to the ``limit`` tokens that were requested. It is left out, so that no
    unlisted token is likelier than the last one of the list. Tokens without text (mostly ends of text) stay
    in the list, because their probability is not available to other tokens.
    """
    start = reply.choice.start
    if start is None:
        return []
    position, chance = start
    known = [(text, chance * math.exp(min(log, 0.0))) for text, log in position.top]
    top = sorted(known, key=lambda pair: -pair[1])[:limit]
    return [FirstToken(_with_space(text), probability) for text, probability in top]


def _with_space(token: str) -> str:
    """A token's text, with a space in place of the vocabulary's sign for it, which some servers show."""
    return f" {token[1:]}" if token[:1] in ("Ġ", "▁") else token


def option_probabilities(listed: Sequence[FirstToken], options: Sequence[str]) -> list[float | SharedStart]:
    """P(option) of each option, as far as the likeliest first tokens determine it.

    - If a listed token equals the option, the result is its probability.
    - Otherwise, if listed tokens are starts of this option only, the longest one stands for the option, whose
      later tokens are taken as certain. This is an upper bound.
    - Otherwise, if listed tokens are starts of this option and another one, and not rarer than MIN_SHARED,
      the result is the longest one as a SharedStart.
    - Otherwise the option's first token is not listed. Its probability is then at most that of the least
      likely listed token, and at most the remaining probability of all unlisted tokens. The result is the
      middle of the possible range, min(least listed, remaining) / 2, with an error of at most as much.

    Case and spaces count: " true" is not "true". Only if no listed token begins with a space, the server is
    assumed to strip it, and options are compared without their leading space.
    """
    stripped = not any(token.text[:1].isspace() for token in listed)
    starts = [_starts(listed, option, stripped) for option in options]
    results = [
        _probability(option, own, [other for other in starts if other is not own])
        for option, own in zip(options, starts, strict=True)
    ]
    remaining = max(0.0, 1.0 - math.fsum(token.probability for token in listed))
    least = listed[-1].probability if listed else 1.0
    middle = min(least, remaining) / 2
    return [middle if result is None else result for result in results]


def _starts(listed: Sequence[FirstToken], option: str, stripped: bool) -> dict[str, float]:
    """The listed tokens that an option starts with, and their probabilities; of two equal texts the likelier.

    Args:
        stripped: whether the server strips leading spaces.
    """
    space = option[: len(option) - len(option.lstrip())] if stripped else ""
    starts: dict[str, float] = {}
    for token in listed:
        if token.text and option.startswith(space + token.text):
            starts.setdefault(space + token.text, token.probability)
    return starts


def _probability(
    option: str, starts: dict[str, float], others: Sequence[dict[str, float]]
) -> float | SharedStart | None:
    if option in starts:
        return starts[option]
    own = [text for text in starts if not any(text in other for other in others)]
    if own:
        return starts[max(own, key=len)]
    shared = [text for text in starts if starts[text] >= MIN_SHARED]
    return SharedStart(max(shared, key=len), starts[max(shared, key=len)]) if shared else None


def error_message(body: bytes) -> str:
    """The error that a reply reports, on one line of at most MESSAGE_CHARS characters."""
    try:
        error: Any = json.loads(body)
    except (ValueError, RecursionError):
        error = body.decode("utf-8", "replace")
    while isinstance(error, dict) and (inner := error.keys() & {"error", "message", "detail"}):
        error = error[min(inner, key=["error", "message", "detail"].index)]
    line = " ".join(str(error).split())
    return line if len(line) <= MESSAGE_CHARS else f"{line[: MESSAGE_CHARS - 1]}…"
