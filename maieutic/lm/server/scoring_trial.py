"""Tries each way to score given continuations once, when a model is opened.

A way is used if its replies have the right form. ``/v1/score`` and the log-probabilities of chats must also
agree with the likeliest tokens at the same position. This finds out a softmax over the labels, a delimiter
that the server adds to prompts, a chat template that closes the last message, and one that begins the model's
reply in another way than a given message of the assistant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from maieutic.errors import MaieuticError
from maieutic.lm.server.endpoint import CHAT, Endpoint, WrittenPrompt
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.labels import SplitTexts, TokenizedPrompt
from maieutic.lm.server.replies import FirstToken, Reply, first_tokens
from maieutic.lm.server.request import Request, RequestRejected
from maieutic.lm.server.scoring import SCORINGS, ChatLogprobs, Continuation, Scoring
from maieutic.lm.server.trial import trial_messages

__all__ = ["ScoringTrial", "agree"]

# Logits in bfloat16 between 16 and 32 have steps of 0.125; three steps apart still agree.
AGREEMENT = 0.4  # nats
COMPARED = 2  # tokens that must agree
# A softmax over two labels adds up to 1. Two tokens after the two likeliest have at most 1/2 together. So it
# would raise their log-probabilities by log 2 > AGREEMENT or more.
LIKELIEST = 2  # tokens that are not compared for this reason
_TEXT = "Grass is green, the sky is blue, and snow is"


@dataclass(frozen=True, slots=True)
class ScoringTrial:
    """Trial requests to one model."""

    connection: Connection
    model: str

    def adapt(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with its ways to score given continuations, if it has any."""
        if endpoint.path == CHAT:
            return replace(endpoint, scoring=self._chat_scoring(endpoint))
        return replace(endpoint, labels=self._has_labels(endpoint), scoring=self._text_scoring(endpoint))

    def _text_scoring(self, endpoint: Endpoint) -> Scoring | None:
        for scoring in SCORINGS:
            if self._continuation(endpoint, scoring, "1 2 3 4", "1 2 3", " 4") is not None:
                return scoring
        return None

    def _has_labels(self, endpoint: Endpoint) -> bool:
        """Whether ``/score`` gives the probabilities of the likeliest tokens after a text."""
        if not endpoint.top or self._split([" a"]) is None:  # most servers do not split a list of texts
            return False
        reply = self._first_token(endpoint, _TEXT)
        listed = first_tokens(reply, endpoint.top)[LIKELIEST:] if reply else []
        for space in ("", " "):  # some servers strip the spaces of tokens
            split = self._split([space + token.text for token in listed])
            labels = split.labels if split else ()
            pairs = [
                (token, label) for token, label in zip(listed, labels, strict=False) if label is not None
            ]
            if split and len(pairs) >= COMPARED and self._labels_agree(split, pairs[:COMPARED]):
                return True
        return False

    def _split(self, options: Sequence[str]) -> TokenizedPrompt | None:
        return TokenizedPrompt.read(self._send(SplitTexts.request(self.model, _TEXT, options)), options)

    def _labels_agree(self, split: TokenizedPrompt, pairs: Sequence[tuple[FirstToken, int]]) -> bool:
        reply = self._send(split.request(self.model, [label for _, label in pairs]))
        scores = (reply.probabilities(len(pairs)) if reply else None) or []
        tokens = [token for token, _ in pairs]
        return bool(scores) and all(map(agree, scores, [token.probability for token in tokens]))

    def _chat_scoring(self, endpoint: Endpoint) -> Scoring | None:
        """The log-probabilities of chats, if they agree with those of the likeliest tokens.

        A model that thinks first, or begins with a blank line, does not begin with the option.
        """
        if not endpoint.top or endpoint.thought or endpoint.blank_start:
            return None
        scoring = ChatLogprobs()
        question = trial_messages(system=endpoint.system, merged=not endpoint.system)
        if self._answer(endpoint, scoring, question, "true") is None:  # most servers do not have them
            return None
        reply = self._first_token(endpoint, question)
        listed = first_tokens(reply, endpoint.top) if reply else []
        words = [token for token in listed if token.text.isalpha()][:COMPARED]
        if reply is None or len(words) < COMPARED:
            return None
        for word in words:
            result = self._answer(endpoint, scoring, question, word.text)
            if result is None or not agree(result.probability, word.probability):
                return None
            if reply.token_count("prompt") not in (None, result.prompt_tokens):
                return None
        return scoring

    def _answer(
        self, endpoint: Endpoint, scoring: Scoring, question: list[dict[str, str]], answer: str
    ) -> Continuation | None:
        messages = [*question, {"role": "assistant", "content": answer}]
        return self._continuation(endpoint, scoring, messages, "", answer)

    def _continuation(
        self, endpoint: Endpoint, scoring: Scoring, written: WrittenPrompt, before: str, option: str
    ) -> Continuation | None:
        reply = self._send(Request(endpoint.path, endpoint.scored(self.model, written, scoring)))
        return scoring.continuation(reply, before, option) if reply else None

    def _first_token(self, endpoint: Endpoint, written: WrittenPrompt) -> Reply | None:
        reply: Reply | None = self._send(
            Request(endpoint.path, endpoint.first_token(self.model, written, {}))
        )
        return reply

    def _send(self, request: Request) -> Any:
        """The reply; None if the server rejects the request or fails."""
        try:
            (reply,) = self.connection.send([request], opening=True, attempts=1)
        except (RequestRejected, MaieuticError):
            return None
        return reply


def agree(probability: float, other: float) -> bool:
    """Whether two probabilities are the same but for rounding."""
    return min(probability, other) > 0 and abs(math.log(probability / other)) <= AGREEMENT
