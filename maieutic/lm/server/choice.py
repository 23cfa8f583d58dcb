"""One generated text of a server's reply. A field of the wrong type counts as missing.

A model's thought is never part of the text. Servers send it in a field of its own (``reasoning``,
``reasoning_content``, ``thinking``, or content parts of these types), or leave it in the text between tags. A
chat template may open the thought itself; the text then has the closing tag only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from maieutic.lm.thoughts import TAGS

__all__ = ["Choice", "Position", "prompt_positions", "text_positions"]

_MESSAGE = "<|message|>"  # which servers of harmony models may drop


def _pattern(tags: Iterable[str]) -> str:
    """Any of the tags."""
    heads = [(re.escape(tag.removesuffix(_MESSAGE)), tag.endswith(_MESSAGE)) for tag in tags]
    return "|".join(f"{head}(?:{re.escape(_MESSAGE)})?" if message else head for head, message in heads)


_OPEN = re.compile(rf"\s*(?:{_pattern(tags.opening for tags in TAGS)})", re.IGNORECASE)
_CLOSE = re.compile(_pattern(tags.closing for tags in TAGS), re.IGNORECASE)
_APART = ("reasoning", "reasoning_content", "thinking", "thought")


@dataclass(frozen=True, slots=True)
class Position:
    """One position of the generated text.

    Attributes:
        drawn: the text of the drawn token.
        logprob: its log-probability (nats), None if the reply lacks it.
        top: the likeliest tokens and their log-probabilities, in the server's order.
    """

    drawn: str
    logprob: float | None
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One generated text.

    Attributes:
        text: the text after the thought and after blank lines.
        thinks: whether the model thought first.
        positions: the generated tokens with their probabilities; those of the thought may be among them.
        cut: whether the token limit ended the text.
        blank_start: whether the text began with a blank line.
    """

    text: str = ""
    thinks: bool = False
    positions: tuple[Position, ...] = ()
    cut: bool = False
    blank_start: bool = False

    @classmethod
    def read(cls, raw: Any, usage: Any = None) -> Choice:
        """Read an element of ``choices``.

        Args:
            usage: the reply's; it may count the tokens of a hidden thought.
        """
        fields = _mapping(raw)
        message = _mapping(fields.get("message"))
        content, thought = _parts(fields.get("text") or message.get("content"))
        thought += "".join(_parts(message.get(name))[0] for name in _APART)
        closing = list(_CLOSE.finditer(content))
        opened = bool(closing) or _OPEN.match(content) is not None
        said = content[closing[-1].end() :] if closing else "" if opened else content
        cut = fields.get("finish_reason") == "length"
        hidden = _number(_mapping(_mapping(usage).get("completion_tokens_details")).get("reasoning_tokens"))
        thinks = opened or bool(thought.strip()) or bool(hidden)
        text = re.sub(r"\A(\s*\n)+", "", said)
        return cls(text, thinks, _positions(fields.get("logprobs")), cut, text != said and not opened)

    @property
    def only_thought(self) -> bool:
        """Whether the model thought and wrote no text."""
        return self.thinks and not self.text.strip()

    @property
    def start(self) -> tuple[Position, float] | None:
        """The position of the text's first token, and the probability of the blanks before it in (0, 1].

        None if the reply has no probabilities there, or no text.
        """
        index = self._start_index()
        if index is None:
            return None
        log = 0.0
        for position in reversed(self.positions[:index]):
            if position.drawn.strip() or position.logprob is None:
                break
            log += position.logprob
        return self.positions[index], math.exp(min(log, 0.0))

    def _start_index(self) -> int | None:
        if self.only_thought or not self.positions:
            return None
        if not self.thinks:
            return next((index for index, one in enumerate(self.positions) if one.drawn.strip()), 0)
        text, following = self.text.strip(), ""
        for index in range(len(self.positions) - 1, -1, -1):
            following = self.positions[index].drawn + following
            if self.positions[index].drawn.strip() and following.lstrip().startswith(text):
                return index
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return None if math.isnan(number) else number


def _parts(content: Any) -> tuple[str, str]:
    """The text and the thought in content, which is a text or a list of parts; parts may be nested."""
    if isinstance(content, str):
        return content, ""
    said = thought = ""
    for part in _list(content):
        if isinstance(part, str):
            said += part
            continue
        fields = _mapping(part)
        thinks = fields.get("type") in ("thinking", "reasoning", "thought")
        inner = next((fields[name] for name in ("text", "content", *_APART) if fields.get(name)), "")
        words, more = _parts(inner)
        said, thought = (said, thought + words + more) if thinks else (said + words, thought + more)
    return said, thought


def _positions(logprobs: Any) -> tuple[Position, ...]:
    fields = _mapping(logprobs)
    if content := _list(fields.get("content")):
        return tuple(_position(item) for item in map(_mapping, content))
    tops = _list(fields.get("top_logprobs"))
    missing = [None] * len(tops)
    tokens, logs = (_list(fields.get(name)) + missing for name in ("tokens", "token_logprobs"))
    return tuple(
        Position(_plain(token), _number(log), _known(_mapping(top).items()))
        for token, log, top in zip(tokens, logs, tops, strict=False)
    )


def text_positions(choice: Any) -> tuple[Position, ...]:
    """The tokens of an echoed prompt and of the text, in the older format of /completions."""
    logprobs = _mapping(_mapping(choice).get("logprobs"))
    tokens, logs = (_list(logprobs.get(name)) for name in ("tokens", "token_logprobs"))
    if len(tokens) != len(logs):  # which log-probability belongs to which token is unknown
        return ()
    return tuple(Position(_plain(token), _number(log), ()) for token, log in zip(tokens, logs, strict=True))


def prompt_positions(logprobs: Any) -> tuple[Position, ...]:
    """The tokens of the prompt in vLLM's ``prompt_logprobs``, each with its own log-probability."""
    listed = [list(_mapping(one).values()) for one in _list(logprobs)]
    fields = [_mapping(values[0]) if len(values) == 1 else {} for values in listed]
    return tuple(
        Position(_plain(one.get("decoded_token")), _number(one.get("logprob")), ()) for one in fields
    )


def _position(fields: dict[str, Any]) -> Position:
    tops = [_mapping(top) for top in _list(fields.get("top_logprobs"))]
    pairs = [(top.get("token"), top.get("logprob")) for top in tops]
    return Position(_plain(fields.get("token")), _number(fields.get("logprob")), _known(pairs))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(token: Any) -> str:
    """A token's text, without the vocabulary's signs for spaces and newlines, which some servers show."""
    text = token if isinstance(token, str) else ""
    return text.replace("Ġ", " ").replace("▁", " ").replace("Ċ", "\n")


def _known(pairs: Any) -> tuple[tuple[str, float], ...]:
    """The pairs whose token and log-probability have the right types."""
    read: Sequence[tuple[Any, float | None]] = [(token, _number(log)) for token, log in pairs]
    return tuple((token, log) for token, log in read if isinstance(token, str) and log is not None)
