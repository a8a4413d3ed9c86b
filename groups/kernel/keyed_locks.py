"""Locks by key, so that one transaction of this process at a time writes a document that many callers write.

Without them, the writers of one document each hold a transaction while they conflict in the database and start again,
until they take all slots for transactions. With a lock they wait in memory.

Promises:
    Fair: waiters get the key in the order in which they came. While batches of group commit wait too, batches and
    single writes alternate: a batch serves many callers, and waits for one single write at most.
    Bounded: at most `max_waiting` callers wait for a key; one more is refused with RateLimited at once. A waiter that
    does not get the key within `patience_seconds` is refused with Unavailable, before any of its work has begun.
    Independent: a waiter that is cancelled leaves the queue and affects nobody else. A key that nobody holds takes no
    memory. A waiter gives back its request's slot (`REQUEST_SLOT`) until it has the key.
Other processes have locks of their own; their transactions conflict with ours in the database and are retried.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Protocol

from groups.kernel.errors import RateLimited, Unavailable
from groups.kernel.wait_queue import WaitQueue

MAX_WAITING: Final = 1_024  # for one key: a few seconds of transactions


class RequestSlot(Protocol):
    """A place that a request holds while the server works on it, but not while it waits for other requests."""

    def leave(self) -> None:
        """Give the slot back for a while."""

    def come_back(self) -> None:
        """Take a slot again."""


REQUEST_SLOT: ContextVar[RequestSlot | None] = ContextVar("request_slot", default=None)
"""The slot of the request that the current task works on, if any."""


@dataclass(slots=True, eq=False)
class _HeldKey:
    """A key that is held: the callers that wait for it, and whether a batch holds it now."""

    is_batch: bool
    batches: WaitQueue = field(default_factory=WaitQueue)
    writes: WaitQueue = field(default_factory=WaitQueue)

    def __len__(self) -> int:
        return len(self.batches) + len(self.writes)

    def pass_on(self) -> bool:
        """Give the key to the next waiter; False: nobody waits."""
        # Batches and single writes alternate while both wait.
        for is_batch in (not self.is_batch, self.is_batch):
            if (self.batches if is_batch else self.writes).wake_next():
                self.is_batch = is_batch
                return True
        return False


@dataclass(kw_only=True, slots=True, eq=False)
class KeyedLocks:
    """A lock for each key."""

    patience_seconds: float
    max_waiting: int = MAX_WAITING
    _held: dict[str, _HeldKey] = field(default_factory=dict, init=False)

    @property
    def waiting(self) -> int:
        """The number of waiters for all keys."""
        return sum(map(len, self._held.values()))

    @property
    def held(self) -> int:
        """The number of keys that are held now."""
        return len(self._held)

    def are_free(self, keys: Iterable[str]) -> bool:
        """Whether nobody holds any of the keys: `hold` would give them at once."""
        return not any(key in self._held for key in keys)

    @asynccontextmanager
    async def hold(self, *keys: str, is_batch: bool = False) -> AsyncIterator[None]:
        """Hold the keys during the body. They are taken in this order; callers that share two keys must agree on it.

        Raises: RateLimited; Unavailable.
        """
        taken: list[str] = []
        try:
            for key in keys:
                held_key = self._held.get(key)
                if held_key is None:
                    self._held[key] = _HeldKey(is_batch=is_batch)
                else:
                    await self._wait(key, held_key, is_batch=is_batch)
                taken.append(key)
            yield
        finally:
            for key in reversed(taken):
                self._release(key)

    def _release(self, key: str) -> None:
        if not self._held[key].pass_on():
            del self._held[key]

    async def _wait(self, key: str, held_key: _HeldKey, *, is_batch: bool) -> None:
        if len(held_key) >= self.max_waiting:
            raise RateLimited("Too many changes of this are waiting", retry_after_seconds=1)
        queue = held_key.batches if is_batch else held_key.writes
        slot = REQUEST_SLOT.get()
        if slot is not None:
            slot.leave()
        try:
            await queue.wait(
                pass_on=lambda: self._release(key), timeout_seconds=self.patience_seconds
            )
        except TimeoutError:
            raise Unavailable("Nothing of it was stored") from None
        finally:
            if slot is not None:
                slot.come_back()
