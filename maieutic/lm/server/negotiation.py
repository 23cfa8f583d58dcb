"""Finds the terms on which an endpoint takes requests, by sending small ones.

The first request has everything. While the server rejects it, the term that its message names is relaxed; if
it names none, terms are relaxed one after another. Terms that were relaxed without being named are then
restored one by one, as far as the server accepts them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maieutic.lm.server.endpoint import CHAT, Endpoint
from maieutic.lm.server.exchange import MISSING, Connection
from maieutic.lm.server.replies import Reply, first_tokens
from maieutic.lm.server.request import Request, RequestRejected

__all__ = ["NO_THINKING", "Negotiation"]

NO_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}
FEW_TOP_TOKENS = 5  # some servers give no probabilities at all if asked for more
MAX_REQUESTS = 40

# Settings that allow every token to be drawn: those of vLLM, SGLang and llama.cpp; those of llama-cpp-python;
# those of the interface itself.
_OPEN = {"min_p": 0.0, "repetition_penalty": 1.0, "repeat_penalty": 1.0}
_SETTINGS: tuple[dict[str, Any], ...] = ({"top_k": -1, **_OPEN}, {"top_k": 0, **_OPEN}, {})
_TOPS = (20, 10, 5, 2, 0)
_REJECTED = "not support|unsupported|unrecognized|unknown|not allowed|not permitted|extra |logits_all"
_NEVER = re.compile(_REJECTED, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """A field of :class:`Endpoint` that can be relaxed.

    Attributes:
        name: the field's name.
        values: from the best to the last one.
        words: how servers name it in their messages.
        guess: whether to relax it when a message names nothing.
    """

    name: str
    values: Sequence[Any]
    words: re.Pattern[str]
    guess: bool = True

    def relaxed(self, endpoint: Endpoint, message: str = "") -> Endpoint | None:
        """The endpoint with the next value, None after the last one.

        A number in the message that is smaller than the number of top tokens is taken as its limit.
        """
        value = getattr(endpoint, self.name)
        later = list(self.values[self.values.index(value) + 1 :]) if value in self.values else []
        if self.name == "top":
            later = [0] if _NEVER.search(message) else [number for number in _TOPS if number < value]
            stated = [int(number) for number in re.findall(r"\b\d{1,2}\b", message)]
            later = [number for number in sorted(stated, reverse=True) if 1 < number < value] + later
            later = later if value else []
        return replace(endpoint, **{self.name: later[0]}) if later else None


def _term(name: str, values: Sequence[Any], words: str, *, guess: bool = True) -> Term:
    return Term(name, values, re.compile(words, re.IGNORECASE), guess)


_THINKING = _term("thinking", (NO_THINKING, {}), "chat_template_kwargs|enable_thinking|template_kwargs")
_OTHER_LIMIT = rf"max_completion_tokens|max_tokens.*({_REJECTED})|({_REJECTED}).*max_tokens"
_TERMS = (  # in the order in which they are relaxed when a message names none
    _term("settings", _SETTINGS, "top_k|min_p|repetition_penalty|repeat_penalty"),
    _term("full_top_p", (1.0, 0.9999, None), "top_p"),
    _term("temperature", (True, False), "temperature"),
    _term("stop", (True, False), r"\bstop\b"),
    _term("seed", (True, False), r"\bseed\b"),
    _term("limit_field", ("max_tokens", "max_completion_tokens"), _OTHER_LIMIT, guess=False),
    _term("min_tokens", (1, 16), "max_(completion_)?tokens", guess=False),
    _term("top", _TOPS, "log_?prob|top_n|n_probs|top_token"),
)
_CHAT_TERMS = (
    _THINKING,
    _term("system", (True, False), r"\bsystem\b|\broles?\b|alternat"),
    _term("parts", (False, True), r"\bcontent\b.*(list|array|part|sequence)|content_type", guess=False),
)
_GREEDY = _term("greedy", (0.0, 0.01, None), "temperature")


@dataclass(slots=True)
class Negotiation:
    """Requests to one endpoint.

    Args:
        write: (endpoint) → the prompt of a request, in the endpoint's form.
        attempts: how often a request is sent that fails, None for the retry policy's number.
    """

    connection: Connection
    model: str
    write: Callable[[Endpoint], Any]
    attempts: int | None
    requests: int = 0

    def agree(self, path: str) -> Endpoint:
        """The endpoint with the best terms that it accepts.

        Raises:
            RequestRejected: it accepts none.
            ModelError: the server fails, or answers in another format.
            ServerError: the server fails.
        """
        terms = (*_CHAT_TERMS, *_TERMS) if path == CHAT else _TERMS
        thinking = NO_THINKING if path == CHAT else {}
        start = Endpoint(path, settings=_SETTINGS[0], thinking=thinking)
        endpoint = self._relax(start, terms)
        return self._relax(endpoint, (_GREEDY,), temperature=0.0)

    def with_known_top(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with the number of top tokens that its replies really have.

        Raises:
            ModelError: the server fails, or answers in another format.
            ServerError: the server fails.
        """
        few = replace(endpoint, top=min(endpoint.top, FEW_TOP_TOKENS))
        variants = [(endpoint, 1.0), (endpoint, 0.0), (few, 1.0)] if endpoint.top else []
        for variant, temperature in variants[: 2 if few == endpoint else 3]:
            try:
                if first_tokens(self._send(variant, temperature), variant.top):
                    return variant
            except RequestRejected:
                continue
        return replace(endpoint, top=0)

    def _relax(self, endpoint: Endpoint, terms: Sequence[Term], temperature: float = 1.0) -> Endpoint:
        """The endpoint on terms that it accepts."""
        guesses: list[Term] = []
        best = endpoint
        while True:
            try:
                self._send(endpoint, temperature)
                break
            except RequestRejected as rejection:
                if rejection.status in MISSING or self.requests >= MAX_REQUESTS:
                    raise
                named = [term for term in terms if term.words.search(rejection.message)]
                relaxed = [new for term in named if (new := term.relaxed(endpoint, rejection.message))]
                if not relaxed:
                    guess = next((t for t in terms if t.guess and t.relaxed(endpoint)), None)
                    if guess is None:
                        raise
                    guesses.append(guess)
                    relaxed = [new for new in [guess.relaxed(endpoint)] if new]
                endpoint = relaxed[0]
        for name in dict.fromkeys(term.name for term in guesses):
            restored = replace(endpoint, **{name: getattr(best, name)})
            try:
                self._send(restored, temperature)
            except RequestRejected:
                continue
            endpoint = restored
        return endpoint

    def _send(self, endpoint: Endpoint, temperature: float = 1.0) -> Reply:
        """The reply to a request for the likeliest first tokens, with a stop text as in other requests."""
        self.requests += 1
        body = endpoint.first_token(self.model, self.write(endpoint), {}, temperature)
        if endpoint.stop:
            body["stop"] = ["\n"]
        request = Request(endpoint.path, body)
        (reply,) = self.connection.send([request], opening=True, attempts=self.attempts)
        assert isinstance(reply, Reply)
        return reply
