"""Limits on what runs at once for one user or one address: refused beyond the limit, or queued.

Promises:
    One key never takes the places of another, however much it asks for at once.
    Fair: requests that wait for one key are served in the order in which they came.
    Bounded: a key has `most_waiting` in its queue, with `WAITING_BYTES` of bodies, each for `WAITING_SECONDS`. While
    `WAITING_IN_ALL` wait, keys with `FEW_WAITING` in their queue get no more. Beyond it, 429 says when to retry.
    A client that goes away leaves the queue. A key with nothing under way takes no memory.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Self

from groups.kernel.errors import RateLimited

WAITING_SECONDS: Final = 20.0  # as long as a write waits for an unavailable database
WAITING_BYTES: Final = 4 * 2**20
WAITING_IN_ALL: Final = 2_048
FEW_WAITING: Final = 32  # a page that asks for some thirty things at once is served even then


@dataclass(slots=True)
class _Queue:
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    size_bytes: int = 0


class ConcurrencyLimit:
    """At most `most` places for each key; 0: no limit. `what` names in the error what they are for."""

    def __init__(self, most: int, what: str, *, most_waiting: int = 0) -> None:
        self._most = most
        self._most_waiting = most_waiting
        self._what = what
        self._under_way: dict[str, int] = {}
        self._queues: dict[str, _Queue] = {}
        self.waiting = 0
        """How many wait, of all keys."""

    @property
    def keys(self) -> int:
        """Keys with something under way."""
        return len(self._under_way)

    def try_acquire(self, key: str) -> "Place | None":
        under_way = self._under_way.get(key, 0)
        if under_way >= self._most > 0:
            return None
        self._under_way[key] = under_way + 1
        return Place(self, key)

    def acquire_now(self, key: str) -> "Place":
        """Take a place of this key without waiting. Raises: RateLimited when none is free."""
        place = self.try_acquire(key)
        if place is None:
            raise self._refusal()
        return place

    async def acquire(self, key: str, size_bytes: int = 0, *, is_bounded: bool = True) -> "Place":
        """Take a place of this key, after waiting for it if need be with a body of this size.

        `is_bounded` False is for callers whose number something else bounds. Raises: RateLimited.
        """
        place = self.try_acquire(key)
        if place is not None:
            return place
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
                self.release(key)  # it got a place at the moment in which its caller went away
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
        return Place(self, key)

    def release(self, key: str) -> None:
        """Give a place to the next one in the key's queue. `Place.release` calls this."""
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

    def _is_full(self, queue: _Queue, size_bytes: int) -> bool:
        waiting = len(queue.waiting)
        return (
            waiting >= self._most_waiting
            or (waiting > 0 and queue.size_bytes + size_bytes > WAITING_BYTES)
            or (waiting >= FEW_WAITING and self.waiting >= WAITING_IN_ALL)
        )

    def _refusal(self) -> RateLimited:
        queued = f", and {self._most_waiting} more wait" if self._most_waiting else ""
        return RateLimited(
            f"At most {self._most} {self._what} are served at once{queued}", retry_after_seconds=1
        )


@dataclass(slots=True, eq=False)
class Place:
    """One place, held until `release` or the end of the `with` block."""

    _limit: ConcurrencyLimit
    _key: str
    _is_held: bool = True

    def release(self) -> None:
        """Give the place back. Idempotent."""
        if self._is_held:
            self._is_held = False
            self._limit.release(self._key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
