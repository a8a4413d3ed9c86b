"""The database: transactions that retry, the outbox, declared indexes, a driver's failure told as ours.

Promises:
    Durable: every write is majority-committed and journaled before its caller hears of it.
    Together: what `run` does, and the events it publishes, are committed together or not at all.
    Exact outcome: a conflict or a lost primary is retried until it is known to have happened once; when that
    takes longer than `PATIENCE_SECONDS`, `Unavailable` says so, and the caller repeats with its idempotency key.

On mongomock (unit tests only) there are no sessions: `transaction()` yields a `Tx` without one, writes apply one
by one, and events reach the listeners directly.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import DESCENDING, DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from groups.kernel.clock import Clock, SystemClock
from groups.kernel.errors import Unavailable
from groups.kernel.events import Event, read_event
from groups.kernel.mongo.orphans import Orphans

__all__ = [
    "DESCENDING",
    "ONE_REPLY",
    "Collection",
    "Database",
    "Document",
    "DuplicateKeyError",
    "Index",
    "StandaloneServer",
    "Tx",
    "is_outage",
]

T = TypeVar("T")
Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Operation = InsertOne[Document] | UpdateOne | DeleteOne | DeleteMany

PATIENCE_SECONDS: Final = 20.0
"""How long a write is retried: longer than an election or the restart of a killed `mongod` takes."""
OUTBOX_SECONDS: Final = 3600
"""How long an event stays in the outbox: a process cut off for longer tells its sockets to resync."""
CONFLICT_SECONDS: Final = 1.0
"""Conflicts for longer than this are no race any more: somebody died in the middle of a transaction."""
CONCURRENT_TRANSACTIONS: Final = 64
"""Transactions one process runs at once; more only wait here instead of in the driver's pool."""


log = logging.getLogger(__name__)


class StandaloneServer(Exception):
    """The database is not a replica set, so it has no transactions and no change streams."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index beyond `_id`: its keys and the query that needs it (`why` is for the reader)."""

    collection: str
    keys: Sequence[tuple[str, int]]
    why: str
    unique: bool = False
    partial: Document | None = None
    expire_after_seconds: int | None = None


ONE_REPLY: Final = 10_000
"""The `batch_size` of a look-up of many keys: at the default of 101 documents the rest costs a command more."""
OUTBOX: Final = "events"
_OUTBOX_INDEX: Final = Index(
    OUTBOX, [("at", 1)], "the TTL that clears the outbox", expire_after_seconds=OUTBOX_SECONDS
)


@dataclass(slots=True)
class Tx:
    """A transaction under way: its session for the stores, and the events that will be committed with it."""

    session: AsyncIOMotorClientSession | None
    attempt: int = 0
    """0 at first; more when an earlier attempt was rolled back or its fate was unknown."""
    events: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """Announce the event if, and only if, this transaction commits."""
        self.events.append(event)


def _is_transient(error: PyMongoError) -> bool:
    """Whether the transaction surely did not commit and may be run again."""
    return error.has_error_label("TransientTransactionError") or isinstance(
        # Two transactions that insert the same key: the look-up of the next attempt sees the winner.
        error,
        DuplicateKeyError,
    )


_DRIVER_DOWN: Final = (
    ConnectionFailure,
    ServerSelectionTimeoutError,
    NetworkTimeout,
    ExecutionTimeout,
    WTimeoutError,
)
# NotWritablePrimary, InterruptedAtShutdown and their kin: the server steps down, stops or recovers; 43 and 237: it
# forgot a cursor meanwhile; 134: it has no majority to read from yet; 11601: the command was ended from outside, as
# `orphans` does to a process that stood still and goes on at that very moment.
_INTERRUPTED: Final = 11601
_CODES_OF_CHANGE: Final = frozenset(
    {6, 7, 43, 64, 89, 91, 134, 189, 237, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436}
    | {_INTERRUPTED}
)


def is_outage(error: Exception) -> bool:
    """Whether the error tells of a database that is away, not of a command that is wrong."""
    return isinstance(error, _DRIVER_DOWN) or (
        isinstance(error, OperationFailure) and error.code in _CODES_OF_CHANGE
    )


def _appname(database: str) -> str:
    """How MongoDB's own records name the processes of this deployment."""
    return f"channels.{database}"


async def _uninterrupted(attempt: Coroutine[Any, Any, T]) -> T:
    """The attempt's outcome; a caller who is cancelled meanwhile goes only when it has ended.

    The driver's commands run in threads, which cancelling does not stop: a transaction aborted beside its own command
    may be begun again by it on the server, and would hold its locks for a minute.
    """
    task = asyncio.create_task(attempt)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: whoever wanted to know is gone
        raise


class Database:
    """One database of one replica set, or of mongomock."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Document],
        *,
        transactional: bool,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self.transactional = transactional
        self._clock = clock or SystemClock()
        self._slots = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)
        self._orphans = Orphans(database.client, _appname(database.name))
        self._local_listeners: list[Callable[[list[Event]], None]] = []

    @classmethod
    async def connect(
        cls, uri: str, name: str, *, clock: Clock | None = None, patience_seconds: float = 10.0
    ) -> "Database":
        """Connect to a replica set, or say why not.

        Raises: StandaloneServer; Unavailable when nothing answers within `patience_seconds`.
        """
        try:
            client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                uri,
                tz_aware=True,
                w="majority",
                journal=True,
                wTimeoutMS=10_000,
                readConcernLevel="majority",
                retryWrites=True,
                serverSelectionTimeoutMS=5_000,
                connectTimeoutMS=5_000,
                socketTimeoutMS=20_000,
                maxPoolSize=100,
                appname=_appname(name),
            )
        except PyMongoError as error:
            raise Unavailable(f"The address of the database cannot be used: {error}") from error
        except ValueError:
            # Without its words: they quote the address, and with it perhaps a password.
            raise Unavailable("The address of the database cannot be used") from None
        deadline = time.monotonic() + patience_seconds
        hello: Document | None = None
        while hello is None:
            try:
                hello = await client.admin.command("hello")
            except PyMongoError as error:
                if time.monotonic() >= deadline:
                    client.close()
                    raise Unavailable(f"The database does not answer: {error}") from error
                await asyncio.sleep(0.2)
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            client.close()
            raise StandaloneServer
        return cls(client[name], transactional=True, clock=clock)

    def close(self) -> None:
        """Close the connection; nothing works afterwards."""
        self._database.client.close()

    def collection(self, name: str) -> Collection:
        """The collection, for the store that owns it."""
        return self._database[name]

    async def drop(self) -> None:
        """Delete the whole database (tests and benchmarks)."""
        await self._database.client.drop_database(self._database.name)

    async def ensure_indexes(self, indexes: Sequence[Index]) -> None:
        """Create what is missing of collections and indexes; doing it again changes nothing.

        Raises: Unavailable when the database goes away meanwhile, for longer than `PATIENCE_SECONDS`.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await self._ensure_indexes(indexes)
            except PyMongoError as error:
                if not is_outage(error):
                    raise
                if time.monotonic() >= deadline:
                    raise Unavailable(f"The database does not answer: {error}") from error
                await asyncio.sleep(0.2)
            else:
                return

    async def _ensure_indexes(self, indexes: Sequence[Index]) -> None:
        if self.transactional:
            # Made before first use: creating one inside a transaction would conflict with its neighbours.
            existing = set(await self._database.list_collection_names())
            for name in sorted({index.collection for index in indexes} | {OUTBOX}):
                if name not in existing:
                    await self._create_collection(name)
        for index in (*indexes, _OUTBOX_INDEX):
            if not index.keys:
                continue
            options: Document = {"unique": True} if index.unique else {}
            if index.partial is not None:
                options["partialFilterExpression"] = index.partial
            if index.expire_after_seconds is not None:
                options["expireAfterSeconds"] = index.expire_after_seconds
            await self.collection(index.collection).create_index(list(index.keys), **options)

    async def _create_collection(self, name: str) -> None:
        try:
            await self._database.create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != 48:  # NamespaceExists: another process starts beside us
                raise

    async def ping(self) -> None:
        """Prove that the database takes majority writes.

        Raises: Unavailable.
        """
        try:
            await asyncio.wait_for(
                self.collection("health").update_one(
                    {"_id": "ready"}, {"$set": {"at": self._clock.now()}}, upsert=True
                ),
                timeout=5,
            )
        except (PyMongoError, TimeoutError) as error:
            raise Unavailable(f"The database does not take writes: {error}") from error

    # --- transactions ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self, attempt: int = 0) -> AsyncIterator[Tx]:
        """A transaction around the body, committed at its end; its session is None on mongomock.

        One attempt: what fails is rolled back and raised. `run` is the one that retries.
        """
        if not self.transactional:
            tx = Tx(None, attempt)
            yield tx
            await self._write_outbox(tx)
            return
        async with await self._database.client.start_session() as session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", wtimeout=10_000, j=True),
            )
            try:
                tx = Tx(session, attempt)
                yield tx
                await self._write_outbox(tx)
            except BaseException:
                await self._abort(session)
                raise
            await self._commit(session)

    async def run(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """What `work` returns, once its writes and events are committed; run again after a conflict.

        `work` may run several times, so it must change nothing but the database through its `Tx`.

        Raises: what `work` raises, with nothing written; Unavailable when the outcome is unknown or no primary was
            found within `PATIENCE_SECONDS`.
        """
        started = time.monotonic()
        attempt = 0
        async with self._slots:
            while True:
                try:
                    result = await _uninterrupted(self._attempt(work, attempt))
                except PyMongoError as error:
                    attempt += 1
                    if not (_is_transient(error) or is_outage(error)) or (
                        isinstance(error, DuplicateKeyError) and attempt > 5
                    ):
                        raise
                    lasted = time.monotonic() - started
                    if lasted >= PATIENCE_SECONDS:
                        log.warning("gave up after %d attempts: %r", attempt, error)
                        raise Unavailable from error
                    if lasted >= CONFLICT_SECONDS and not is_outage(error):
                        await self._orphans.end()
                    # Full jitter: colliding processes must not collide again in step.
                    await asyncio.sleep(random.uniform(0, min(0.5, 0.002 * 2 ** min(attempt, 9))))
                else:
                    return result

    async def _attempt(self, work: Callable[[Tx], Awaitable[T]], attempt: int) -> T:
        async with self.transaction(attempt) as tx:
            return await work(tx)

    async def _commit(self, session: AsyncIOMotorClientSession) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                # Maybe committed, as the label says, and as it is when the commit was interrupted. Committing again is
                # safe and settles it.
                is_unknown = error.has_error_label("UnknownTransactionCommitResult")
                if not is_unknown and getattr(error, "code", None) != _INTERRUPTED:
                    raise
                if time.monotonic() >= deadline:
                    raise Unavailable("It is not known whether the change was stored") from error
                await asyncio.sleep(0.05)
            else:
                return

    async def _abort(self, session: AsyncIOMotorClientSession) -> None:
        # Shielded: a cancelled caller must not leave locks behind until the server's timeout.
        if session.delegate.in_transaction:
            await asyncio.shield(session.abort_transaction())

    # --- outbox ---------------------------------------------------------------------------------------------------

    async def _write_outbox(self, tx: Tx) -> None:
        if not tx.events:
            return
        if not self.transactional:
            for listener in self._local_listeners:
                listener(tx.events)
            return
        # One document for all events of the transaction, however many callers it served.
        await self.collection(OUTBOX).insert_one(
            {
                "at": self._clock.now(),
                "events": [event.model_dump(mode="python") for event in tx.events],
            },
            session=tx.session,
        )

    def on_local_events(self, listener: Callable[[list[Event]], None]) -> None:
        """Hear the events of this process directly (mongomock, which has no change stream)."""
        self._local_listeners.append(listener)

    async def tail_outbox(
        self, *, ready: asyncio.Event, after_loss: bool = False
    ) -> AsyncIterator[list[Event] | None]:
        """The events that any process commits from now on, in commit order, one transaction's at a time.

        Survives elections and restarts of the database by its resume token; where the history is gone, yields None
        once (listeners must resync) and goes on from the present; `after_loss` has it begin so. `ready` is set when
        the tail is in place.
        """
        token: Document | None = None
        while True:
            try:
                async with self.collection(OUTBOX).watch(
                    [{"$match": {"operationType": "insert"}}],
                    resume_after=token,
                    max_await_time_ms=1_000,
                ) as stream:
                    while stream.alive:
                        change = await stream.try_next()
                        # The first answer means that the server has the stream open, whatever it held.
                        ready.set()
                        token = stream.resume_token
                        if after_loss:
                            # Only now: what is committed while they resync will be heard.
                            after_loss = False
                            yield None
                        if change is not None:
                            documents = change["fullDocument"]["events"]
                            events = [read_event(document) for document in documents]
                            yield [event for event in events if event is not None]
            except OperationFailure as error:
                if error.code in {280, 286, 222}:  # history lost, or the token is no longer found
                    token = None
                    after_loss = True
                elif not is_outage(error):
                    raise
                await asyncio.sleep(0.1)
            except PyMongoError:
                await asyncio.sleep(0.1)

    # --- batches --------------------------------------------------------------------------------------------------

    async def apply(self, collection: Collection, operations: Sequence[Operation], tx: Tx) -> None:
        """Apply the operations, in order, in one command (one by one on mongomock, which cannot)."""
        if not operations:
            return
        if self.transactional:
            await collection.bulk_write(list(operations), session=tx.session)
            return
        for operation in operations:
            match operation:
                case InsertOne():
                    await collection.insert_one(operation._doc)
                case UpdateOne():
                    await collection.update_one(
                        operation._filter, operation._doc, upsert=bool(operation._upsert)
                    )
                case DeleteOne():
                    await collection.delete_one(operation._filter)
                case DeleteMany():
                    await collection.delete_many(operation._filter)
