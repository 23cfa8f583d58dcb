"""Prompts as a server is asked them: which way, in what words, and how a reply is made to begin.

The opening of a chat reply is sent as the beginning of an unfinished message where the server goes on from
there, as vLLM, SGLang and llama.cpp do; this is found out when it is first needed. Elsewhere the last message
ends with the opening and asks for what follows it, which is an approximation: the model may begin anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from maieutic.errors import ModelError
from maieutic.lm.base import Prompt
from maieutic.lm.server.exchange import Connection, Refused, Request
from maieutic.lm.server.probe import CHAT, Endpoint, Served, Written
from maieutic.lm.server.replies import Reply

__all__ = ["PromptWriter"]

FOLLOWS = "Your reply begins with the words below, which are written already. Write only what follows them."


class PromptWriter:
    """Writes prompts for one model on one server.

    Args:
        name: the model's, for messages.
    """

    def __init__(self, connection: Connection, served: Served, name: str) -> None:
        self._connection, self._served, self._name = connection, served, name

    def endpoint(self, prompt: Prompt) -> Endpoint:
        """The way to ask that a prompt's format needs.

        Raises:
            ModelError: the server does not have it.
        """
        if prompt.format == "text":
            if self._served.completions:
                return self._served.completions
            raise ModelError(f'{self._name} cannot continue plain text; use the "chat" prompt set')
        if self._served.chat:
            return self._served.chat
        raise ModelError(f'{self._name} cannot chat; use the "paper" prompt set, which is plain text')

    def body(self, prompt: Prompt, **drawing: Any) -> dict[str, Any]:
        """What is posted to have a prompt continued; ``drawing`` says how."""
        return self.endpoint(prompt).body(self._served.model, *self._written(prompt), **drawing)

    def first_token(self, prompt: Prompt, temperature: float) -> dict[str, Any]:
        """What is posted to see the tokens that are likeliest to come first after a prompt."""
        return self.endpoint(prompt).first_token(self._served.model, *self._written(prompt), temperature)

    def goes_on(self, prompt: Prompt) -> bool:
        """Whether a longer opening is gone on from, or only asked for."""
        return prompt.format == "text" or self._prefill is not None

    def reply(self, prompt: Prompt, written: str) -> str:
        """What a reply adds to the prompt, up to the first newline, as not all servers stop there.

        The opening of a chat reply is taken off: llama.cpp repeats it, others may.
        """
        if prompt.format == "chat" and prompt.opening:
            written = written.removeprefix(prompt.opening.rstrip())
        return written.partition("\n")[0]

    def _written(self, prompt: Prompt) -> tuple[Written, Mapping[str, Any]]:
        """The words of a prompt, and the fields that go with them."""
        if prompt.format == "text":
            return prompt.text(), {}
        prefill = self._prefill if prompt.opening else None
        return self._messages(prompt, continued=prefill is not None), prefill or {}

    def _messages(self, prompt: Prompt, *, continued: bool) -> list[dict[str, str]]:
        messages = prompt.messages()
        if prompt.opening and continued:
            messages.append({"role": "assistant", "content": prompt.opening})
        elif prompt.opening:
            query = f"{prompt.query}\n\n{FOLLOWS}\n{prompt.opening}"
            messages[-1] = {"role": "user", "content": query}
        if prompt.instruction and not self.endpoint(prompt).system:
            instruction, asked, *others = messages
            content = f"{instruction['content']}\n\n{asked['content']}"
            messages = [{"role": "user", "content": content}, *others]
        return messages

    @cached_property
    def _prefill(self) -> Mapping[str, Any] | None:
        """The fields that make a chat go on from its last message; None if nothing does.

        A message of one letter that is gone on from costs one token more than none; one that is closed costs
        its end and the beginning of the next as well.
        """
        assert self._served.chat is not None
        question = {"role": "user", "content": "Count to ten."}
        begun = [question, {"role": "assistant", "content": "A"}]
        before = self._prompt_tokens([question], {})
        for more in ({"continue_final_message": True, "add_generation_prompt": False}, {}):
            after = self._prompt_tokens(begun, more)
            if before and after and after - before <= 1:
                return more
        return None

    def _prompt_tokens(self, messages: list[dict[str, str]], more: Mapping[str, Any]) -> int | None:
        assert self._served.chat is not None
        body = self._served.chat.first_token(self._served.model, messages, more)
        try:
            (reply,) = self._connection.ask([Request(CHAT, body)])
        except Refused:
            return None
        assert isinstance(reply, Reply)
        return reply.used("prompt")
