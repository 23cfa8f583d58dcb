"""Token counts of prompts and texts: the server's own, else its tokenizer's, else an estimate."""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.errors import ServerError
from maieutic.lm.base import Prompt
from maieutic.lm.server.probe import ServedModel, tokenize_request
from maieutic.lm.server.replies import Reply
from maieutic.lm.server.request import Channel, RequestRejected

__all__ = ["TokenCounter"]

BYTES_PER_TOKEN = 4  # of English text, roughly


class TokenCounter:
    """Counts tokens for one model on one server.

    Args:
        name: the model's name in messages.
    """

    def __init__(self, connection: Channel, served: ServedModel, name: str) -> None:
        self._connection, self._served, self._name = connection, served, name

    @property
    def source(self) -> str:
        """Where the counts come from, for the record of a run."""
        return "as charged, else " + ("by the server" if self._served.tokenizer else "estimated")

    def charged(self, kind: str, items: Sequence[Prompt | str], replies: Sequence[Reply]) -> list[int]:
        """The number of "prompt" or "completion" tokens that the server charged for each reply.

        Most servers count the token that ended a completion. Where a reply gives no count,
        :meth:`count` does.

        Args:
            items: the prompts, or the texts that were drawn.
        """
        counts = [reply.token_count(kind) for reply in replies]
        uncounted = [item for item, count in zip(items, counts, strict=True) if count is None]
        own_counts = iter(self.count(uncounted))
        return [next(own_counts) if count is None else count for count in counts]

    def count(self, items: Sequence[Prompt | str]) -> list[int]:
        """Tokens by the server's tokenizer, without the template of a chat prompt.

        Without a tokenizer the counts are estimates: four bytes of UTF-8 per token.

        Raises:
            ServerError: the tokenizer does not answer any more.
        """
        distinct = list(dict.fromkeys(items))
        counts = {item: _estimate(item) for item in distinct}
        path, model = self._served.tokenizer, self._served.model
        if path:
            requests = [
                tokenize_request(path, model, _plain_text(item), special=isinstance(item, Prompt))
                for item in distinct
            ]
            try:
                replies = self._connection.send(requests)
            except RequestRejected as rejection:
                problem = f"{self._name} does not count tokens any more ({rejection}); check the server"
                raise ServerError(problem, subject=self._name) from None
            for item, reply in zip(distinct, replies, strict=True):
                counts[item] = counts[item] if reply.number is None else reply.number
        return [counts[item] for item in items]


def _estimate(item: Prompt | str) -> int:
    return -(-len(_plain_text(item).encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def _plain_text(item: Prompt | str) -> str:
    """All the text of a prompt or completion."""
    if isinstance(item, str):
        return item
    if item.format == "text":
        return item.text()
    return "\n".join([*(message["content"] for message in item.messages()), item.opening])
