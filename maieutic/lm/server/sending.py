"""Sends the requests of prompts, and says which prompt is at fault if one is rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maieutic.errors import ContextLengthError, ModelError, ServerError
from maieutic.lm.base import Prompt
from maieutic.lm.server.prompts import PromptWriter
from maieutic.lm.server.replies import TOO_LONG, Reply
from maieutic.lm.server.request import Channel, Request, RequestRejected
from maieutic.lm.server.trial import THOUGHT_REMEDY

__all__ = ["Sender", "quoted"]

QUERY_CHARS = 60  # of a prompt in a message
ABOUT_THE_PROMPT = frozenset({400, 413, 422})  # other rejections concern every prompt


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests to one model.

    Args:
        name: the model's name in messages.
    """

    connection: Channel
    writer: PromptWriter
    name: str

    def send(self, owners: Sequence[Prompt], bodies: Sequence[Mapping[str, Any]]) -> list[Reply]:
        """The replies to requests, each on behalf of a prompt."""
        requests = [
            Request(self.writer.endpoint(prompt).path, body, kind=prompt.kind)
            for prompt, body in zip(owners, bodies, strict=True)
        ]
        try:
            replies: list[Reply] = self.connection.send(requests)
        except RequestRejected as rejection:
            raise self._error(owners[rejection.index], rejection) from None
        return replies

    def try_send(self, requests: Sequence[Request]) -> list[Any]:
        """The replies to requests for which there is another way; None for each that is rejected."""
        replies: list[Any] = self.connection.send([replace(request, optional=True) for request in requests])
        return replies

    def _error(self, prompt: Prompt, rejection: RequestRejected) -> ModelError | ServerError:
        if TOO_LONG.search(rejection.message):
            return ContextLengthError(
                f"{quoted(prompt)} does not fit the context window of {self.name} ({rejection.message}); "
                "shorten it, or start the server with a larger window",
                subject=self.name,
            )
        if rejection.status in ABOUT_THE_PROMPT:
            problem = f"{self.name} rejects {quoted(prompt)} ({rejection}); change the prompt"
            return ModelError(problem, subject=self.name)
        problem = f"{self.name} does not answer any more ({rejection}); check the server"
        return ServerError(problem, subject=self.name)

    def check_thoughts(self, replies: Sequence[Reply]) -> None:
        """Raise a ModelError if no reply has more than a thought; single such replies count as empty."""
        if replies and all(reply.choice.only_thought for reply in replies):
            raise ModelError(
                f"{self.name} thinks before it answers, and reached the token limit before its answer; "
                f"{THOUGHT_REMEDY}",
                subject=self.name,
            )


def quoted(prompt: Prompt) -> str:
    """A prompt in a message, by the beginning of its query."""
    line = " ".join(prompt.query.split())
    return f'the prompt "{line if len(line) <= QUERY_CHARS else line[: QUERY_CHARS - 1] + "…"}"'
