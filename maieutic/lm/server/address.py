"""Addresses of servers, and the HTTP clients that connect to them.

A model on a server is named by its address and its name there: ``http://localhost:8000/v1#model``. Several
servers of one model are named with commas: ``http://a:8000/v1,http://b:8000/v1#model``.

The API key is read from the environment (MAIEUTIC_API_KEY, else OPENAI_API_KEY) for every request. It is sent
over https or to this machine only, never over plain http to another machine, and it is not stored.
"""

from __future__ import annotations

import ipaddress
import os
import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maieutic.errors import InputError
from maieutic.version import __version__

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["API_KEYS", "Host", "is_server", "server_address", "server_addresses"]

API_KEYS = ("MAIEUTIC_API_KEY", "OPENAI_API_KEY")
_EXAMPLE = "http://localhost:8000/v1#model"
_NEXT = re.compile(r",(?=[A-Za-z][A-Za-z0-9+.-]*://)")  # a model's name may have commas


def is_server(name: str) -> bool:
    """Whether a model's name is an address of any scheme."""
    return "://" in name


def server_address(name: str) -> tuple[str, str]:
    """Split a name into the server's address, without a final slash, and the model's name ("" for none).

    >>> server_address("https://example.org/v1/#team/model:7b")
    ('https://example.org/v1', 'team/model:7b')

    Raises:
        InputError: the scheme is not http or https, the host is missing, or the name holds a user, a password
            or a query, which may be secret. The message does not repeat them, and ``subject`` is "name".
    """
    scheme = name.partition("://")[0].lower()
    if scheme not in ("http", "https"):
        raise _bad_name(f"begins with {scheme}://, but must begin with http:// or https://")
    try:
        parts = urlsplit(name)
        port, host = parts.port, parts.hostname
    except ValueError:  # its text may quote a password
        raise _bad_name("is not a valid URL") from None
    if parts.username is not None or parts.password is not None or parts.query:
        secret = "a user or password" if "@" in parts.netloc else "a query"
        raise _bad_name(f"contains {secret}, which is not allowed; put the key in {API_KEYS[0]}")
    if not host or any(char.isspace() or not char.isprintable() for char in name):
        raise _bad_name("has no host, or contains a space or a control character")
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port is not None else ""
    return f"{scheme}://{netloc}{parts.path.rstrip('/')}", parts.fragment


def server_addresses(name: str) -> tuple[tuple[str, ...], str]:
    """Split a name into the addresses of one server or several, and the model's name ("" for none).

    >>> server_addresses("http://a:8000/v1,http://b:8000/v1#m")
    (('http://a:8000/v1', 'http://b:8000/v1'), 'm')

    Raises:
        InputError: an address is invalid (:func:`server_address`) or given twice, or two name
            different models.
    """
    parts = [server_address(part) for part in _NEXT.split(name)]
    urls, models = [url for url, _ in parts], dict.fromkeys(model for _, model in parts if model)
    if len(models) > 1:
        first, second = list(models)[:2]
        problem = f"the servers of one list must have the same model, not {first!r} and {second!r}"
        raise InputError(f"{problem}; name it once, at the end", subject="name")
    if repeated := next((url for place, url in enumerate(urls) if url in urls[:place]), None):
        raise InputError(f"the server {repeated} is given twice; give it once", subject="name")
    return tuple(urls), next(iter(models), "")


def _bad_name(problem: str) -> InputError:
    return InputError(f"the model's address {problem}; write it like {_EXAMPLE}", subject="name")


class Host:
    """One server.

    Args:
        url: its address, http or https, without a final slash.
        key: the API key; by default that of the environment.

    Raises:
        InputError: the extra ``server`` is not installed.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        try:
            import anyio  # noqa: F401, PLC0415 - an extra dependency
            import httpx2  # noqa: F401, PLC0415
        except ImportError:
            raise InputError(
                "a model on a server needs maieutic[server]; pip install 'maieutic[server]'",
                subject="maieutic[server]",
            ) from None
        self.url, self._own_key = url, key
        parts = urlsplit(url)
        self._secure, self._host = parts.scheme == "https", parts.hostname or ""

    def address(self, path: str) -> str:
        """The URL of a path below the server's address or, if it begins with "//", beside its "/v1"."""
        return self.url.removesuffix("/v1") + path[1:] if path.startswith("//") else self.url + path

    @cached_property
    def local(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ipaddress.ip_address(self._host).is_loopback
        except ValueError:
            return self._host == "localhost" or self._host.endswith(".localhost")

    @property
    def trusted(self) -> bool:
        """Whether a key may be sent to the server."""
        return self._secure or self.local

    @property
    def key(self) -> str | None:
        """The API key for this server; None if there is none or the server is not trusted.

        Raises:
            InputError: the key contains characters that no HTTP header can hold; ``subject`` is the name of
                the environment variable.
        """
        if not self.trusted:
            return None
        if self._own_key:
            return self._own_key
        for name in API_KEYS:
            if value := os.environ.get(name, "").strip():
                if not value.isascii() or not value.isprintable():
                    raise InputError(
                        f"{name} contains characters other than printable ASCII; set it again", subject=name
                    )
                return value
        return None

    def without_key(self, text: str) -> str:
        """The server's text with the API key blanked out, in case the server repeats it."""
        return text.replace(key, "[key]") if (key := self.key) else text

    def client(self, connect_timeout: float, limit: int) -> httpx2.AsyncClient:
        """A client for requests to this server; it follows no redirects.

        Args:
            connect_timeout: seconds to wait for a connection; the client has no other time limit.
            limit: maximum number of connections.
        """
        import httpx2  # noqa: PLC0415

        headers = {"Accept-Encoding": "identity", "User-Agent": f"maieutic/{__version__}"}
        if key := self.key:
            headers["Authorization"] = f"Bearer {key}"
        return httpx2.AsyncClient(
            headers=headers,
            timeout=httpx2.Timeout(None, connect=connect_timeout),
            limits=httpx2.Limits(max_connections=limit, max_keepalive_connections=limit),
            trust_env=not self.local,  # no proxy for this machine
            verify=self._certificates,
            follow_redirects=False,
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext | bool:
        import httpx2  # noqa: PLC0415

        # Reading the certificates takes up to a second; plain http on this machine needs none.
        return False if self.local and not self._secure else httpx2.create_ssl_context()
