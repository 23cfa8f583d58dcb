"""An endpoint that continues prompts, and the terms on which it takes requests.

OpenAI-compatible servers differ in what they accept: the name of a field, a value at the end of its range, a
role, the form of content. An :class:`Endpoint` writes every request on the terms that the server accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maieutic.lm.messages import in_parts
from maieutic.lm.server.scoring import Scoring

__all__ = ["CHAT", "COMPLETIONS", "Endpoint", "WrittenPrompt"]

WrittenPrompt = str | list[dict[str, str]]  # a prompt as plain text, or as the messages of a chat
COMPLETIONS, CHAT = "/completions", "/chat/completions"
ANSWER_TOKENS = 16  # after a thought, and of an answer that may begin with blank lines


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint, with the terms of its requests; the defaults are those of the OpenAI interface.

    Attributes:
        path: COMPLETIONS or CHAT.
        top: how many of the likeliest tokens it gives; 0 for none.
        settings: fields of every request that switch off the server's own truncation.
        thinking: fields of every request that switch off a chat model's thoughts.
        system: whether a chat may begin with a system message.
        parts: whether the content of a message must be a list of parts.
        limit_field: the name of the field for the token limit.
        min_tokens: the smallest token limit that it accepts.
        temperature: whether it accepts a temperature.
        greedy: the temperature in place of 0; None to leave the field out.
        full_top_p: the value in place of a top_p of 1; None to leave top_p out of every request.
        seed: whether it accepts a seed.
        stop: whether it accepts a stop text.
        blank_start: whether the model's replies begin with a blank line, where a stop text would end them.
        labels: whether ``/score`` gives the probabilities of single tokens after its prompts.
        scoring: how it gives the probabilities of a prompt's tokens; None if it does not.
        thought: token limit of a thought that cannot be switched off; 0 for a model without one.
    """

    path: str
    top: int = 20
    settings: Mapping[str, Any] = field(default_factory=dict)
    thinking: Mapping[str, Any] = field(default_factory=dict)
    system: bool = True
    parts: bool = False
    limit_field: str = "max_tokens"
    min_tokens: int = 1
    temperature: bool = True
    greedy: float | None = 0.0
    full_top_p: float | None = 1.0
    seed: bool = True
    stop: bool = True
    blank_start: bool = False
    labels: bool = False
    scoring: Scoring | None = None
    thought: int = 0

    @property
    def ways(self) -> str:
        """How options are scored, the first way first."""
        names = ["/score"] if self.labels else []
        names += [self.scoring.name] if self.scoring else []
        names += [f"{self.top} top tokens"] if self.top else []
        return ", else ".join(names) or "none"

    def body(
        self, model: str, prompt: WrittenPrompt, extra: Mapping[str, Any], **sampling: Any
    ) -> dict[str, Any]:
        """The body of a request to continue a prompt.

        Args:
            extra: fields that belong to the prompt.
            sampling: fields of the OpenAI interface: max_tokens, temperature, top_p, seed, stop, logprobs.
        """
        key, written = "prompt", prompt
        if self.path == CHAT:
            key, written = "messages", self._messages(prompt)
        fields = self.settings if self.path == COMPLETIONS else {**self.settings, **self.thinking}
        return {"model": model, key: written, **fields, **extra, **self._accepted(sampling)}

    def first_token(
        self, model: str, prompt: WrittenPrompt, extra: Mapping[str, Any], temperature: float = 1.0
    ) -> dict[str, Any]:
        """The body of a request for the likeliest first tokens.

        Args:
            temperature: 1, because some servers apply it to the probabilities; or 0, which draws the
                likeliest token: llama.cpp gives no probabilities if the drawn token is part of a character.
        """
        top: dict[str, Any] = {}
        if self.top:
            top = (
                {"logprobs": True, "top_logprobs": self.top} if self.path == CHAT else {"logprobs": self.top}
            )
        tokens = ANSWER_TOKENS if self.blank_start or self.thought else 1
        return self.body(
            model, prompt, extra, max_tokens=tokens, temperature=temperature, top_p=1.0, seed=0, **top
        )

    def scored(self, model: str, prompt: WrittenPrompt, scoring: Scoring) -> dict[str, Any]:
        """The body of a request for the probabilities of a prompt's tokens."""
        return self.body(
            model, prompt, {}, max_tokens=1, temperature=1.0, top_p=1.0, seed=0, **scoring.fields
        )

    def _accepted(self, sampling: Mapping[str, Any]) -> dict[str, Any]:
        """The sampling fields on the server's terms."""
        fields = dict(sampling)
        limit = max(fields.pop("max_tokens"), self.min_tokens) + self.thought
        if not self.temperature:
            fields.pop("temperature", None)
        elif fields.get("temperature") == 0:
            fields["temperature"] = self.greedy
        if fields.get("top_p") == 1 or self.full_top_p is None:
            fields["top_p"] = self.full_top_p
        if not self.seed:
            fields.pop("seed", None)
        if not self.stop or self.blank_start or self.thought:  # a thought contains newlines
            fields.pop("stop", None)
        present = {name: value for name, value in fields.items() if value is not None}
        return {self.limit_field: limit, **present}

    def _messages(self, prompt: WrittenPrompt) -> Any:
        if not self.parts or isinstance(prompt, str):
            return prompt
        return in_parts(prompt)
