"""Several servers of one model, which share the requests; see :mod:`maieutic.lm.server.routing`.

A request that fails on one server is sent to another. When no server answers, one error says what is wrong
with each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from maieutic.errors import InputError, ServerError
from maieutic.lm.server.exchange import Connection, Exchange, shared_out
from maieutic.lm.server.request import AttemptFailed, Request, RequestRejected, UnreachableServerError
from maieutic.lm.server.retries import RetryPolicy
from maieutic.lm.server.routing import Router, Ticket

if TYPE_CHECKING:
    import httpx2

__all__ = ["Fleet"]

_POLL = 0.05  # seconds between looks at whether a server is available


class Fleet:
    """A :class:`maieutic.lm.server.exchange.Channel` to several servers.

    Args:
        connections: one for each server, with the maximum number of its concurrent requests.
        retries: the time limits of a request; how often a request, and a server in a row, may fail.
        check: raises InputError if a server has another model, and other errors if it does not answer.
        unchecked: indices of the servers to check before their first use, since they were down at opening.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        retries: RetryPolicy,
        check: Callable[[Connection], None],
        unchecked: Iterable[int],
    ) -> None:
        self.connections, self.retries = tuple(connections), retries
        self._check, self._unchecked = check, set(unchecked)
        self.router = Router([one.url for one in connections], retries, self._unchecked)

    @property
    def url(self) -> str:
        """The addresses, with commas."""
        return ",".join(connection.url for connection in self.connections)

    def send(self, requests: Sequence[Request]) -> list[Any]:
        """The replies in the order of the requests; see :meth:`Channel.send`.

        An interrupt (Ctrl-C) cancels running and waiting requests.

        Raises:
            RequestRejected: a server rejects a request.
            ServerError: no server answers, or one request fails on every server that it is sent to.
        """
        from anyio.from_thread import start_blocking_portal  # noqa: PLC0415 - an extra dependency

        if not requests:
            return []
        with start_blocking_portal() as portal:
            return portal.call(self._send_all, requests)

    async def _send_all(self, requests: Sequence[Request]) -> list[Any]:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(one.host.client(self.retries.connect_timeout, one.limit))
                for one in self.connections
            ]
            workers = sum(one.limit for one in self.connections)
            return await shared_out(requests, workers, partial(self._send, clients))

    async def _send(self, clients: Sequence[httpx2.AsyncClient], index: int, request: Request) -> Any:
        """The reply to one request, from the first server that gives one."""
        import anyio  # noqa: PLC0415

        problem = f"no answer within {self.retries.total_timeout:g} s"
        with anyio.move_on_after(self.retries.total_timeout):
            failed: list[int] = []
            while len(failed) <= self.retries.attempts * len(self.connections):
                ticket = await self._ticket(request.kind, failed)
                try:
                    return await self._attempt(clients, ticket, index, request)
                except RequestRejected:
                    if request.optional:
                        return None
                    raise
                except AttemptFailed as failure:
                    problem = f"{self.connections[ticket.server].url}: {failure}"
                    failed.append(ticket.server)
        raise ServerError(f"{problem}; check the servers and start again", subject=self.url)

    async def _attempt(
        self, clients: Sequence[httpx2.AsyncClient], ticket: Ticket, index: int, request: Request
    ) -> Any:
        """Send a request to the server of its ticket, and report how that went."""
        exchange = Exchange(self.connections[ticket.server].host, self.retries, attempts=1, opening=False)
        try:
            await self._checked(ticket)
            reply = await exchange.attempt(clients[ticket.server], index, request)
        except RequestRejected:
            self.router.answered(ticket)
            raise
        except AttemptFailed as failure:
            jitter = random.random()  # noqa: S311 - no secret
            self.router.failed(ticket, str(failure), failure.wait, time.monotonic(), jitter)
            raise
        except InputError as error:
            self.router.exclude(ticket, str(error))
            raise AttemptFailed(str(error)) from None
        except BaseException:
            self.router.dropped(ticket)
            raise
        self.router.answered(ticket)
        return reply

    async def _checked(self, ticket: Ticket) -> None:
        """Check a server before its first use, where opening the model could not.

        Raises:
            InputError: it has another model.
            AttemptFailed: it does not answer.
        """
        from anyio.to_thread import run_sync  # noqa: PLC0415

        if ticket.server not in self._unchecked:
            return
        try:
            await run_sync(self._check, self.connections[ticket.server])
        except (UnreachableServerError, ServerError) as error:
            raise AttemptFailed(str(error), temporary=True) from None
        self._unchecked.discard(ticket.server)

    async def _ticket(self, kind: int | None, failed: Sequence[int]) -> Ticket:
        """A server that is available, after waiting for one if need be.

        Raises:
            ServerError: all servers have failed as often as the retry policy allows.
        """
        import anyio  # noqa: PLC0415

        while True:
            if self.router.down:
                problem = f"none of the {len(self.connections)} servers answers ({self.router.problems})"
                raise ServerError(f"{problem}; check the servers and start again", subject=self.url)
            now = time.monotonic()
            if (ticket := self.router.take(kind, now, failed)) is not None:
                return ticket
            await anyio.sleep(min(max(self.router.pause(now), _POLL), 1.0))
