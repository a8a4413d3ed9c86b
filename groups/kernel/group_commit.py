"""Group commit: writes that meet on one hot document share one transaction.

A driver's command costs about half a millisecond of CPU, and increments of one document collide. So entries are queued
per key; while one transaction of a key runs, the next batch gathers, and one transaction commits all of it.

Promises:
    An idle key commits at once: there is no timer, a lone entry waits for nobody.
    Neighbours are safe: an entry's refusal is its own; an entry that breaks the batch is found by halving; a caller
    that goes away takes only its own entry with it, and only while it still waits.
    Order: the entries of a key are applied in the order in which they came.
    Fair: an entry that `is_alone` has a transaction of its own; those who came meanwhile have the next.
    Bounded: `max_waiting` entries in all; one more is refused with Unavailable at once (P10).
An entry may be applied twice when an outcome was unknown in between, so `apply` must be idempotent per entry.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from groups.kernel.batch_window import fill_batch
from groups.kernel.errors import DomainError, Unavailable
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.mongo import Database, Tx

E = TypeVar("E")
R = TypeVar("R")

MAX_BATCH: Final = 256  # entries a transaction: beyond it the batch's own time dominates
MAX_WAITING: Final = 8_192  # entries in all lanes of one GroupCommit

Apply = Callable[[Tx, str, Sequence[E]], Awaitable[Sequence[R | DomainError]]]
"""Applies a batch of one key inside a transaction: for each entry, in order, its result or its refusal."""

log = logging.getLogger(__name__)

OnBatch = Callable[[str, int, int], None]
"""Hears of a batch before it commits: the commit's name, the batch's entries, and how many others wait behind it."""

LocksOf = Callable[[str], Sequence[str]]
"""The keys that a lane's transactions run under (`Database.run`): of documents that others write too."""


class GroupCommit(Generic[E, R]):
    """Queues of entries, one lane a key, each lane committing batch after batch."""

    def __init__(
        self,
        database: Database,
        apply: Apply[E, R],
        *,
        name: str,
        max_batch: int = MAX_BATCH,
        max_waiting: int = MAX_WAITING,
        is_alone: Callable[[E], bool] | None = None,
        on_batch: OnBatch | None = None,
        locks_of: LocksOf = lambda _: (),
    ) -> None:
        self._database = database
        self._apply = apply
        self._name = name
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._is_alone = is_alone
        self._on_batch = on_batch
        self._locks_of = locks_of
        self._waiting = 0
        self._lanes: dict[str, deque[tuple[E, asyncio.Future[R]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, key: str, entry: E) -> R:
        """The entry's result, once the transaction that carried it is committed.

        Raises: the entry's refusal; Unavailable when the queue is full or the outcome is unknown.
        """
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many writes are waiting")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = deque()
            task = asyncio.create_task(self._drain(key, lane), name=f"commit-{self._name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        lane.append((entry, future))
        self._waiting += 1
        return await future

    @property
    def waiting(self) -> int:
        """Entries that wait for their transaction to begin."""
        return self._waiting

    async def close(self) -> None:
        """Wait until all that was submitted is committed or refused."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self, key: str, lane: deque[tuple[E, asyncio.Future[R]]]) -> None:
        batch: list[tuple[E, asyncio.Future[R]]] = []
        REQUEST_SLOT.set(
            None
        )  # a batch serves many: the place of the request that came first is not its own
        try:
            while lane:
                await fill_batch(lane.__len__, self._max_batch)
                batch = []
                while lane and len(batch) < self._max_batch and self._has_company(batch, lane):
                    entry, future = lane.popleft()
                    self._waiting -= 1
                    if not future.cancelled():
                        batch.append((entry, future))
                if batch and not await self._commit(key, batch):
                    self._refuse(lane)
        finally:
            # No await between the last look at the lane and this line, so no entry is left behind; on cancellation
            # whoever still waits is told.
            del self._lanes[key]
            self._waiting -= len(lane)
            for _, future in (*batch, *lane):
                if not future.done():
                    future.set_exception(Unavailable("The server is stopping"))

    def _has_company(
        self, batch: list[tuple[E, asyncio.Future[R]]], lane: deque[tuple[E, asyncio.Future[R]]]
    ) -> bool:
        """Whether the lane's next entry may go with the batch."""
        if self._is_alone is None or not batch:
            return True
        return not (self._is_alone(batch[0][0]) or self._is_alone(lane[0][0]))

    def _refuse(self, lane: deque[tuple[E, asyncio.Future[R]]]) -> None:
        """Tell those who waited behind an outage: tried in their turn, each batch would wait as long once more."""
        while lane:
            _, future = lane.popleft()
            self._waiting -= 1
            self._settle(future, Unavailable("Nothing of it was stored"))

    async def _commit(self, key: str, batch: list[tuple[E, asyncio.Future[R]]]) -> bool:
        """Settle the batch; False: the database was away for as long as anybody waits for it."""
        if self._on_batch is not None:
            self._on_batch(self._name, len(batch), self._waiting)
        entries = [entry for entry, _ in batch]
        try:
            outcomes = await self._database.run(
                lambda tx: self._apply(tx, key, entries), *self._locks_of(key), is_batch=True
            )
        except Unavailable as error:
            for _, future in batch:
                self._settle(future, Unavailable(error.detail))
            return False
        # Whatever one entry provokes must reach that entry's caller, and no other.
        except Exception as error:
            if len(batch) == 1:
                self._settle(batch[0][1], error)
                return True
            log.warning("batch of %d for %s failed, halving: %r", len(batch), self._name, error)
            middle = len(batch) // 2
            if not await self._commit(key, batch[:middle]):
                for _, future in batch[middle:]:
                    self._settle(future, Unavailable("Nothing of it was stored"))
                return False
            return await self._commit(key, batch[middle:])
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                self._settle(future, outcome)
        return True

    @staticmethod
    def _settle(future: asyncio.Future[R], outcome: R | Exception) -> None:
        if future.done():  # its caller went away meanwhile
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
