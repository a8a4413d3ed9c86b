"""Limits on what runs at once for one user or one address: refused beyond the limit, or queued.

Promises of `QueuedLimit`:
    One key never takes the places of another, however much it asks for at once.
    Fair: what waits for one key is served in the order in which it came.
    Bounded: a key has `most_waiting` in its queue, with `WAITING_BYTES` of bodies, each for `WAITING_SECONDS`. While
    `WAITING_IN_ALL` wait, keys with `FEW_WAITING` in their queue get no more. Beyond it, 429 says when to retry.
    A client that goes away leaves the queue. A key with nothing under way takes no memory.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from groups.kernel.errors import RateLimited

WAITING_SECONDS: Final = 20.0  # as long as a write waits for an unavailable database
WAITING_BYTES: Final = 4 * 2**20
WAITING_IN_ALL: Final = 2_048
FEW_WAITING: Final = 32  # a page that asks for some thirty things at once is served even then


class ConcurrencyLimit:
    """At most `most` at once for each key; 0: no limit. `what` names them in the error."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one_of(self, key: str) -> Iterator[None]:
        """Hold one place of this key until the end.

        Raises: RateLimited when it has none left.
        """
        if self._most and self._taken[key] >= self._most:
            raise RateLimited(f"At most {self._most} {self._what} at once", retry_after_seconds=1)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


@dataclass(slots=True)
class _Queue:
    """What waits for a place of one key."""

    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    size_bytes: int = 0


class QueuedLimit:
    """At most `most` at once for each key; 0: no limit. Further ones wait. `what` names them in the error."""

    def __init__(self, most: int, most_waiting: int, what: str) -> None:
        self._most = most
        self._most_waiting = most_waiting
        self._what = what
        self._under_way: dict[str, int] = {}
        self._queues: dict[str, _Queue] = {}
        self.waiting = 0
        """How many wait, of all keys."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waits."""
        return not self._under_way and not self._queues

    def take(self, key: str) -> bool:
        """Take a place of this key if one is free. Returns whether it was."""
        under_way = self._under_way.get(key, 0)
        if under_way >= self._most > 0:
            return False
        self._under_way[key] = under_way + 1
        return True

    async def wait(self, key: str, size_bytes: int = 0, *, is_bounded: bool = True) -> None:
        """Wait for a place of this key, with a body of this size.

        `is_bounded` False is for callers whose number something else bounds. Raises: RateLimited.
        """
        queue = self._queues.get(key) or _Queue()
        if is_bounded and self._is_full(queue, size_bytes):
            raise self._refusal()
        self._queues[key] = queue
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiting.append(turn)
        queue.size_bytes += size_bytes
        self.waiting += 1
        try:
            async with asyncio.timeout(WAITING_SECONDS if is_bounded else None):
                await turn
        except BaseException as error:
            if not turn.cancelled():
                self.give_back(key)  # it got a place at the moment in which its caller went away
            elif turn in queue.waiting:
                queue.waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._refusal() from None
            raise
        finally:
            queue.size_bytes -= size_bytes
            self.waiting -= 1
            if not queue.waiting and self._queues.get(key) is queue:
                del self._queues[key]

    def give_back(self, key: str) -> None:
        """Give a place back, which goes to the next one in the key's queue."""
        queue = self._queues.get(key) if self._queues else None
        while queue is not None and queue.waiting:
            turn = queue.waiting.popleft()
            if not turn.done():  # else its caller was cancelled and has not left the queue yet
                turn.set_result(None)
                return
        under_way = self._under_way[key] - 1
        if under_way:
            self._under_way[key] = under_way
        else:
            del self._under_way[key]

    async def enter(self, key: str, *, is_bounded: bool = True) -> "Place":
        """Take a place of this key, after waiting for it if need be. It is held until `Place.end`.

        Raises: as `wait`.
        """
        if not self.take(key):
            await self.wait(key, is_bounded=is_bounded)
        return Place(self, key)

    def _is_full(self, queue: _Queue, size_bytes: int) -> bool:
        waiting = len(queue.waiting)
        return (
            waiting >= self._most_waiting
            or (waiting > 0 and queue.size_bytes + size_bytes > WAITING_BYTES)
            or (waiting >= FEW_WAITING and self.waiting >= WAITING_IN_ALL)
        )

    def _refusal(self) -> RateLimited:
        return RateLimited(
            f"At most {self._most} {self._what} are served at once, and {self._most_waiting} wait",
            retry_after_seconds=1,
        )


class Place:
    """One place, which is given back once."""

    __slots__ = ("_has_ended", "_key", "_limit")

    def __init__(self, limit: QueuedLimit, key: str) -> None:
        self._limit = limit
        self._key = key
        self._has_ended = False

    def end(self) -> None:
        """Give the place back. Idempotent."""
        if not self._has_ended:
            self._has_ended = True
            self._limit.give_back(self._key)
