"""Tokens of prompts and texts: what the server charged, else its tokenizer's count, else an estimate."""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.errors import ServerError
from maieutic.lm.base import Prompt
from maieutic.lm.server.exchange import Connection, Refused
from maieutic.lm.server.probe import Served, tokenizing
from maieutic.lm.server.replies import Reply

__all__ = ["TokenCounter"]

BYTES_A_TOKEN = 4  # of English text, roughly


class TokenCounter:
    """Counts tokens for one model on one server.

    Args:
        name: the model's, for messages.
    """

    def __init__(self, connection: Connection, served: Served, name: str) -> None:
        self._connection, self._served, self._name = connection, served, name

    @property
    def source(self) -> str:
        """Where the counts come from, for the record of a run."""
        return "as charged, else " + ("by the server" if self._served.tokenizer else "estimated")

    def charged(self, kind: str, items: Sequence[Prompt | str], replies: Sequence[Reply]) -> list[int]:
        """The "prompt" or "completion" tokens of each reply, as the server charged them.

        A completion is mostly charged with the token that ended it. Items whose reply does not say are
        counted by :meth:`count`.

        Args:
            items: the prompts, or the texts that were drawn.
        """
        counts = [reply.used(kind) for reply in replies]
        unknown = [item for item, count in zip(items, counts, strict=True) if count is None]
        others = iter(self.count(unknown))
        return [next(others) if count is None else count for count in counts]

    def count(self, items: Sequence[Prompt | str]) -> list[int]:
        """Tokens by the server's tokenizer, a chat prompt without the template around it.

        Without a tokenizer the counts are estimates: four bytes of UTF-8 a token.

        Raises:
            ServerError: the tokenizer does not answer any more.
        """
        distinct = list(dict.fromkeys(items))
        counts = {item: _estimate(item) for item in distinct}
        path, model = self._served.tokenizer, self._served.model
        if path:
            requests = [
                tokenizing(path, model, _plain(item), special=isinstance(item, Prompt)) for item in distinct
            ]
            try:
                replies = self._connection.ask(requests)
            except Refused as refused:
                problem = f"{self._name} does not split texts any more ({refused})"
                raise ServerError(problem, subject=self._name) from None
            for item, reply in zip(distinct, replies, strict=True):
                counts[item] = counts[item] if reply.number is None else reply.number
        return [counts[item] for item in items]


def _estimate(item: Prompt | str) -> int:
    return -(-len(_plain(item).encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN)


def _plain(item: Prompt | str) -> str:
    """All the words of a prompt or text."""
    if isinstance(item, str):
        return item
    if item.format == "text":
        return item.text()
    return "\n".join([*(message["content"] for message in item.messages()), item.opening])
