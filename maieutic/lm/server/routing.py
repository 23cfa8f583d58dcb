"""Which of several servers gets a request: the least loaded, if possible of those that know its examples.

A server that has read the examples of a kind of prompt answers further ones without reading them again. So a
request goes to such a server, as long as that has no more than its fair share of the requests under way and a
quarter: the bound of consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, SODA 2018).

A server that fails is left out for a pause, which doubles with each failure in a row. Then it gets a single
request, and the others again if it answers that one.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from maieutic.lm.server.retries import RetryPolicy

__all__ = ["EXCESS", "Router", "Ticket"]

EXCESS = 0.25  # ε of the paper: how far a server's load may exceed the mean for the sake of its prefixes
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request under way.

    Attributes:
        server: its index.
        failures: of the server in a row when the request was sent.
    """

    server: int
    failures: int


@dataclass(slots=True)
class _State:
    """What is known of one server.

    Attributes:
        under_way: requests.
        kinds: of prompts whose examples it has read.
        failures: in a row; a failure of several requests that were under way together is one.
        problem: the last failure.
        out_until: the time from which it is tried again; infinity if it never is.
        on_trial: whether the one request that tries it again is under way.
    """

    under_way: int = 0
    kinds: set[int | None] = field(default_factory=set)
    failures: int = 0
    problem: str = ""
    out_until: float = 0.0
    on_trial: bool = False

    def available(self, now: float) -> bool:
        return not self.failures or (now >= self.out_until and not self.on_trial)


class Router:
    """Chooses servers for requests; threads may share it. Times are seconds of one monotonic clock.

    Args:
        names: of the servers, for the log and for messages.
        retries: the pauses, and after how many failures in a row a server counts as down.
        down: indices of the servers that have failed once already; a single request tries each of them.
    """

    def __init__(self, names: Sequence[str], retries: RetryPolicy, down: Collection[int] = ()) -> None:
        self._names, self._retries = tuple(names), retries
        self._states = [_State(failures=int(place in down)) for place in range(len(names))]
        self._lock = threading.Lock()

    def take(self, kind: int | None, now: float, failed: Sequence[int] = ()) -> Ticket | None:
        """A server for a request; None if none is available.

        Args:
            kind: of its prompt; None for no prompt.
            failed: the servers that failed this request, which come last.
        """
        with self._lock:
            able = [place for place, state in enumerate(self._states) if state.available(now)]
            if not able:
                return None
            fewest = min(map(failed.count, able))
            able = [place for place in able if failed.count(place) == fewest]
            least = min(able, key=lambda place: (self._states[place].under_way, self._states[place].failures))
            total = 1 + sum(self._states[place].under_way for place in able)
            most = math.ceil((1 + EXCESS) * total / len(able))
            holding = [
                place
                for place in able
                if kind in self._states[place].kinds and self._states[place].under_way < most
            ]
            chosen = min(holding, key=lambda place: self._states[place].under_way, default=least)
            state = self._states[chosen]
            state.under_way += 1
            state.on_trial = bool(state.failures)
            if kind is not None:
                state.kinds.add(kind)
            return Ticket(chosen, state.failures)

    def answered(self, ticket: Ticket) -> None:
        """The server answered, if only to reject the request."""
        with self._lock:
            state = self._ended(ticket)
            if state.failures and ticket.failures == state.failures:
                _log.warning("%s answers again", self._names[ticket.server])
                state.failures, state.problem = 0, ""

    def failed(self, ticket: Ticket, problem: str, wait: float | None, now: float, jitter: float) -> None:
        """The server failed.

        Args:
            wait: seconds that it asks to wait, None if it does not say.
            jitter: in [0, 1), for the pause.
        """
        with self._lock:
            state = self._ended(ticket)
            if ticket.failures != state.failures:
                return  # it failed while this request was under way, and has been left out for that
            if not state.failures:
                _log.warning("%s is left out for now: %s", self._names[ticket.server], problem)
            state.failures += 1
            state.problem = problem
            state.kinds.clear()  # a server that starts again has read nothing
            state.out_until = now + self._retries.delay(state.failures, wait, jitter)

    def exclude(self, ticket: Ticket, problem: str) -> None:
        """Never use the server again."""
        with self._lock:
            state = self._ended(ticket)
            _log.warning("%s is left out for good: %s", self._names[ticket.server], problem)
            state.failures, state.problem = max(state.failures, 1), problem
            state.out_until = math.inf

    def dropped(self, ticket: Ticket) -> None:
        """The request was cancelled, which says nothing about the server."""
        with self._lock:
            self._ended(ticket)

    def pause(self, now: float) -> float:
        """Seconds until a server is tried again, ≥ 0; 0 if one is on trial or available."""
        with self._lock:
            if any(state.on_trial or state.available(now) for state in self._states):
                return 0.0
            return max(0.0, min(state.out_until for state in self._states) - now)

    @property
    def down(self) -> bool:
        """Whether every server has failed as often in a row as the retry policy allows."""
        with self._lock:
            attempts = self._retries.attempts
            return all(s.failures >= attempts or s.out_until == math.inf for s in self._states)

    @property
    def problems(self) -> str:
        """What is wrong with each server that is left out, in one line."""
        with self._lock:
            return "; ".join(
                f"{name}: {state.problem}"
                for name, state in zip(self._names, self._states, strict=True)
                if state.problem
            )

    def _ended(self, ticket: Ticket) -> _State:
        state = self._states[ticket.server]
        state.under_way -= 1
        if ticket.failures:
            state.on_trial = False
        return state
