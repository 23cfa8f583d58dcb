"""Where a server is, what is sent there and what is not: proxies, certificates, keys.

A key comes from the environment, MAIEUTIC_API_KEY or else OPENAI_API_KEY, whenever requests are made. It is
sent over https and to this machine, never over plain http to another one, and it is kept nowhere.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maieutic.errors import InputError
from maieutic.version import __version__

if TYPE_CHECKING:
    import httpx2

__all__ = ["KEYS", "Host"]

KEYS = ("MAIEUTIC_API_KEY", "OPENAI_API_KEY")


class Host:
    """One server.

    Args:
        url: its address, http or https, without a slash at the end.

    Raises:
        InputError: the extra ``server`` is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            import anyio  # noqa: F401, PLC0415 - an extra dependency
            import httpx2  # noqa: F401, PLC0415
        except ImportError:
            raise InputError("servers need maieutic[server]; pip install 'maieutic[server]'") from None
        self.url = url
        parts = urlsplit(url)
        self._secure, self._host = parts.scheme == "https", parts.hostname or ""

    def address(self, path: str) -> str:
        """The URL of a path below the server's address or, where it begins with "//", beside its "/v1"."""
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
        """Whether a key may be sent there."""
        return self._secure or self.local

    @property
    def key(self) -> str | None:
        """The key that is sent there, None if the environment has none or it must not be sent.

        Raises:
            InputError: it has characters that no key has.
        """
        for name in KEYS if self.trusted else ():
            if value := os.environ.get(name, "").strip():
                if not value.isascii() or not value.isprintable():
                    raise InputError(f"{name} has characters that no key has; set it again")
                return value
        return None

    def without_key(self, text: str) -> str:
        """A text from the server, should it repeat the key that it was sent."""
        return text.replace(key, "[key]") if (key := self.key) else text

    def client(self, connect: float, limit: int) -> httpx2.AsyncClient:
        """A client for requests to this server, which follows no redirects.

        Args:
            connect: seconds until a connection must stand; there is no other limit of time.
            limit: most connections at a time.
        """
        import httpx2  # noqa: PLC0415

        headers = {"Accept-Encoding": "identity", "User-Agent": f"maieutic/{__version__}"}
        if key := self.key:
            headers["Authorization"] = f"Bearer {key}"
        return httpx2.AsyncClient(
            headers=headers,
            timeout=httpx2.Timeout(None, connect=connect),
            limits=httpx2.Limits(max_connections=limit, max_keepalive_connections=limit),
            trust_env=not self.local,  # no proxy stands between this machine and itself
            verify=self._certificates,
            follow_redirects=False,
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext | bool:
        import httpx2  # noqa: PLC0415

        # Reading them takes up to a second; plain http on this machine needs none.
        return False if self.local and not self._secure else httpx2.create_ssl_context()
