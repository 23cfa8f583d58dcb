"""Names of models on servers: ``http://localhost:8000/v1#model``."""

from __future__ import annotations

from urllib.parse import urlsplit

from maieutic.errors import InputError

__all__ = ["is_server", "server_address"]

_EXAMPLE = "http://localhost:8000/v1#model"


def is_server(name: str) -> bool:
    """Whether the name of a model is an address, of whatever kind."""
    return "://" in name


def server_address(name: str) -> tuple[str, str]:
    """The address of a server, without a slash at the end, and the name of the model there ("" for none).

    >>> server_address("https://example.org/v1/#team/model:7b")
    ('https://example.org/v1', 'team/model:7b')

    Raises:
        InputError: it is not http or https, has no host, or holds what may be a secret: a user, a password or
            a query. Those are not repeated in the message.
    """
    scheme = name.partition("://")[0].lower()
    if scheme not in ("http", "https"):
        known = "http:// and https:// are known"
        raise InputError(f"a server's name cannot begin with {scheme}://; {known}, as in {_EXAMPLE}")
    try:
        parts = urlsplit(name)
        port, host = parts.port, parts.hostname
    except ValueError:  # its text may quote a password
        raise InputError(f"a server's name is no address; write it like {_EXAMPLE}") from None
    if parts.username is not None or parts.password is not None or parts.query:
        held = "a user or password" if "@" in parts.netloc else "a query"
        raise InputError(f"a server's name must not hold {held}; a key belongs in MAIEUTIC_API_KEY")
    if not host or any(sign.isspace() or not sign.isprintable() for sign in name):
        raise InputError(f"a server's name lacks a host, or holds a space; write it like {_EXAMPLE}")
    where = f"[{host}]" if ":" in host else host
    where += f":{port}" if port is not None else ""
    return f"{scheme}://{where}{parts.path.rstrip('/')}", parts.fragment
