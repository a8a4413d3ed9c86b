"""How many requests this process works on at once: as many as it answers without letting them wait.

Promises:
    Work that comes faster than it is done is refused at once, so what is accepted waits about `waiting_seconds` longer
    than on an idle server, however much is asked for.
    Who is refused and asks again before he was told to, on the same connection, is answered after `HELD_SECONDS`: a
    client that repeats without a pause does not take with refusals the time that the others' answers need. So it is
    also with those who are refused since they themselves ask for too much (429).
    Time that a client takes to send its body, and all of an upload, a download or an import, is not the server's: slow
    clients take no places from others.

The number of places follows what is measured (Little's law: places = answers a second x seconds each may take). Where
requests wait longer than they may, there are that many; where all are taken and nobody waits too long, as many as would
have them wait that long, but an eighth more at least and twice as many at most.
A disk that stood still for a second is no overload: who waited for it is answered at once when it goes on. Only waiting
that lasts for `LASTING_SECONDS` leaves fewer places (CoDel tells a standing queue from a burst in the same way).
After a second with a free place nothing is known of the next crowd, whose work may be another: it finds as many places
as the first one did.
What a request takes by itself (a database may be far away) is learnt while no more than `FEWEST` are at work; where
waiting leaves only so many places that is so too, and a server that was never idle finds it out.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from groups.kernel.errors import Unavailable

FEWEST: Final = 64  # places: while no more are at work, each waits for little but the database
FIRST: Final = 2_048
"""Places of a process that has not measured anything: a thousand who come at once to an idle one are served."""
MEASURE_SECONDS: Final = 0.1
LASTING_SECONDS: Final = 0.5  # until then it may be one stall, and those who came meanwhile
FORGET_SECONDS: Final = 1.0
MEASURED: Final = 16  # requests at least, before anything is concluded
LONGEST_ALONE: Final = 1.0  # seconds that one request may teach us: a failover is no habit
RETRY_SECONDS: Final = 3  # refused ones come back one, two or three seconds later, not all at once
HELD_SECONDS: Final = 0.5
MOST_HELD: Final = 2_000  # requests; those beyond are refused at once


class Caller(Protocol):
    """The connection of a client, or the client itself."""

    may_return_at: float
    """When they may ask again after a refusal; seconds of the admission's timer."""


@dataclass(slots=True)
class Returning:
    """A user or an address that was told when to come back, on whichever connection they do."""

    may_return_at: float = -math.inf


class LoadShedder:
    """The places; at most `most` of them."""

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
        self._held = 0
        self._since = timer()
        self._slow_since = math.inf
        self._ended_at = -math.inf
        self._most_at_work = 0
        self._done = 0
        self._seconds = 0.0

    @property
    def is_full(self) -> bool:
        """Whether the next request must be refused."""
        return self.at_work >= self.places

    async def find_place(self, caller: Caller) -> None:
        """Let a request in for which there is a place; one that comes back too soon is held, and may find one then.

        Raises: Unavailable.
        """
        if not self.is_full:
            return
        if await self._hold(caller) and not self.is_full:
            return
        error = self.refusal()
        caller.may_return_at = self.timer() + error.retry_after_seconds
        raise error

    async def hold_refusal(self, caller: Caller, retry_after_seconds: float) -> None:
        """Keep a refusal for another reason back where the caller came too soon; it tells when they may return."""
        await self._hold(caller)
        caller.may_return_at = self.timer() + retry_after_seconds

    async def _hold(self, caller: Caller) -> bool:
        """Wait for `HELD_SECONDS` where the caller came too soon; whether they did."""
        if self.timer() >= caller.may_return_at or self._held >= MOST_HELD:
            return False
        self._held += 1
        try:
            await self.sleep(HELD_SECONDS)
        finally:
            self._held -= 1
        return True

    def refusal(self) -> Unavailable:
        """What a request is told that finds no place."""
        self._refused += 1
        error = Unavailable("The server has as much to do as it can; try again")
        error.retry_after_seconds = 1 + self._refused % RETRY_SECONDS
        return error

    def enter(self) -> "Work":
        """Take a place for a request, which gives it back by `Work.end`."""
        now = self.timer()
        # Nobody waited meanwhile: what was slow before is another moment's.
        if self.at_work == 0 and now - self._ended_at >= LASTING_SECONDS:
            self._slow_since = math.inf
        # Here and not where one ends: those who were served together are counted together.
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
        return Work(self, now)

    def end(self, seconds: float, since: float, now: float) -> None:
        """Give back the place of a request that took so long, of which the last part began then, and learn from it."""
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


class Work:
    """One request's place, and the time that it took of ours."""

    __slots__ = ("_admission", "_has_ended", "_is_away", "_seconds", "_since")

    def __init__(self, admission: LoadShedder, now: float) -> None:
        self._admission = admission
        self._has_ended = False
        self._is_away = False
        self._seconds = 0.0
        self._since = now

    def leave(self) -> None:
        """Give the place back while the client is waited for; again changes nothing."""
        if self._is_away or self._has_ended:
            return
        self._seconds += self._admission.timer() - self._since
        self._is_away = True
        self._admission.at_work -= 1

    def come_back(self) -> None:
        """Take a place again, also where none is free: the body was sent already. After the end it changes nothing."""
        if self._has_ended:  # what a request began may go on without it
            return
        self._admission.at_work += 1
        self._is_away = False
        self._since = self._admission.timer()

    def end(self) -> None:
        """Give the place back; one that is away already leaves nothing to learn."""
        self._has_ended = True
        if self._is_away:
            return
        now = self._admission.timer()
        self._admission.end(self._seconds + now - self._since, self._since, now)
