"""Group commit: writes that wait at the same time share a transaction, whatever they are about.

A command costs the driver about half a millisecond of CPU, and a commit costs a write to the disk, for one entry or for
hundreds. So the entries of all keys gather while a transaction runs, and the next one commits all of them. A key names
what a writer changes: a group's members, a stream, the reactions to a message. Entries of one key are never in two
transactions at once, which would conflict.

Promises:
    An idle queue commits at once: there is no timer, and a lone entry waits for nobody.
    Independent: an entry's refusal is its own. An entry that makes the whole batch fail is found by halving the batch.
    A caller that goes away withdraws only its own entry, and only while it still waits.
    Order: the entries of a key are applied in the order in which they came.
    Fair: keys take turns, and each has its share of a batch, so a hot key does not delay the others, nor they it.
    Apart: a batch that conflicts with another process falls into halves, down to the key that conflicts. Such a key has
    transactions of its own for `APART_SECONDS`. So has a key whose lock a single write holds, and an entry for which
    `is_alone` holds. None of them delays the other keys.
    Bounded: at most `max_waiting` entries wait in all; one more is refused with Unavailable at once (P10). A batch has
    at most `max_batch` entries, of at most `Database.keys_per_transaction` keys.
An entry may be applied twice after an unknown outcome, so `apply` must be idempotent for each entry.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from groups.kernel.batching.window import fill_batch
from groups.kernel.errors import DomainError, Unavailable
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.mongo import Database, Tx

E = TypeVar("E")
R = TypeVar("R")

_Queued = tuple[E, asyncio.Future[R]]
"""An entry, and the future of its caller."""
_Batch = dict[str, list[_Queued[E, R]]]
"""The entries of one transaction, by key."""

MAX_BATCH: Final = 256  # entries of one transaction; beyond it the batch's own time dominates
MAX_WAITING: Final = 8_192  # entries in all queues of one GroupCommit
SHARED_BATCHES: Final = 2
"""Batches of several keys under way at once: while one waits for the database, the next is prepared."""
APART_SECONDS: Final = 1.0
"""How long a key that met a conflict has transactions of its own. Another process that writes it does so again soon."""
MAX_APART: Final = (
    32  # keys with transactions of their own under way; half of all transactions of a process
)

Apply = Callable[
    [Tx, Mapping[str, Sequence[E]]], Awaitable[Mapping[str, Sequence[R | DomainError]]]
]
"""Applies the entries of several keys in a transaction; returns each entry's result or refusal, by key and in order."""

log = logging.getLogger(__name__)

OnBatch = Callable[[str, int, int], None]
"""Called before a batch commits: with the commit's name, the size of the batch, and how many entries wait behind it."""

LocksOf = Callable[[str], Sequence[str]]
"""The lock keys for the transactions of a key (`Database.run`): those of documents that other code writes too."""


class NotTogether(Exception):
    """A batch of several keys cannot be applied in one transaction; `apply` may raise it, never for a single key."""


class _Conflict(NotTogether):
    """A batch of several keys met a write conflict; nothing of it was stored."""


@dataclass(slots=True, eq=False)
class GroupCommit(Generic[E, R]):
    """A queue of entries for each key, and the transactions that commit them."""

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
    """The entries that wait, of each key that has some or is under way."""
    _ready: dict[str, None] = field(default_factory=dict, init=False)
    """The keys with entries that are not under way, in the order of their turns."""
    _contended: dict[str, float] = field(default_factory=dict, init=False)
    """The keys that met a conflict, the oldest first, and the instant until which they stay apart."""
    _sharing: int = field(default=0, init=False)
    """Tasks that commit shared batches."""
    _apart: int = field(default=0, init=False)
    """Keys with a transaction of their own under way."""
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
            self._ready[key] = None
            if self._sharing < SHARED_BATCHES:
                self._sharing += 1
                self._start(self._share())
        queue.append((entry, future))
        self.waiting += 1
        tracing = self.database.batch_tracing
        if tracing is not None:
            tracing.submitted(future)
        return await future

    async def close(self) -> None:
        """Wait until all that was submitted is committed or refused."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            # The callbacks that forget the tasks run now: since Python 3.12, awaiting finished tasks does not yield.
            await asyncio.sleep(0)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"commit-{self.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- which entries share a transaction --------------------------------------------------------------------------

    async def _share(self) -> None:
        """Commit one shared batch after the other, while there are keys that are ready."""
        # A batch serves many requests, so it must not give back the slot of the one that began it.
        REQUEST_SLOT.set(None)
        try:
            while self._ready:
                await fill_batch(lambda: self.waiting, self.max_batch)
                batch = self._next_batch()
                if not batch:
                    return  # what is ready waits for a place apart
                await self._commit(batch)
        except asyncio.CancelledError:
            self._refuse_ready()
            raise
        finally:
            # No await between the last look at `_ready` and this line, so no entry is left behind.
            self._sharing -= 1

    def _next_batch(self) -> _Batch[E, R]:
        """Take the entries of the next shared batch; keys that stay apart get tasks of their own."""
        keys: list[str] = []
        for key in list(self._ready):
            if not self._stays_apart(key):
                keys.append(key)
                if len(keys) == self.database.keys_per_transaction:
                    break
            elif self._apart < MAX_APART:
                del self._ready[key]
                self._start_apart(key, self._take(key, self.max_batch))
        batch: _Batch[E, R] = {}
        room = self.max_batch
        for place, key in enumerate(keys):
            if not room:
                break
            del self._ready[key]
            # What the keys before did not use of their shares is shared by the rest.
            taken = self._take(key, max(1, room // (len(keys) - place)))
            if taken:
                room -= len(taken)
                batch[key] = taken
            else:
                self._finish(key)
        return batch

    def _stays_apart(self, key: str) -> bool:
        if self.is_alone is not None and self.is_alone(self._queues[key][0][0]):
            return True
        until = self._contended.get(key)
        if until is not None and time.monotonic() < until:
            return True
        # Without conflicts, because processes take turns at it: the other keys must not wait for its turn.
        return self.database.turns.are_contended(self.locks_of(key))

    def _take(self, key: str, most: int) -> list[_Queued[E, R]]:
        """Take the next entries of the key that may be in one transaction, without those whose callers went away."""
        queue = self._queues[key]
        taken: list[_Queued[E, R]] = []  # no subscript that is evaluated for each key
        while queue and len(taken) < most:
            is_alone = self.is_alone is not None and self.is_alone(queue[0][0])
            if is_alone and taken:
                break
            entry, future = queue.popleft()
            self.waiting -= 1
            if not future.cancelled():
                taken.append((entry, future))
                if is_alone:
                    break
        return taken

    def _finish(self, key: str) -> None:
        """The key is not under way any more; its next entries may go."""
        if not self._queues[key]:
            del self._queues[key]
            return
        self._ready[key] = None
        self._go_on()

    def _go_on(self) -> None:
        if self._ready and self._sharing < SHARED_BATCHES:
            self._sharing += 1
            self._start(self._share())

    def _keep_apart(self, key: str) -> None:
        """The key met a conflict."""
        now = time.monotonic()
        for old in list(islice(self._contended, 2)):
            if self._contended[old] <= now:
                del self._contended[old]
        self._contended.pop(key, None)
        self._contended[key] = now + APART_SECONDS

    # --- transactions -----------------------------------------------------------------------------------------------

    async def _commit(self, batch: _Batch[E, R]) -> None:
        """Commit the batch and settle its entries, in several transactions where they cannot share one."""
        for key in list(batch):
            if not self.database.locks.are_free(self.locks_of(key)):
                # A single write holds the lock of this key; the others do not wait for it.
                self._start_apart(key, batch.pop(key))
        if len(batch) > 1:
            await self._commit_keys(batch)
            return
        for key, entries in batch.items():
            is_done = False
            try:
                is_done = await self._commit_key(key, entries)
            finally:
                self._finish(key)
                if not is_done:
                    # Each further batch would wait as long for the database as this one did.
                    self._refuse_ready()

    async def _commit_keys(self, batch: _Batch[E, R]) -> None:
        """Commit a batch of several keys."""
        try:
            outcomes = await self._run(batch, _fall_apart)
        except Unavailable as error:
            self._refuse_batch(batch, error.detail)
        except asyncio.CancelledError:
            self._refuse_batch(batch, "The server is stopping")
            raise
        # A conflict, or an error that one entry causes, which must reach that entry's caller and no other.
        except Exception as error:
            if not isinstance(error, NotTogether):
                log.warning("batch of %d keys for %s failed: %r", len(batch), self.name, error)
            halves, middle = list(batch.items()), len(batch) // 2
            await asyncio.gather(
                self._commit(dict(halves[:middle])), self._commit(dict(halves[middle:]))
            )
        else:
            for key, entries in batch.items():
                self._settle_all(entries, outcomes[key])
                self._finish(key)

    async def _commit_key(self, key: str, entries: list[_Queued[E, R]]) -> bool:
        """Commit entries of one key; False when that took longer than `PATIENCE_SECONDS` and they were refused."""
        try:
            outcomes = await self._run({key: entries}, lambda: self._keep_apart(key))
        except Unavailable as error:
            self._refuse(entries, error.detail)
            return False
        except asyncio.CancelledError:
            self._refuse(entries, "The server is stopping")
            raise
        # An error that one entry causes must reach that entry's caller, and no other.
        except Exception as error:
            if len(entries) == 1:
                self._settle(entries[0][1], error)
                return True
            log.warning("batch of %d for %s failed, halving: %r", len(entries), self.name, error)
            middle = len(entries) // 2
            if await self._commit_key(key, entries[:middle]):
                return await self._commit_key(key, entries[middle:])
            self._refuse(entries[middle:], "Nothing of it was stored")
            return False
        self._settle_all(entries, outcomes[key])
        return True

    def _start_apart(self, key: str, entries: list[_Queued[E, R]]) -> None:
        self._apart += 1
        self._start(self._commit_apart(key, entries))

    async def _commit_apart(self, key: str, entries: list[_Queued[E, R]]) -> None:
        """Commit entries of one key beside the shared batches."""
        REQUEST_SLOT.set(None)
        try:
            if entries and not await self._commit_key(key, entries):
                self._refuse_queue(key)
        except asyncio.CancelledError:
            self._refuse_queue(key)
            raise
        finally:
            self._apart -= 1
            self._finish(key)
            self._go_on()  # others may have waited for this place

    async def _run(
        self, batch: _Batch[E, R], on_conflict: Callable[[], None]
    ) -> Mapping[str, Sequence[R | DomainError]]:
        if self.on_batch is not None:
            self.on_batch(self.name, sum(map(len, batch.values())), self.waiting)
        entries = {key: [entry for entry, _ in queued] for key, queued in batch.items()}
        locks = dict.fromkeys(lock for key in batch for lock in self.locks_of(key))
        committed = self.database.run(
            lambda tx: self.apply(tx, entries),
            *locks,
            is_batch=True,
            on_conflict=on_conflict,
        )
        tracing = self.database.batch_tracing
        if tracing is None:
            return await committed
        with tracing.batch(
            self.name, [future for of_key in batch.values() for _, future in of_key]
        ):
            return await committed

    # --- outcomes ---------------------------------------------------------------------------------------------------

    def _refuse_batch(self, batch: _Batch[E, R], detail: str) -> None:
        """Refuse the batch and all that waits behind it, since the next one would wait as long for the database."""
        for key, entries in batch.items():
            self._refuse(entries, detail)
            self._finish(key)
        self._refuse_ready()

    def _refuse_ready(self) -> None:
        """Refuse all entries whose keys are not under way."""
        for key in list(self._ready):
            del self._ready[key]
            self._refuse_queue(key)
            del self._queues[key]

    def _refuse_queue(self, key: str) -> None:
        queue = self._queues[key]
        self.waiting -= len(queue)
        self._refuse(queue, "Nothing of it was stored")
        queue.clear()

    def _refuse(self, entries: Iterable[_Queued[E, R]], detail: str) -> None:
        for _, future in entries:
            # Of its own for each caller, since an exception object carries its traceback.
            self._settle(future, Unavailable(detail))

    def _settle_all(
        self, entries: Sequence[_Queued[E, R]], outcomes: Sequence[R | DomainError]
    ) -> None:
        for (_, future), outcome in zip(entries, outcomes, strict=True):
            self._settle(future, outcome)

    @staticmethod
    def _settle(future: asyncio.Future[R], outcome: R | Exception) -> None:
        if future.done():  # its caller went away meanwhile
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _fall_apart() -> None:
    raise _Conflict


def each_key(
    apply: Callable[[Tx, str, Sequence[E]], Awaitable[Sequence[R | DomainError]]],
) -> Apply[E, R]:
    """Apply the keys of a batch one after the other."""

    async def apply_all(
        tx: Tx, batch: Mapping[str, Sequence[E]]
    ) -> Mapping[str, Sequence[R | DomainError]]:
        return {key: await apply(tx, key, entries) for key, entries in batch.items()}

    return apply_all
