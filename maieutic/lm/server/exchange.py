"""Sends requests to a server: many at a time, with retries and time limits.

Temporary failures (timeouts, broken connections, broken replies, 408, 425, 429 and 5xx) are retried, with
growing pauses; other failures are raised at once.

The requests run in an event loop in a thread of their own. So they can be interrupted, time limits hold
wherever the server stalls, and the caller may itself run in an event loop.
"""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from maieutic.errors import InputError, MaieuticError, ModelError, ServerError
from maieutic.files.json_text import parse_json
from maieutic.lm.server.address import API_KEYS, Host
from maieutic.lm.server.bodies import decompressed, valid_unicode
from maieutic.lm.server.replies import TOO_LONG, error_message
from maieutic.lm.server.request import AttemptFailed, Request, RequestRejected, UnreachableServerError
from maieutic.lm.server.retries import RetryPolicy, retry_after

if TYPE_CHECKING:
    import httpx2

__all__ = ["MISSING", "Connection", "Exchange", "shared_out"]

MAX_BYTES = 8 << 20  # of a reply; the longest known one, a broker's list of models, has a tenth of it
MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TEMPORARY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_PERMANENT = re.compile(r"logprobs|logits_all", re.IGNORECASE)  # a 500 with one of these would recur


@dataclass(frozen=True, slots=True)
class Connection:
    """Access to one server.

    Attributes:
        limit: maximum number of concurrent requests.
    """

    host: Host
    retries: RetryPolicy
    limit: int

    @property
    def url(self) -> str:
        """The server's address."""
        return self.host.url

    def send(
        self, requests: Sequence[Request], *, opening: bool = False, attempts: int | None = None
    ) -> list[Any]:
        """The replies in the order of the requests, each in its schema; the first failure ends all requests.

        An interrupt (Ctrl-C) cancels running and waiting requests.

        Args:
            opening: these requests open the model, so that an unreachable server is reported at once.
            attempts: overrides the number in the retry policy.

        Raises:
            RequestRejected: the server rejects a request.
            ModelError: the server fails or answers in another format, if ``opening``.
            ServerError: the server fails or answers in another format. ``subject`` of both is the URL.
        """
        from anyio.from_thread import start_blocking_portal  # noqa: PLC0415 - an extra dependency

        if not requests:
            return []
        exchange = Exchange(self.host, self.retries, attempts or self.retries.attempts, opening)
        with start_blocking_portal() as portal:
            return portal.call(exchange.send_all, requests, self.limit)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Requests to one server that run concurrently.

    Attributes:
        attempts: how often a request is sent that fails.
        opening: see :meth:`Connection.send`.
    """

    host: Host
    retries: RetryPolicy
    attempts: int
    opening: bool

    async def send_all(self, requests: Sequence[Request], limit: int) -> list[Any]:
        async with self.host.client(self.retries.connect_timeout, limit) as client:
            return await shared_out(requests, limit, partial(self.send, client))

    async def send(self, client: httpx2.AsyncClient, index: int, request: Request) -> Any:
        """The reply to one request, after as many attempts as it takes."""
        import anyio  # noqa: PLC0415

        url = self.host.address(request.path)
        problem = f"no answer within {self.retries.total_timeout:g} s"
        with anyio.move_on_after(self.retries.total_timeout):
            for attempt in range(1, self.attempts + 1):
                try:
                    return await self.attempt(client, index, request)
                except RequestRejected:
                    if request.optional:
                        return None
                    raise
                except AttemptFailed as failure:
                    problem, wait = str(failure), failure.wait
                    if self.opening and failure.unreachable:
                        raise UnreachableServerError(f"{url}: {problem}", subject=url) from None
                    if not failure.temporary:
                        raise self.error(url, problem) from None
                if attempt < self.attempts:
                    jitter = random.random()  # noqa: S311 - no secret
                    await anyio.sleep(self.retries.delay(attempt, wait, jitter))
        raise ServerError(f"{url}: {problem}; check the server and start again", subject=url)

    def error(self, url: str, problem: str) -> MaieuticError:
        kind = ModelError if self.opening else ServerError
        return kind(f"{url}: {problem}", subject=url)

    async def attempt(self, client: httpx2.AsyncClient, index: int, request: Request) -> Any:
        """Send a request once and read its reply.

        Raises:
            RequestRejected: the server rejects the request.
            AttemptFailed: there is no usable reply.
        """
        import anyio  # noqa: PLC0415
        import httpx2  # noqa: PLC0415

        url, timeout = self.host.address(request.path), self.retries.request_timeout
        content = None if request.body is None else json.dumps(request.body).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        method = "GET" if content is None else "POST"
        try:
            with anyio.fail_after(timeout):
                async with client.stream(method, url, content=content, headers=headers) as response:
                    body = decompressed(await _read_body(response), MAX_BYTES)
        except TimeoutError:
            raise AttemptFailed(f"no answer within {timeout:g} s", temporary=True) from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise AttemptFailed(_connection_problem(error), temporary=True, unreachable=True) from None
        except ValueError as error:
            raise AttemptFailed(f"its answer cannot be decompressed ({error})", temporary=True) from None
        except httpx2.TransportError as error:
            cause = self.host.without_key(str(error)) or type(error).__name__
            raise AttemptFailed(f"the connection broke ({cause})", temporary=True) from None
        return self.parse(index, request, response, body)

    def parse(self, index: int, request: Request, response: httpx2.Response, body: bytes) -> Any:
        """The content of a reply, in the schema of its request.

        Raises:
            RequestRejected: the server rejects the request.
            AttemptFailed: the reply is of any other kind.
        """
        status = response.status_code
        if status in _UNAUTHORIZED:
            raise AttemptFailed(self.key_problem(status))
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise AttemptFailed(f"it redirects ({status}), which is not followed; give the target's address")
        varied = self.opening and status == HTTPStatus.INTERNAL_SERVER_ERROR  # another request may succeed
        failed = status in _TEMPORARY or (
            status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in MISSING and not varied
        )
        html = body.lstrip()[:1] == b"<"
        message = "a web page" if html else self.host.without_key(error_message(body))
        if status >= HTTPStatus.BAD_REQUEST and (
            not failed or _PERMANENT.search(message) or TOO_LONG.search(message)
        ):
            raise RequestRejected(index, status, message)
        if failed:
            wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
            pause = f" and asks to wait {wait:.0f} s" if wait else ""
            raise AttemptFailed(f"it answers {status} ({message}){pause}", temporary=True, wait=wait)
        if html:
            raise AttemptFailed(
                "it answers with a web page, not JSON; check the address, which mostly ends in /v1"
            )
        try:
            return parse_json(request.schema, valid_unicode(body))
        except InputError as error:  # a truncated reply, or an error with the status of a success
            detail = self.host.without_key(str(error))
            problem = f"its answer is not the expected JSON ({detail}: {message})"
            raise AttemptFailed(problem, temporary=not self.opening) from None

    def key_problem(self, status: int) -> str:
        """Why a server demands a key; its own message is left out, since it may repeat parts of the key."""
        if self.host.key:
            return f"it answers {status}: it does not accept the key in {' or '.join(API_KEYS)}"
        if self.host.trusted:
            return f"it answers {status}: it requires a key; set {API_KEYS[0]}"
        return f"it answers {status}, and keys are sent over https only; use https, or a tunnel to the server"


async def _read_body(response: httpx2.Response) -> bytes:
    """The body of a reply.

    Raises:
        AttemptFailed: it has more than MAX_BYTES.
    """
    length = response.headers.get("Content-Length", "")
    body = bytearray()
    if not (length.isdecimal() and int(length) > MAX_BYTES):
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                break
        else:
            return bytes(body)
    raise AttemptFailed(f"its answer is larger than {MAX_BYTES >> 20} MB, the limit; check the server")


def _connection_problem(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return f"the host's name does not resolve ({cause.strerror}); correct it, or check the network"
        cause = cause.__cause__ or cause.__context__
    reason = str(error) or "nothing answers"
    return f"it cannot be reached ({reason}); start the server, or correct the address"


async def shared_out(
    requests: Sequence[Request], workers: int, send: Callable[[int, Request], Awaitable[Any]]
) -> list[Any]:
    """The replies in the order of the requests, each sent by the first of some workers that is free.

    Raises:
        Exception: the first that a request raises; the others are cancelled.
    """
    import anyio  # noqa: PLC0415

    replies: list[Any] = [None] * len(requests)
    queue = iter(enumerate(requests))

    async def work() -> None:
        for index, request in queue:
            replies[index] = await send(index, request)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(min(workers, len(requests))):
                group.start_soon(work)
    except BaseExceptionGroup as group_error:
        raise _first_error(group_error) from None
    return replies


def _first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception of a group, or of the groups in it."""
    error = group.exceptions[0]
    return _first_error(error) if isinstance(error, BaseExceptionGroup) else error
