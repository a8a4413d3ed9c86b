"""Transactions: attempted until one is known to have happened, through conflicts, lost primaries and killed processes.

Promises:
    Bounded: one process runs at most `CONCURRENT_TRANSACTIONS` at once; more of them wait in memory.
    Finished: an attempt that has begun ends in a commit or an abort, also when its caller is cancelled meanwhile.
    Timely: a caller that waited for its place, or whose attempts failed, for `PATIENCE_SECONDS` gets `Unavailable`.

MongoDB does not end a transaction when its client's connection ends: what a killed process wrote stays locked for a
minute, and every other process that wants the same hot document meets write conflicts meanwhile. So a process whose
conflicts last longer than any transaction of a living one looks for abandoned transactions and ends them
(`StaleTransactions`). Only transactions of this deployment are ended (the driver's `appname`). Ending one whose process
only stood still is harmless: nothing of it is stored, and its process runs it again.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pymongo import DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from groups.kernel.errors import Unavailable
from groups.kernel.events import Event
from groups.kernel.mongo.driver import (
    Client,
    Collection,
    Operation,
    Session,
    end_session,
    result_of,
    start_session,
    write_and_commit,
)
from groups.kernel.mongo.error_classes import (
    INTERRUPTED,
    PATIENCE_SECONDS,
    is_duplicate,
    is_outage,
    is_transient,
)

T = TypeVar("T")

CONCURRENT_TRANSACTIONS: Final = 64
"""Transactions of one process at once; without this bound, more would wait in the driver's connection pool."""
CONFLICT_SECONDS: Final = 1.0
"""Conflicts that last longer are not races: a process died in the middle of a transaction."""
IDLE_SECONDS: Final = 3.0
"""A transaction without a command for so long is abandoned; a living one pauses for milliseconds."""
LOOK_SECONDS: Final = 1.0  # between two searches for abandoned transactions by one process
_OUTAGE_PAUSE_SECONDS: Final = 0.5  # at most, between two attempts while the database is away
_CONFLICT_PAUSE_SECONDS: Final = 0.04
"""At most, after a conflict with another process: twice as long as a transaction takes on a busy machine."""
_MAX_DUPLICATES: Final = 5
"""Attempts that a duplicate key may end; one more is a defect, since the next attempt sees the winner."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Writes:
    """Operations on one collection that a transaction has not sent yet."""

    collection: Collection
    operations: list[Operation] = field(default_factory=list)


@dataclass(slots=True)
class Tx:
    """A transaction under way: the session for the stores, and the events that are committed with it."""

    session: Session | None
    attempt: int = 0
    """0 at first; higher when earlier attempts were rolled back, or their outcome is unknown."""
    events: list[Event] = field(default_factory=list)
    counts: list[Event] = field(default_factory=list)
    """The published events that are counted in the background, and that no listener receives."""
    writes: dict[str, "Writes"] = field(default_factory=dict)
    """What `write` collected, by collection, in the order of their first use."""

    @property
    def is_retry(self) -> bool:
        """Whether an earlier attempt may have been committed after all."""
        return self.attempt > 0

    def write(self, collection: Collection, *operations: Operation) -> None:
        """Collect operations, which are sent at the end of the transaction, or by `Database.flush`.

        All of one collection share a command for each kind: deletions first, then updates, then insertions. So one
        document is the object of one operation. Queries of the transaction do not see them before they are sent.
        """
        if operations:
            writes = self.writes.get(collection.name)
            if writes is None:
                writes = self.writes[collection.name] = Writes(collection)
            writes.operations.extend(operations)

    def take_writes(self) -> list[tuple[Collection, list[Operation]]]:
        """The collected operations, each collection's in the order in which they are sent; they are forgotten here."""
        taken = [
            (each.collection, sorted(each.operations, key=_place_of))
            for each in self.writes.values()
        ]
        self.writes.clear()
        return taken

    def publish(self, event: Event) -> None:
        """Publish the event if, and only if, this transaction commits."""
        (self.counts if event.is_counted else self.events).append(event)


@asynccontextmanager
async def transaction(client: Client, attempt: int) -> AsyncIterator[Tx]:
    """Commit the body's transaction with what `Tx.write` collected, or abort it if the body fails.

    Raises: what the body raises; PyMongoError; Unavailable if the outcome is unknown.
    """
    session = start_session(client)
    try:
        await result_of(
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", wtimeout=10_000, j=True),
            )
        )
        try:
            tx = Tx(session, attempt)
            yield tx
            error = await write_and_commit(session, tx.take_writes())
        except BaseException:
            # Shielded: a cancelled caller must not leave locks behind until the server's timeout.
            if session.in_transaction:
                await asyncio.shield(session.abort_transaction())
            raise
        if error is not None:
            await _commit_again(session, error)
    finally:
        await end_session(session)


async def _commit_again(session: Session, error: PyMongoError) -> None:
    """Settle a commit that failed with this error."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        # Perhaps committed: the label says so, and so it is when the commit was interrupted. To commit again is safe
        # and settles it.
        is_unknown = error.has_error_label("UnknownTransactionCommitResult")
        if not is_unknown and getattr(error, "code", None) != INTERRUPTED:
            raise error
        if time.monotonic() >= deadline:
            raise Unavailable("It is not known whether the change was stored") from error
        await asyncio.sleep(0.05)
        try:
            await session.commit_transaction()
        except PyMongoError as another:
            error = another
        else:
            return


@dataclass(slots=True)
class StaleTransactions:
    """Ends abandoned transactions of this deployment, and looks for them at most once a second."""

    client: Client
    app_name: str
    _next_look: float = field(default=0.0, init=False)

    async def end(self) -> None:
        """End what is abandoned. Where the database user may not, MongoDB does it after a minute."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        # MongoDB's own state cannot be read with majority.
        admin = self.client.get_database("admin", read_concern=ReadConcern("local"))
        try:
            # Only those of our own user, which needs no privilege.
            current = {"$currentOp": {"allUsers": False, "idleSessions": True}}
            abandoned = {
                "type": "idleSession",
                "appName": self.app_name,
                "transaction.timeInactiveMicros": {"$gt": IDLE_SECONDS * 1e6},
            }
            cursor = await result_of(admin.aggregate([current, {"$match": abandoned}]))
            sessions = [{"id": found["lsid"]["id"]} for found in await cursor.to_list(None)]
            if sessions:
                log.warning("ending %d transactions that a dead process left open", len(sessions))
                await admin.command("killSessions", sessions)
        except PyMongoError as error:
            log.warning("cannot look for transactions that were left open: %s", error)


class TransactionRunner:
    """Runs the transactions of one process on one database."""

    def __init__(self, stale_transactions: StaleTransactions) -> None:
        self._stale_transactions = stale_transactions
        self._slots = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)

    async def run(
        self,
        attempt_once: Callable[[int], Coroutine[Any, Any, T]],
        *,
        on_conflict: Callable[[], None] = lambda: None,
    ) -> T:
        """Call `attempt_once` with 0, 1, … until an attempt is known to have happened, and return its result.

        `on_conflict` is called after each attempt that ended by a conflict; what it raises ends the run, with nothing
        stored by this attempt.

        Raises: what an attempt raises, when it is neither a conflict nor an outage; Unavailable when no attempt
            succeeds within `PATIENCE_SECONDS`.
        """
        started = time.monotonic()
        attempt = 0
        async with self._slot():
            while True:
                try:
                    return await _uninterrupted(attempt_once(attempt))
                except PyMongoError as error:
                    attempt += 1
                    if not (is_transient(error) or is_outage(error)) or (
                        is_duplicate(error) and attempt > _MAX_DUPLICATES
                    ):
                        raise
                    if not is_outage(error):
                        on_conflict()
                    lasted = time.monotonic() - started
                    if lasted >= PATIENCE_SECONDS:
                        log.warning("gave up after %d attempts: %r", attempt, error)
                        raise Unavailable from error
                    if lasted >= CONFLICT_SECONDS and not is_outage(error):
                        await self._stale_transactions.end()
                    longest = _OUTAGE_PAUSE_SECONDS if is_outage(error) else _CONFLICT_PAUSE_SECONDS
                    # Full jitter: processes that collide must not collide again in step.
                    await asyncio.sleep(
                        random.uniform(0, min(longest, 0.002 * 2 ** min(attempt, 9)))
                    )

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        # With a timeout: while the database is away, callers would otherwise wait for one round of attempts after
        # another.
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Nothing of it was stored") from None
        try:
            yield
        finally:
            self._slots.release()


async def _uninterrupted(attempt: Coroutine[Any, Any, T]) -> T:
    """Return the attempt's outcome; a caller that is cancelled meanwhile leaves when the attempt has ended.

    The driver's commands run in threads, which cancelling does not stop. A transaction that is aborted beside its own
    command may be begun again by that command on the server, and would hold its locks for a minute.
    """
    task = asyncio.create_task(attempt)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio would log it: no caller is left to handle it
        raise


def _place_of(operation: Operation) -> int:
    """The place of the operation among those of one bulk: each kind of operations is a command of its own."""
    match operation:
        case DeleteOne() | DeleteMany():
            return 0
        case UpdateOne():
            return 1
        case InsertOne():
            return 2
