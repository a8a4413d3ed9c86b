"""Group commit: writes of one hot document share a transaction.

A command costs the driver about half a millisecond of CPU, and increments of one document conflict. So entries are
queued by key. While one transaction of a key runs, the next entries gather, and one transaction commits all of them.

Promises:
    An idle key commits at once: there is no timer, and a lone entry waits for nobody.
    Independent: an entry's refusal is its own. An entry that makes the whole batch fail is found by halving the batch.
    A caller that goes away withdraws only its own entry, and only while it still waits.
    Order: the entries of a key are applied in the order in which they came.
    Fair: an entry for which `is_alone` holds has a transaction of its own; the entries that came meanwhile have the
    next one.
    Bounded: at most `max_waiting` entries wait in all; one more is refused with Unavailable at once (P10).
An entry may be applied twice after an unknown outcome, so `apply` must be idempotent for each entry.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, Generic, TypeVar

from groups.kernel.batch_window import fill_batch
from groups.kernel.errors import DomainError, Unavailable
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.mongo import Database, Tx

E = TypeVar("E")
R = TypeVar("R")

_Queued = tuple[E, asyncio.Future[R]]
"""An entry, and the future of its caller."""

MAX_BATCH: Final = 256  # entries of one transaction; beyond it the batch's own time dominates
MAX_WAITING: Final = 8_192  # entries in all queues of one GroupCommit

Apply = Callable[[Tx, str, Sequence[E]], Awaitable[Sequence[R | DomainError]]]
"""Applies a batch of one key in a transaction; returns each entry's result or refusal, in order."""

log = logging.getLogger(__name__)

OnBatch = Callable[[str, int, int], None]
"""Called before a batch commits: with the commit's name, the size of the batch, and how many entries wait behind it."""

LocksOf = Callable[[str], Sequence[str]]
"""The lock keys for the transactions of a key (`Database.run`): those of documents that other code writes too."""


@dataclass(slots=True, eq=False)
class GroupCommit(Generic[E, R]):
    """Queues of entries, one for each key; each queue commits one batch after the other."""

    database: Database
    apply: Apply[E, R]
    _: KW_ONLY
    name: str
    max_batch: int = MAX_BATCH
    max_waiting: int = MAX_WAITING
    is_alone: Callable[[E], bool] | None = None
    on_batch: OnBatch | None = None
    locks_of: LocksOf = lambda _: ()
    waiting: int = field(default=0, init=False)
    """Entries that wait for their transaction to begin."""
    _queues: dict[str, deque[_Queued[E, R]]] = field(default_factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def submit(self, key: str, entry: E) -> R:
        """Queue the entry; returns its result once its transaction is committed.

        Raises: the entry's refusal; Unavailable when too many entries wait, or the outcome is unknown.
        """
        if self.waiting >= self.max_waiting:
            raise Unavailable("Too many writes are waiting")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque()
            task = asyncio.create_task(self._drain(key, queue), name=f"commit-{self.name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.append((entry, future))
        self.waiting += 1
        return await future

    async def close(self) -> None:
        """Wait until all that was submitted is committed or refused."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            # The callbacks that forget the tasks run now: since Python 3.12, awaiting finished tasks does not yield.
            await asyncio.sleep(0)

    async def _drain(self, key: str, queue: deque[_Queued[E, R]]) -> None:
        batch: list[_Queued[E, R]] = []
        # A batch serves many requests, so it must not give back the slot of the one that began it.
        REQUEST_SLOT.set(None)
        try:
            while queue:
                await fill_batch(queue.__len__, self.max_batch)
                batch = []
                while queue and len(batch) < self.max_batch and self._may_join(batch, queue):
                    entry, future = queue.popleft()
                    self.waiting -= 1
                    if not future.cancelled():
                        batch.append((entry, future))
                if batch and not await self._commit(key, batch):
                    # Each further batch would wait as long for the database as this one did.
                    self.waiting -= len(queue)
                    self._refuse(queue, "Nothing of it was stored")
                    queue.clear()
        finally:
            # No await between the last look at the queue and this line, so no entry is left behind. On cancellation the
            # entries that still wait are refused.
            del self._queues[key]
            self.waiting -= len(queue)
            self._refuse((*batch, *queue), "The server is stopping")

    def _may_join(self, batch: list[_Queued[E, R]], queue: deque[_Queued[E, R]]) -> bool:
        """Whether the next entry of the queue may join the batch."""
        if self.is_alone is None or not batch:
            return True
        return not (self.is_alone(batch[0][0]) or self.is_alone(queue[0][0]))

    async def _commit(self, key: str, batch: list[_Queued[E, R]]) -> bool:
        """Commit the batch and settle its entries; False when the database was away for `PATIENCE_SECONDS`."""
        if self.on_batch is not None:
            self.on_batch(self.name, len(batch), self.waiting)
        entries = [entry for entry, _ in batch]
        try:
            outcomes = await self.database.run(
                lambda tx: self.apply(tx, key, entries), *self.locks_of(key), is_batch=True
            )
        except Unavailable as error:
            self._refuse(batch, error.detail)
            return False
        # An error that one entry causes must reach that entry's caller, and no other.
        except Exception as error:
            if len(batch) == 1:
                self._settle(batch[0][1], error)
                return True
            log.warning("batch of %d for %s failed, halving: %r", len(batch), self.name, error)
            middle = len(batch) // 2
            if not await self._commit(key, batch[:middle]):
                self._refuse(batch[middle:], "Nothing of it was stored")
                return False
            return await self._commit(key, batch[middle:])
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                self._settle(future, outcome)
        return True

    def _refuse(self, entries: Iterable[_Queued[E, R]], detail: str) -> None:
        for _, future in entries:
            # Of its own for each caller, since an exception object carries its traceback.
            self._settle(future, Unavailable(detail))

    @staticmethod
    def _settle(future: asyncio.Future[R], outcome: R | Exception) -> None:
        if future.done():  # its caller went away meanwhile
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
