"""Locks by key: of this process, one transaction at a time writes a document that many want to write.

Without them, writers of one document each hold a transaction while they conflict in the database and start again, and
the places for transactions fill up with one document's writers. Behind a lock they wait in memory.

Promises:
    Fair: waiters of a key get it in the order in which they came. Where batches of group commit wait too, batches and
    single writes alternate: a batch serves many callers, and waits for one single write at most.
    Bounded: `most_waiting` waiters a key; one more is refused with RateLimited at once. A waiter that does not get the
    key within `patience_seconds` is refused with Unavailable; nothing of its work has begun.
    A waiter that is cancelled leaves the queue, and nobody else is affected. A key that nobody holds takes no memory.
    A waiter gives back its request's place at work (`HELD_PLACE`) until it has the key.
Transactions of other processes take no part: they conflict in the database, and are retried.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, Protocol

from groups.kernel.errors import RateLimited, Unavailable

MOST_WAITING: Final = 1_024  # of one key: some seconds of transactions


class HeldPlace(Protocol):
    """What a request holds while the server works on it, and not while it waits for other requests."""

    def leave(self) -> None:
        """Give the place back for a while."""

    def come_back(self) -> None:
        """Take a place again."""


HELD_PLACE: ContextVar[HeldPlace | None] = ContextVar("held_place", default=None)
"""The place of the request that the present task works on, if any."""


class _Queue:
    """The waiters of a key that is held."""

    __slots__ = ("batches", "was_batch", "writes")

    def __init__(self, *, is_batch: bool) -> None:
        self.batches: deque[asyncio.Future[None]] = deque()
        self.writes: deque[asyncio.Future[None]] = deque()
        self.was_batch = is_batch
        """Whether a batch holds the key now."""

    def __len__(self) -> int:
        return len(self.batches) + len(self.writes)

    def pass_on(self) -> bool:
        """Give the key to the next waiter; False: nobody waits."""
        while self:
            is_batch = bool(self.batches) and not (self.was_batch and self.writes)
            turn = (self.batches if is_batch else self.writes).popleft()
            if not turn.done():  # else its waiter was cancelled, and has not gone yet
                self.was_batch = is_batch
                turn.set_result(None)
                return True
        return False


class KeyedLocks:
    """A lock for each key that is held now."""

    def __init__(self, *, patience_seconds: float, most_waiting: int = MOST_WAITING) -> None:
        self._patience_seconds = patience_seconds
        self._most_waiting = most_waiting
        self._queues: dict[str, _Queue] = {}

    @property
    def waiting(self) -> int:
        """Waiters of all keys."""
        return sum(len(queue) for queue in self._queues.values())

    @property
    def held(self) -> int:
        """Keys that are held now."""
        return len(self._queues)

    @asynccontextmanager
    async def hold(self, *keys: str, is_batch: bool = False) -> AsyncIterator[None]:
        """Hold the keys for the body, taken in this order; callers that share two keys name them in one order.

        Raises: RateLimited; Unavailable.
        """
        taken: list[str] = []
        try:
            for key in keys:
                queue = self._queues.get(key)
                if queue is None:
                    self._queues[key] = _Queue(is_batch=is_batch)
                else:
                    await self._wait(key, queue, is_batch=is_batch)
                taken.append(key)
            yield
        finally:
            for key in reversed(taken):
                self._release(key)

    def _release(self, key: str) -> None:
        if not self._queues[key].pass_on():
            del self._queues[key]

    async def _wait(self, key: str, queue: _Queue, *, is_batch: bool) -> None:
        if len(queue) >= self._most_waiting:
            raise RateLimited("Too many changes of this are waiting", retry_after_seconds=1)
        line = queue.batches if is_batch else queue.writes
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        place = HELD_PLACE.get()
        if place is not None:
            place.leave()
        try:
            async with asyncio.timeout(self._patience_seconds):
                await turn
        except BaseException as error:
            if not turn.cancelled():
                self._release(key)  # it was given the key at the very moment at which it went
            elif turn in line:
                line.remove(turn)
            if isinstance(error, TimeoutError):
                raise Unavailable("Nothing of it was stored") from None
            raise
        finally:
            if place is not None:
                place.come_back()
