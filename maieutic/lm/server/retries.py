"""When a failed request is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["RetryPolicy", "retry_after"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Time limits of a request, and how often it is repeated. All times are in seconds.

    Attributes:
        connect_timeout: until a connection is established.
        request_timeout: from the start of one attempt to the last byte of its reply.
        total_timeout: for all attempts of a request and the pauses between them.
        attempts: maximum number of times that a request is sent, ≥ 1.
        pause: before the second attempt; it doubles before each further one, and half of it is random.
        max_pause: longest pause, even if the server asks for a longer one.
    """

    connect_timeout: float = 10.0
    request_timeout: float = 300.0
    total_timeout: float = 900.0
    attempts: int = 6
    pause: float = 1.0
    max_pause: float = 60.0

    def delay(self, attempts: int, requested: float | None, jitter: float) -> float:
        """Seconds to wait after a number of failed attempts.

        Args:
            requested: the server's Retry-After in seconds, None without one.
            jitter: in [0, 1); it spreads out requests that failed together.
        """
        own = min(self.pause * 2.0 ** (attempts - 1), self.max_pause) * (1 + jitter) / 2
        return max(own, min(requested or 0.0, self.max_pause))


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, in either of its forms; None if it is missing or invalid.

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
