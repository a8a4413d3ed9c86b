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
    AsyncIOMotorDatabase,
    AsyncIOMotorGridFSBucket,
)
from pymongo import DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from groups.kernel.clock import Clock, SystemClock
from groups.kernel.errors import Unavailable
from groups.kernel.events import Event
from groups.kernel.mongo.driver import (
    NAIVE_INSTANTS,
    ONE_REPLY,
    Bucket,
    Collection,
    Document,
    Index,
    Operation,
)
from groups.kernel.mongo.lookups import Lookup, hand_out, joined_pipeline
from groups.kernel.mongo.memory import Memory
from groups.kernel.mongo.orphans import Orphans
from groups.kernel.mongo.outages import INTERRUPTED, is_outage, is_transient
from groups.kernel.mongo.outbox import OUTBOX, OUTBOX_INDEX, tail

T = TypeVar("T")
PATIENCE_SECONDS: Final = 20.0
"""How long a write is retried: longer than an election or the restart of a killed `mongod` takes."""
CONFLICT_SECONDS: Final = 1.0
"""Conflicts for longer than this are no race any more: somebody died in the middle of a transaction."""
_PAUSE_SECONDS: Final = 0.5  # the longest between two attempts while the database is away
_CONFLICT_PAUSE_SECONDS: Final = 0.04
"""The longest behind another process's transaction: twice as long as one takes on a busy machine."""
CONCURRENT_TRANSACTIONS: Final = 64
"""Transactions one process runs at once; more only wait here instead of in the driver's pool."""


log = logging.getLogger(__name__)


class StandaloneServer(Exception):
    """The database is not a replica set, so it has no transactions and no change streams."""


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

    def collection(self, name: str, *, naive_instants: bool = False) -> Collection:
        """The collection, for the store that owns it.

        With `naive_instants` they are read without their zone, which halves the price of reading them. They are for
        `milliseconds_of` alone: none may leave its store.
        """
        options = NAIVE_INSTANTS if naive_instants else None
        return self._database.get_collection(name, codec_options=options)

    def memory(
        self, name: str, parse: Callable[[Document], T], *, most: int, most_bytes: int
    ) -> Memory[T]:
        """A memory of what the collection's documents mean, for the store that owns it; on mongomock it keeps none."""
        return Memory(
            self.collection(name),
            parse,
            most=most,
            most_bytes=most_bytes,
            takes_bytes=self.transactional,
        )

    def bucket(self, name: str, *, chunk_bytes: int) -> Bucket:
        """The GridFS bucket, for the store that owns it; on mongomock there is none."""
        return AsyncIOMotorGridFSBucket(
            self._database, bucket_name=name, chunk_size_bytes=chunk_bytes
        )

    async def drop(self) -> None:
        """Delete the whole database (tests and benchmarks)."""
        await self._database.client.drop_database(self._database.name)

    async def has_collections(self) -> bool:
        """Whether anything was ever stored."""
        return bool(await self._database.list_collection_names())

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
        for index in (*indexes, OUTBOX_INDEX):
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

    async def server_version(self) -> str:
        """The version of MongoDB."""
        info: Document = await self._database.client.server_info()
        return str(info["version"])

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
        async with self._slot():
            while True:
                try:
                    result = await _uninterrupted(self._attempt(work, attempt))
                except PyMongoError as error:
                    attempt += 1
                    if not (is_transient(error) or is_outage(error)) or (
                        isinstance(error, DuplicateKeyError) and attempt > 5
                    ):
                        raise
                    lasted = time.monotonic() - started
                    if lasted >= PATIENCE_SECONDS:
                        log.warning("gave up after %d attempts: %r", attempt, error)
                        raise Unavailable from error
                    if lasted >= CONFLICT_SECONDS and not is_outage(error):
                        await self._orphans.end()
                    longest = _PAUSE_SECONDS if is_outage(error) else _CONFLICT_PAUSE_SECONDS
                    # Full jitter: colliding processes must not collide again in step.
                    await asyncio.sleep(
                        random.uniform(0, min(longest, 0.002 * 2 ** min(attempt, 9)))
                    )
                else:
                    return result

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        # Or, while the database is away, those who wait for a slot would wait for one round of patience after another.
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Nothing of it was stored") from None
        try:
            yield
        finally:
            self._slots.release()

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
                if not is_unknown and getattr(error, "code", None) != INTERRUPTED:
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

    def tail_outbox(
        self, *, ready: asyncio.Event, after_loss: bool = False
    ) -> AsyncIterator[list[Event] | None]:
        """The events that any process commits from now on; see `outbox.tail`."""
        return tail(self.collection(OUTBOX), ready=ready, after_loss=after_loss)

    # --- look-ups --------------------------------------------------------------------------------------------------

    async def look_up(self, tx: Tx, *lookups: Lookup[Any]) -> None:
        """Answer all of them inside the transaction, in one command (one by one on mongomock).

        The first finds one document at most; where it finds none, the others' answers are empty.
        """
        if self.transactional:
            cursor = lookups[0].collection.aggregate(
                joined_pipeline(lookups), session=tx.session, batchSize=ONE_REPLY
            )
            hand_out(lookups, await cursor.to_list(None))
            return
        for lookup in lookups:
            lookup.answer(await lookup.collection.aggregate(lookup.pipeline).to_list(None))

    # --- batches --------------------------------------------------------------------------------------------------

    async def apply(
        self, collection: Collection, operations: Sequence[Operation], tx: Tx | None
    ) -> None:
        """Apply the operations, in order, in one command (one by one on mongomock, which cannot).

        Without a `tx` each is atomic by itself, and waits for whoever writes its document.
        """
        if not operations:
            return
        if self.transactional:
            await collection.bulk_write(list(operations), session=tx.session if tx else None)
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
