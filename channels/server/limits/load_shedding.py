"""Limits how many requests this process works on at once, to as many as it can serve without a queue.

Promises:
    Requests beyond the capacity are refused at once, so accepted ones wait about `waiting_seconds` longer than on an
    idle server, whatever the load.
    Clients that retry before `Retry-After` are delayed by `DELAY_SECONDS`, so that a flood of refusals takes no time
    from other requests. The same holds for refusals with 429.
    The time that a client takes to send its body, and all of an upload, a download or an import, does not count: slow
    clients take no places from others.

The number of places follows Little's law: places = responses a second x seconds that each may take. When requests wait
too long, there are exactly that many. When all places are taken and none waits too long, there are as many as would
make them wait that long, but at least an eighth more and at most twice as many.
A stall of the disk is no overload: its requests are served at once when it ends. Only waiting for `LASTING_SECONDS`
reduces the places (CoDel tells a standing queue from a burst in the same way).
After a second with a free place the next load may be a different one, and begins with the initial number of places.
The duration of a single request (the database may be far away) is learnt while at most `FEWEST` are under way. Waiting
reduces the places to that number, so a server that is never idle learns it too.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from groups.kernel.errors import Unavailable

FEWEST: Final = 64  # places: with so few requests under way, each waits only for the database
FIRST: Final = 2_048
"""Places before anything was measured: a thousand requests at once to an idle server are served."""
MEASURE_SECONDS: Final = 0.1
LASTING_SECONDS: Final = 0.5  # until then it may be a single stall and its backlog
FORGET_SECONDS: Final = 1.0
MEASURED: Final = 16  # requests that a measurement needs
LONGEST_ALONE: Final = 1.0  # seconds of one request that count: a failover is an exception
RETRY_SECONDS: Final = 3  # `Retry-After` is 1, 2 or 3, so that not all retry at once
DELAY_SECONDS: Final = 0.5
MOST_DELAYED: Final = 2_000  # requests; further ones are refused without delay


class Retrying(Protocol):
    """A connection or a client that may be retrying."""

    may_retry_at: float
    """When it may retry after a refusal, in seconds of the load shedder's timer."""


@dataclass(slots=True)
class RetryState:
    """When a user or an address may retry, on any connection."""

    may_retry_at: float = -math.inf


class LoadShedder:
    """The places of this process, at most `most`."""

    def __init__(
        self, most: int, waiting_seconds: float, *, timer: Callable[[], float] = time.perf_counter
    ) -> None:
        self.timer = timer
        self.sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
        self._first = min(FIRST, most)
        self.places = self._first
        self.at_work = 0
        self._most = most
        self._waiting_seconds = waiting_seconds
        self._alone_seconds = 0.0
        self._crowded_at = -math.inf
        self._full_at = -math.inf
        self._refused = 0
        self._delayed = 0
        self._since = timer()
        self._slow_since = math.inf
        self._ended_at = -math.inf
        self._most_at_work = 0
        self._done = 0
        self._seconds = 0.0

    @property
    def is_full(self) -> bool:
        return self.at_work >= self.places

    async def admit_request(self, client: Retrying) -> None:
        """Return if there is a place. A client that retries too soon is delayed first. Raises: Unavailable."""
        if not self.is_full:
            return
        if await self._delay(client) and not self.is_full:
            return
        error = self.refusal()
        client.may_retry_at = self.timer() + error.retry_after_seconds
        raise error

    async def delay_refusal(self, client: Retrying, retry_after_seconds: float) -> None:
        """Delay another refusal if the client retries too soon, and note when it may retry."""
        await self._delay(client)
        client.may_retry_at = self.timer() + retry_after_seconds

    async def _delay(self, client: Retrying) -> bool:
        """Wait for `DELAY_SECONDS` if the client retries too soon. Returns whether it did."""
        if self.timer() >= client.may_retry_at or self._delayed >= MOST_DELAYED:
            return False
        self._delayed += 1
        try:
            await self.sleep(DELAY_SECONDS)
        finally:
            self._delayed -= 1
        return True

    def refusal(self) -> Unavailable:
        """The error of a request without a place."""
        self._refused += 1
        error = Unavailable("The server is overloaded; retry after the time in Retry-After")
        error.retry_after_seconds = 1 + self._refused % RETRY_SECONDS
        return error

    def enter(self) -> "Slot":
        """Take a place for a request, until `Slot.end` or the end of the `with` block."""
        now = self.timer()
        # The server was idle, so earlier slowness no longer counts.
        if self.at_work == 0 and now - self._ended_at >= LASTING_SECONDS:
            self._slow_since = math.inf
        # Here and not in `end`, so that requests that were served together count together.
        if self._done >= MEASURED and now - self._since >= MEASURE_SECONDS:
            self._adjust(now)
        if now - self._full_at > FORGET_SECONDS and self.places < self._first:
            self.places = self._first
        self.at_work += 1
        self._most_at_work = max(self._most_at_work, self.at_work)
        if self.is_full:
            self._full_at = now
        if self.at_work > FEWEST:
            self._crowded_at = now
        return Slot(self, now)

    def end(self, seconds: float, since: float, now: float) -> None:
        """Give back the place of a request that took `seconds`, whose last part began at `since`, and learn from it."""
        if self.is_full:
            self._full_at = now
        self.at_work -= 1
        if since > self._crowded_at:
            learnt = min(seconds, LONGEST_ALONE)
            self._alone_seconds += (learnt - self._alone_seconds) / 16
        self._ended_at = now
        self._done += 1
        self._seconds += seconds

    def _adjust(self, now: float) -> None:
        may_take = self._alone_seconds + self._waiting_seconds
        took = self._seconds / self._done
        self._slow_since = min(self._slow_since, now) if took > may_take else math.inf
        if now - self._slow_since >= LASTING_SECONDS:
            answers = self._done / (now - self._since)
            self.places = min(self._most, max(FEWEST, int(answers * may_take)))
            self._full_at = now
        elif took <= may_take and self._most_at_work >= self.places:
            wanted = int(self.places * may_take / took) if took else self._most
            least, most = self.places + self.places // 8 + 1, 2 * self.places
            self.places = min(self._most, max(least, min(most, wanted)))
        self._since, self._most_at_work = now, self.at_work
        self._done, self._seconds = 0, 0.0


@dataclass(slots=True, eq=False)
class Slot:
    """The place of one request, and the time that the server spent on it."""

    _load_shedder: LoadShedder
    _since: float
    _seconds: float = 0.0
    _is_away: bool = False
    _has_ended: bool = False

    def leave(self) -> None:
        """Give the place back while waiting for the client. Idempotent."""
        if self._is_away or self._has_ended:
            return
        self._seconds += self._load_shedder.timer() - self._since
        self._is_away = True
        self._load_shedder.at_work -= 1

    def come_back(self) -> None:
        """Take a place again, even if none is free: the body was sent already. Does nothing after the end."""
        if self._has_ended:  # work that a request started may outlive it
            return
        self._load_shedder.at_work += 1
        self._is_away = False
        self._since = self._load_shedder.timer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Give the place back. Time without a place is not learnt from."""
        self._has_ended = True
        if self._is_away:
            return
        now = self._load_shedder.timer()
        self._load_shedder.end(self._seconds + now - self._since, self._since, now)
