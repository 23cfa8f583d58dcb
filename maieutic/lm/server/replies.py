"""What a server's replies say: texts, probabilities of first tokens, counts, errors.

Replies of every OpenAI-compatible server are read in one shape, whose fields may be missing: top tokens stand
in ``logprobs.top_logprobs`` (the older form of /completions) or in ``logprobs.content`` (chat; llama.cpp
also answers /completions in it).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "TOO_LONG",
    "Candidate",
    "Choice",
    "Reply",
    "Shared",
    "candidates",
    "error_message",
    "read_options",
]

RARE = 0.01  # a beginning that options share is not followed if it is less likely
SHOWN = 200  # characters of a server's message
TOO_LONG = re.compile(  # how servers say that a prompt does not fit
    r"context.?(length|size|window)|maximum context|exceed_context|(prompt|input)s? (is|are) too long"
    r"|max_new_tokens. must be <=|longer than the model",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TopToken:
    """A likely token and the natural logarithm of its probability."""

    token: str
    logprob: float


@dataclass(frozen=True)
class Place:
    """One place of the generated text."""

    top_logprobs: list[TopToken] = field(default_factory=list)


@dataclass(frozen=True)
class Logprobs:
    """Top tokens of every place, in one form or the other."""

    content: list[Place] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


@dataclass(frozen=True)
class Message:
    """What a chat model replied; ``reasoning`` is what it thought before, in either spelling."""

    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


@dataclass(frozen=True)
class Choice:
    """One generated text."""

    text: str | None = None
    message: Message | None = None
    logprobs: Logprobs | None = None

    @property
    def written(self) -> str:
        """The text, whichever endpoint it comes from."""
        return self.text or (self.message.content if self.message else None) or ""

    @property
    def only_thought(self) -> bool:
        """Whether a chat model thought and then said nothing."""
        message = self.message
        return (
            not self.written and message is not None and bool(message.reasoning or message.reasoning_content)
        )


@dataclass(frozen=True)
class Reply:
    """A reply of /completions or /chat/completions."""

    choices: list[Choice]
    usage: dict[str, Any] | None = None

    @property
    def choice(self) -> Choice:
        """The first text; one without content where there is none."""
        return self.choices[0] if self.choices else Choice()

    def used(self, kind: str) -> int | None:
        """How many "prompt" or "completion" tokens the server counted, if it says so."""
        count = (self.usage or {}).get(f"{kind}_tokens")
        return count if isinstance(count, int) and count > 0 else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that may come first, and its probability in [0, 1]."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Shared:
    """The beginning that an option has in common with another, and its probability: what comes after it is
    to be asked for."""

    beginning: str
    probability: float


def candidates(reply: Reply, most: int) -> list[Candidate]:
    """The tokens that are likeliest to come first, likeliest first; none if the reply has no probabilities.

    Some servers add the token that they drew to the ``most`` that were asked for; it is left out, so that the
    list ends at a probability that no unlisted token exceeds. Tokens without a text (an end, mostly) stay:
    their mass is known to be elsewhere.
    """
    logprobs = reply.choice.logprobs
    if logprobs is None:
        return []
    if logprobs.content:
        found = [(token.token, token.logprob) for token in logprobs.content[0].top_logprobs]
    elif logprobs.top_logprobs:
        found = list((logprobs.top_logprobs[0] or {}).items())
    else:
        return []
    known = [(text, math.exp(min(log, 0.0))) for text, log in found if not math.isnan(log)]
    ordered = sorted(known, key=lambda one: -one[1])[:most]
    return [Candidate(_spaced(text), probability) for text, probability in ordered]


def _spaced(token: str) -> str:
    """A token's text where a server shows it as its vocabulary spells it, with a sign for the space."""
    return f" {token[1:]}" if token[:1] in ("Ġ", "▁") else token


def read_options(listed: Sequence[Candidate], options: Sequence[str]) -> list[float | Shared]:
    """P(option) of each option, as far as the list of likeliest first tokens tells it.

    - A listed token that is the option gives its probability.
    - Otherwise the longest listed token that the option, and no other one, begins with: it stands for the
      option, whose later tokens are taken as certain. This is at most too high.
    - Otherwise the longest listed token that the option and another one begin with, unless it is rarer than
      RARE: it is Shared.
    - Otherwise the option's first token is not listed. It is then no likelier than the least likely of the
      listed ones, nor than what all that are not listed have together. The middle of what is possible is
      taken, min(least listed, remaining mass) / 2, which is off by at most as much.

    Case and spaces count: " true" is not "true". Only where not one listed token begins with a space the
    server is taken to leave it out, and options are compared without theirs.
    """
    bare = not any(one.text[:1].isspace() for one in listed)
    beginnings = [_beginnings(listed, option, bare) for option in options]
    found = [
        _reading(option, own, [other for other in beginnings if other is not own])
        for option, own in zip(options, beginnings, strict=True)
    ]
    rest = max(0.0, 1.0 - math.fsum(one.probability for one in listed))
    least = listed[-1].probability if listed else 1.0
    middle = min(least, rest) / 2
    return [middle if reading is None else reading for reading in found]


def _beginnings(listed: Sequence[Candidate], option: str, bare: bool) -> dict[str, float]:
    """Every listed beginning of an option with its probability; of two that look alike the likelier."""
    gap = option[: len(option) - len(option.lstrip())] if bare else ""
    found: dict[str, float] = {}
    for one in listed:
        if one.text and option.startswith(gap + one.text):
            found.setdefault(gap + one.text, one.probability)
    return found


def _reading(
    option: str, found: dict[str, float], others: Sequence[dict[str, float]]
) -> float | Shared | None:
    if option in found:
        return found[option]
    own = [text for text in found if not any(text in other for other in others)]
    if own:
        return found[max(own, key=len)]
    shared = [text for text in found if found[text] >= RARE]
    return Shared(max(shared, key=len), found[max(shared, key=len)]) if shared else None


def error_message(content: bytes) -> str:
    """What a reply says went wrong, on one line of at most SHOWN characters."""
    try:
        told: Any = json.loads(content)
    except (ValueError, RecursionError):
        told = content.decode("utf-8", "replace")
    while isinstance(told, dict) and (inner := told.keys() & {"error", "message", "detail"}):
        told = told[min(inner, key=["error", "message", "detail"].index)]
    line = " ".join(str(told).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
