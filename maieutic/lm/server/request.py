"""A request to a server, the ways in which it fails, and the channel to one server or to several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maieutic.errors import ModelError
from maieutic.lm.server.replies import Reply

__all__ = ["AttemptFailed", "Channel", "Request", "RequestRejected", "UnreachableServerError"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a server.

    Attributes:
        path: below the server's address or, if it begins with "//", beside its "/v1".
        body: the JSON to post; None for a GET.
        schema: the dataclass that the reply must fit.
        optional: whether a rejection is no error: the reply is then None.
        kind: equal for prompts that begin with the same examples, which a server may have read before.
    """

    path: str
    body: Mapping[str, Any] | None = None
    schema: type[Any] = Reply
    optional: bool = False
    kind: int | None = None


class RequestRejected(Exception):  # noqa: N818 - some callers send a request to learn whether it is rejected
    """The server works, but rejects a request.

    Args:
        index: of the request among those sent together.
        status: of the reply, 4xx or 5xx.
        message: the server's, on one line.
    """

    def __init__(self, index: int, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.index, self.status, self.message = index, status, message


class UnreachableServerError(ModelError):
    """No connection to the server can be established."""


class AttemptFailed(Exception):  # noqa: N818 - handled by those who send, never raised to callers
    """One attempt to send a request failed.

    Args:
        temporary: whether another attempt may succeed.
        wait: seconds that the server asks to wait, None if it does not say.
        unreachable: whether no connection was established.
    """

    def __init__(
        self, problem: str, *, temporary: bool = False, wait: float | None = None, unreachable: bool = False
    ) -> None:
        super().__init__(problem)
        self.temporary, self.wait, self.unreachable = temporary, wait, unreachable


class Channel(Protocol):
    """A way to a model's server, or to several servers of one model."""

    @property
    def url(self) -> str:
        """The address, or the addresses with commas."""
        ...

    def send(self, requests: Sequence[Request]) -> list[Any]:
        """The replies in the order of the requests, each in its schema; the first failure ends all requests.

        Raises:
            RequestRejected: a server rejects a request.
            ServerError: no server gives a usable answer; ``subject`` is the address.
        """
        ...
