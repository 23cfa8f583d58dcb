"""Requests to a server: many at a time, repeated where that may help, each ended in time.

Faults that pass (time-outs, broken connections, broken replies, 408, 425, 429 and 5xx) are met by asking
again, later each time; others are told at once.

The requests run in an event loop of their own in a thread of its own: so they can be interrupted, a limit of
time holds wherever the server stalls, and a caller may be in a loop, too.
"""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from maieutic.errors import InputError, MaieuticError, ModelError, ServerError
from maieutic.files.json_text import parse_json
from maieutic.lm.server.http import KEYS, Host
from maieutic.lm.server.replies import TOO_LONG, Reply, error_message

if TYPE_CHECKING:
    import httpx2

__all__ = ["MISSING", "Connection", "Patience", "Refused", "Request", "retry_after"]

MAX_BYTES = 8 << 20  # of a reply; the longest that is known, a broker's list of models, has a tenth of it
MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_LOCKED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_NEVER = re.compile(r"logprobs|logits_all", re.IGNORECASE)  # in a 500: it would say so again


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how often, a server is asked.

    Attributes:
        connect: seconds until a connection must stand.
        answer: seconds from the start of one request to the last byte of its reply.
        total: seconds for a request with its repetitions and the pauses between them.
        tries: times that a request is sent in all.
        pause: seconds before the second try, doubled before each further one; half of it is drawn by lot.
        longest: most seconds of a pause, also where the server asks for a longer one.
    """

    connect: float = 10.0
    answer: float = 300.0
    total: float = 900.0
    tries: int = 6
    pause: float = 1.0
    longest: float = 60.0

    def before(self, tried: int, asked_for: float | None, chance: float) -> float:
        """Seconds to wait after ``tried`` tries.

        Args:
            asked_for: the server's Retry-After in seconds, None without one.
            chance: in [0, 1), so that requests that failed together do not come back together.
        """
        own = min(self.pause * 2.0 ** (tried - 1), self.longest) * (1 + chance) / 2
        return max(own, min(asked_for or 0.0, self.longest))


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a server.

    Attributes:
        path: below the server's address or, from "//", beside its "/v1".
        body: what is posted; None for a GET.
        shape: the dataclass that the answer must fit.
    """

    path: str
    body: Mapping[str, Any] | None = None
    shape: type[Any] = Reply


class Refused(Exception):  # noqa: N818 - an answer like others: some callers ask in order to hear it
    """The server is well, and does not do what it was asked for.

    Args:
        place: of the request among those sent together.
        status: of the reply, 4xx or 5xx.
        message: the server's, on one line.
    """

    def __init__(self, place: int, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.place, self.status, self.message = place, status, message


class _Fault(Exception):  # noqa: N818 - caught below
    """A request came to nothing."""

    def __init__(
        self, problem: str, *, passing: bool = False, wait: float | None = None, connecting: bool = False
    ) -> None:
        super().__init__(problem)
        self.passing, self.wait, self.connecting = passing, wait, connecting


@dataclass(frozen=True, slots=True)
class Connection:
    """The way to one server.

    Attributes:
        limit: most requests under way at a time.
    """

    host: Host
    patience: Patience
    limit: int

    @property
    def url(self) -> str:
        """The server's address."""
        return self.host.url

    def ask(
        self, requests: Sequence[Request], *, opening: bool = False, tries: int | None = None
    ) -> list[Any]:
        """The answers to the requests, in their order, each in its shape; the first fault ends all of them.

        An interrupt (Ctrl-C) ends what is under way and what waits.

        Args:
            opening: these are the first requests, so that a server that cannot be reached is told at once.
            tries: in place of the patience's.

        Raises:
            Refused: the server does not do what it was asked for.
            ModelError: it is not the server that was meant, if these are the first requests.
            ServerError: it failed, or answers what no such server answers.
        """
        from anyio.from_thread import start_blocking_portal  # noqa: PLC0415 - an extra dependency

        if not requests:
            return []
        exchange = _Exchange(self.host, self.patience, tries or self.patience.tries, opening)
        with start_blocking_portal() as portal:
            return portal.call(exchange.all, requests, self.limit)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Some requests that are under way together."""

    host: Host
    patience: Patience
    tries: int
    opening: bool

    async def all(self, requests: Sequence[Request], limit: int) -> list[Any]:
        import anyio  # noqa: PLC0415

        replies: list[Any] = [None] * len(requests)
        waiting = iter(enumerate(requests))

        async def work(client: httpx2.AsyncClient) -> None:
            for place, request in waiting:
                replies[place] = await self.one(client, place, request)

        try:
            async with (
                self.host.client(self.patience.connect, limit) as client,
                anyio.create_task_group() as group,
            ):
                for _ in range(min(limit, len(requests))):
                    group.start_soon(work, client)
        except BaseExceptionGroup as several:
            raise _first(several) from None
        return replies

    async def one(self, client: httpx2.AsyncClient, place: int, request: Request) -> Any:
        """The answer to one request, however often it takes to ask."""
        import anyio  # noqa: PLC0415

        address = self.host.address(request.path)
        last = f"no answer within {self.patience.total:g} s"
        with anyio.move_on_after(self.patience.total):
            for tried in range(1, self.tries + 1):
                try:
                    return await self.once(client, place, request)
                except _Fault as fault:
                    last, wait = str(fault), fault.wait
                    if not fault.passing or (self.opening and fault.connecting):
                        raise self.wrong(f"{address}: {last}") from None
                if tried < self.tries:
                    chance = random.random()  # noqa: S311 - no secret
                    await anyio.sleep(self.patience.before(tried, wait, chance))
        raise ServerError(f"{address}: {last}; see what ails the server, and start again")

    def wrong(self, problem: str) -> MaieuticError:
        return ModelError(problem) if self.opening else ServerError(problem)

    async def once(self, client: httpx2.AsyncClient, place: int, request: Request) -> Any:
        """Send a request and read its answer.

        Raises:
            Refused: the server does not do what it was asked for.
            _Fault: there is no answer.
        """
        import anyio  # noqa: PLC0415
        import httpx2  # noqa: PLC0415

        address = self.host.address(request.path)
        posted = None if request.body is None else json.dumps(request.body).encode()
        headers = {} if posted is None else {"Content-Type": "application/json"}
        method = "GET" if posted is None else "POST"
        try:
            with anyio.fail_after(self.patience.answer):
                async with client.stream(method, address, content=posted, headers=headers) as response:
                    content = await _content(response)
        except TimeoutError:
            raise _Fault(f"no answer within {self.patience.answer:g} s", passing=True) from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise _Fault(_unreached(error), passing=True, connecting=True) from None
        except httpx2.TransportError as error:
            broken = self.host.without_key(str(error)) or type(error).__name__
            raise _Fault(f"the connection broke ({broken})", passing=True) from None
        return self.answer(place, request, response, content)

    def answer(self, place: int, request: Request, response: httpx2.Response, content: bytes) -> Any:
        """What a reply holds.

        Raises:
            Refused: that the server does not do what it was asked for.
            _Fault: anything else but an answer.
        """
        status = response.status_code
        if status in _LOCKED:
            raise _Fault(self.locked(status))
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise _Fault(f"it redirects ({status}), which is not followed; give the address it leads to")
        failed = status in _PASSING or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in MISSING)
        page = content.lstrip()[:1] == b"<"
        message = "a web page" if page else self.host.without_key(error_message(content))
        if status >= HTTPStatus.BAD_REQUEST and (
            not failed or _NEVER.search(message) or TOO_LONG.search(message)
        ):
            raise Refused(place, status, message)
        if failed:
            wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
            asked_for = f" and asks to wait {wait:.0f} s" if wait else ""
            raise _Fault(f"it answers {status} ({message}){asked_for}", passing=True, wait=wait)
        if page:
            raise _Fault(
                "it answers with a web page and not with JSON; is the address right? Most end in /v1"
            )
        try:
            return parse_json(request.shape, content)
        except InputError as error:  # cut off, or an error that came as a success
            told = self.host.without_key(str(error))
            problem = f"its answer is not the JSON that was expected ({told}: {message})"
            raise _Fault(problem, passing=not self.opening) from None

    def locked(self, status: int) -> str:
        """Why a server wants a key; its own words may hold parts of the one that it got."""
        if self.host.key:
            return f"it answers {status}: it does not accept the key of {' or '.join(KEYS)}"
        if self.host.trusted:
            return f"it answers {status}: it wants a key; set {KEYS[0]}"
        return f"it answers {status}, and keys are sent over https only; use https, or a tunnel to the server"


async def _content(response: httpx2.Response) -> bytes:
    """The body of a reply, unless it is larger than any can be."""
    told = response.headers.get("Content-Length", "")
    content = bytearray()
    if not (told.isdecimal() and int(told) > MAX_BYTES):
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > MAX_BYTES:
                break
        else:
            return bytes(content)
    raise _Fault(f"its answer has more than {MAX_BYTES >> 20} MB, which no answer to a prompt has")


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, in either of its forms; None if it says nothing.

    >>> retry_after("7", datetime(2025, 1, 1, tzinfo=UTC))
    7.0
    >>> retry_after("Wed, 01 Jan 2025 00:00:05 GMT", datetime(2025, 1, 1, tzinfo=UTC))
    5.0
    """
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _unreached(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return f"the host's name does not resolve ({cause.strerror}); correct it, or check the network"
        cause = cause.__cause__ or cause.__context__
    reason = str(error) or "nothing answers"
    return f"it cannot be reached ({reason}); start the server, or correct the address"


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
