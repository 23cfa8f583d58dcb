"""Writes prompts for a server: which endpoint, which text, and how the reply begins.

If the server continues an unfinished message (vLLM, SGLang and llama.cpp do), the opening of a chat reply is
sent as the beginning of the assistant's message. The first such prompt finds this out. Otherwise the last
message ends with the opening and asks for what follows it, which is an approximation: the model may start
over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from maieutic.errors import ModelError
from maieutic.lm.base import Prompt
from maieutic.lm.messages import merge_system
from maieutic.lm.server.endpoint import CHAT, Endpoint, WrittenPrompt
from maieutic.lm.server.probe import ServedModel
from maieutic.lm.server.replies import Reply
from maieutic.lm.server.request import Channel, Request, RequestRejected

__all__ = ["PromptWriter"]

FOLLOWS = "Your reply begins with the words below, which are written already. Write only what follows them."


class PromptWriter:
    """Writes prompts for one model on one server.

    Args:
        name: the model's name in messages.
    """

    def __init__(self, connection: Channel, served: ServedModel, name: str) -> None:
        self._connection, self._served, self._name = connection, served, name

    def endpoint(self, prompt: Prompt) -> Endpoint:
        """The endpoint for a prompt's format.

        Raises:
            ModelError: the server does not have it.
        """
        if prompt.format == "text":
            if self._served.completions:
                return self._served.completions
            problem = f'{self._name} cannot continue plain text; use the "chat" prompt set'
            raise ModelError(problem, subject=self._name)
        if self._served.chat:
            return self._served.chat
        problem = f'{self._name} cannot chat, or never stops thinking; use the "paper" prompt set'
        raise ModelError(problem, subject=self._name)

    def body(self, prompt: Prompt, **sampling: Any) -> dict[str, Any]:
        """The body of a request to continue a prompt; ``sampling`` are its sampling fields."""
        return self.endpoint(prompt).body(self._served.model, *self._written(prompt), **sampling)

    def first_token(self, prompt: Prompt, temperature: float) -> dict[str, Any]:
        """The body of a request for the likeliest first tokens after a prompt."""
        return self.endpoint(prompt).first_token(self._served.model, *self._written(prompt), temperature)

    def scored(self, prompt: Prompt, option: str) -> dict[str, Any]:
        """The body of a request for the probabilities of the tokens of a prompt with an option."""
        endpoint = self.endpoint(prompt)
        assert endpoint.scoring is not None
        extended = replace(prompt, opening=prompt.opening + option)
        written: WrittenPrompt = extended.text()
        if prompt.format == "chat":
            written = self._messages(extended, prefilled=True)
        return endpoint.scored(self._served.model, written, endpoint.scoring)

    @property
    def model(self) -> str:
        """The model's name on the server."""
        return self._served.model

    def continues_opening(self, prompt: Prompt) -> bool:
        """Whether the model continues the opening itself, rather than being asked for what follows it."""
        return prompt.format == "text" or self._prefill is not None

    def completion(self, prompt: Prompt, content: str) -> str:
        """What a reply adds to the prompt, up to the first newline, where not all servers stop.

        The opening of a chat reply is removed: llama.cpp repeats it, and others may.
        """
        if prompt.format == "chat" and prompt.opening:
            content = content.removeprefix(prompt.opening.rstrip())
        return content.partition("\n")[0]

    def _written(self, prompt: Prompt) -> tuple[WrittenPrompt, Mapping[str, Any]]:
        """The text or messages of a prompt, and the request's fields that belong to them."""
        if prompt.format == "text":
            return prompt.text(), {}
        prefill = self._prefill if prompt.opening else None
        return self._messages(prompt, prefilled=prefill is not None), prefill or {}

    def _messages(self, prompt: Prompt, *, prefilled: bool) -> list[dict[str, str]]:
        messages = prompt.messages()
        if prompt.opening and prefilled:
            messages.append({"role": "assistant", "content": prompt.opening})
        elif prompt.opening:
            query = f"{prompt.query}\n\n{FOLLOWS}\n{prompt.opening}"
            messages[-1] = {"role": "user", "content": query}
        if prompt.instruction and not self.endpoint(prompt).system:
            messages = merge_system(messages)
        return messages

    @cached_property
    def _prefill(self) -> Mapping[str, Any] | None:
        """The fields that make the server continue the last message; None if it cannot.

        A last message of one letter adds one token if the server continues it. If the server closes it
        instead, the end of the message and the start of the next one add more.
        """
        assert self._served.chat is not None
        if self._served.chat.thought:  # it would have to begin with the thought
            return None
        question = {"role": "user", "content": "Count to ten."}
        prefilled = [question, {"role": "assistant", "content": "A"}]
        before = self._prompt_tokens([question], {})
        for fields in ({"continue_final_message": True, "add_generation_prompt": False}, {}):
            after = self._prompt_tokens(prefilled, fields)
            if before and after and after - before <= 1:
                return fields
        return None

    def _prompt_tokens(self, messages: list[dict[str, str]], fields: Mapping[str, Any]) -> int | None:
        assert self._served.chat is not None
        body = self._served.chat.first_token(self._served.model, messages, fields)
        try:
            (reply,) = self._connection.send([Request(CHAT, body)])
        except RequestRejected:
            return None
        assert isinstance(reply, Reply)
        return reply.token_count("prompt")
