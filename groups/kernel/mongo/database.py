"""The database: transactions that are retried, the outbox that they write, batched queries and writes.

Promises:
    Durable: every write is committed to a majority and journaled before its call returns.
    Atomic: the writes of `run` and the events that it publishes are committed together or not at all.
    Exact outcome: after a conflict or a lost primary a transaction is retried until it is known to have happened once.
    When that takes longer than `PATIENCE_SECONDS`, the call raises `Unavailable`, and the caller repeats it with its
    idempotency key.

On mongomock (unit tests only) there are no sessions: `transaction()` yields a `Tx` without one, writes apply one by
one, events reach the listeners directly, and counts are dropped.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from functools import cache, partial
from typing import Any, Final, TypeVar

from pymongo import DeleteMany, DeleteOne, InsertOne, UpdateMany, UpdateOne
from pymongo.errors import OperationFailure, PyMongoError

from groups.kernel.batching.tracing import BatchTracing
from groups.kernel.clock import Clock, DatabaseClock
from groups.kernel.database_options import KEYS_PER_TRANSACTION, Driver
from groups.kernel.errors import AnswerTooLarge, Unavailable
from groups.kernel.events import Event
from groups.kernel.ids import mint_id
from groups.kernel.keyed_locks import KeyedLocks
from groups.kernel.mongo.batched_query import (
    BatchedQuery,
    combined_pipeline,
    distribute,
    distribute_raw,
    fetch_one_by_one,
    separate_pipeline,
)
from groups.kernel.mongo.connection import app_name_of, connect
from groups.kernel.mongo.decoded_cache import DecodedCache
from groups.kernel.mongo.driver import (
    AS_BYTES,
    NAIVE_INSTANTS,
    ONE_REPLY,
    Collection,
    DatabaseHandle,
    Document,
    GridFSBucket,
    Operation,
    aggregate,
    close_client,
    create_bucket,
)
from groups.kernel.mongo.error_classes import PATIENCE_SECONDS, TOO_LARGE
from groups.kernel.mongo.outbox import OUTBOX
from groups.kernel.mongo.transactions import StaleTransactions, TransactionRunner, Tx, transaction
from groups.kernel.mongo.turns import Turns
from groups.kernel.mongo.uncounted import outbox_document

T = TypeVar("T")

CLOCK_READINGS: Final = 3
"""Readings of the database's clock for each comparison, since one may be delayed on its way."""


class Database:
    """One database of one replica set, or of mongomock."""

    def __init__(
        self,
        database: DatabaseHandle,
        *,
        transactional: bool,
        clock: Clock | None = None,
        keys_per_transaction: int = KEYS_PER_TRANSACTION,
    ) -> None:
        self._database = database
        self.keys_per_transaction: Final = keys_per_transaction
        """The keys that one transaction of a group commit may have; on a sharded cluster it spans their shards."""
        self.transactional = transactional
        self.clock: Final = DatabaseClock(clock)
        """The time by which all processes on this database decide; `clock` is the machine's."""
        self.turns: Final = Turns(mint_id())
        """This process's turns on documents that other processes write too; the event bus tells it of their commits."""
        self._transactions = TransactionRunner(
            StaleTransactions(database.client, app_name_of(database.name)), self.turns
        )
        self.batch_tracing: BatchTracing | None = None
        """Traces the batches on this database; None: nothing is traced."""
        self.locks = KeyedLocks(patience_seconds=PATIENCE_SECONDS)
        self._local_listeners: list[Callable[[list[Event]], None]] = []
        self._count_listeners: list[Callable[[], None]] = []
        self._as_bytes = cache(partial(database.get_collection, codec_options=AS_BYTES))

    @classmethod
    async def connect(
        cls,
        uri: str,
        name: str,
        *,
        driver: Driver = Driver.MOTOR,
        clock: Clock | None = None,
        patience_seconds: float = 10.0,
        keys_per_transaction: int = KEYS_PER_TRANSACTION,
    ) -> "Database":
        """Connect to a replica set within `patience_seconds`. Raises: StandaloneServer; OldServer; Unavailable."""
        handle = await connect(uri, name, driver=driver, patience_seconds=patience_seconds)
        database = cls(
            handle, transactional=True, clock=clock, keys_per_transaction=keys_per_transaction
        )
        try:
            await database.read_clock()
        except PyMongoError as error:
            await database.close()
            raise Unavailable(f"The database does not answer: {error}") from error
        return database

    async def close(self) -> None:
        """Close the connection; nothing works afterwards."""
        await close_client(self._database.client)

    def collection(self, name: str, *, naive_instants: bool = False) -> Collection:
        """The collection, for the store that owns it.

        With `naive_instants`, instants are read without a time zone, which takes half the time. They are for
        `milliseconds_of` only and must not leave their store.
        """
        options = NAIVE_INSTANTS if naive_instants else None
        return self._database.get_collection(name, codec_options=options)

    def decoded_cache(
        self,
        name: str,
        parse: Callable[[Document], T],
        *,
        max_bytes: int,
        size_of: Callable[[bytes, T], int],
        ignored_fields: Sequence[str] = (),
    ) -> DecodedCache[T]:
        """A cache of the collection's decoded documents, for the store that owns it; on mongomock it keeps none."""
        return DecodedCache(
            self.collection(name),
            parse,
            max_bytes=max_bytes,
            size_of=size_of,
            reads_raw=self.transactional,
            ignored_fields=ignored_fields,
        )

    def bucket(self, name: str, *, chunk_bytes: int) -> GridFSBucket:
        """The GridFS bucket, for the store that owns it; on mongomock there is none."""
        return create_bucket(self._database, name, chunk_bytes=chunk_bytes)

    async def drop(self) -> None:
        """Delete the whole database (tests and benchmarks)."""
        await self._database.client.drop_database(self._database.name)

    async def has_collections(self) -> bool:
        """Whether anything was ever stored."""
        # Without MongoDB's own: a database that is profiled from its first command on has one.
        ours = {"name": {"$not": re.compile(r"^system\.")}}
        return bool(await self._database.list_collection_names(filter=ours))

    async def collection_names(self) -> list[str]:
        """The names of all collections, in order, without MongoDB's own."""
        ours = {"name": {"$not": re.compile(r"^system\.")}}
        names: list[str] = await self._database.list_collection_names(filter=ours)
        return sorted(names)

    async def ping(self) -> None:
        """Prove that the database takes majority writes. Raises: Unavailable."""
        try:
            await asyncio.wait_for(
                self.collection("health").update_one(
                    {"_id": "ready"}, {"$set": {"at": self.clock.now()}}, upsert=True
                ),
                timeout=5,
            )
        except (PyMongoError, TimeoutError) as error:
            raise Unavailable(f"The database does not take writes: {error}") from error

    async def server_version(self) -> str:
        info: Document = await self._database.client.server_info()
        return str(info["version"])

    async def read_clock(self) -> None:
        """Compare `clock` with the database's clock, by the fastest of a few answers; a no-op on mongomock."""
        if not self.transactional:
            return
        readings = []
        for _ in range(CLOCK_READINGS):
            asked_at = self.clock.own_now()
            hello: Document = await self._database.client.admin.command("hello")
            # The driver returns the instants of a command's answer without a time zone.
            database_now = hello["localTime"].replace(tzinfo=UTC)
            readings.append((asked_at, database_now, self.clock.own_now()))
        self.clock.compare(*min(readings, key=lambda reading: reading[2] - reading[0]))

    @asynccontextmanager
    async def transaction(self, attempt: int = 0, keys: Sequence[str] = ()) -> AsyncIterator[Tx]:
        """Try once to run the body in a transaction, on mongomock without a session; `run` retries."""
        if not self.transactional:
            tx = Tx(None, attempt, keys)
            yield tx
            await self.flush(tx)
            self._tell_local_listeners(tx.events)
            return
        async with transaction(self._database.client, attempt, keys) as tx:
            yield tx
            self._write_outbox(tx)
        if tx.counts:
            for counts_committed in self._count_listeners:
                counts_committed()

    async def run(
        self,
        work: Callable[[Tx], Awaitable[T]],
        *keys: str,
        is_batch: bool = False,
        on_conflict: Callable[[], None] = lambda: None,
    ) -> T:
        """Run `work` in a transaction, again after a conflict, and return its result once it is committed.

        `work` may run several times, so it must change nothing but the database through its `Tx`. `keys` name the
        documents that many callers write (`groups.kernel.keyed_locks`): one transaction for each key runs at a time in
        this process, and the others wait without taking a slot for transactions. Processes that conflict on a key take
        turns at it. `on_conflict` is called after each attempt that ended by a conflict; what it raises ends the run.

        Raises: what `work` raises, with nothing written; Unavailable when the outcome is unknown or there was no
            primary for `PATIENCE_SECONDS`; RateLimited when too many callers wait for a key.
        """

        async def attempt_once(attempt: int) -> T:
            async with self.transaction(attempt, keys) as tx:
                result = await work(tx)
            self.turns.committed(keys)
            return result

        if not keys:
            return await self._transactions.run(attempt_once, on_conflict=on_conflict)
        # The keys first, since slots for transactions are for those that can run.
        async with self.locks.hold(*keys, is_batch=is_batch):
            return await self._transactions.run(attempt_once, keys, on_conflict=on_conflict)

    async def flush(self, tx: Tx) -> None:
        """Send what `Tx.write` collected, so that queries of the transaction see it."""
        for collection, operations in tx.take_writes():
            await self.apply(collection, operations, tx)

    def _write_outbox(self, tx: Tx) -> None:
        if tx.events or tx.counts:
            # One document for all events of the transaction, which may serve many callers.
            document = outbox_document(
                tx.events,
                tx.counts,
                process_id=self.turns.process_id,
                keys=tx.keys,
            )
            tx.write(self.collection(OUTBOX), InsertOne(document))

    def _tell_local_listeners(self, events: list[Event]) -> None:
        if events:
            transaction_id = mint_id()
            for index, event in enumerate(events):
                event.identify(f"{transaction_id}_{index}")
            for listener in self._local_listeners:
                listener(events)

    def on_local_events(self, listener: Callable[[list[Event]], None]) -> None:
        """Call the listener with the events of this process directly; for mongomock, which has no change stream."""
        self._local_listeners.append(listener)

    def on_counts(self, listener: Callable[[], None]) -> None:
        """Call the listener after each commit of this process that published counts; not on mongomock."""
        self._count_listeners.append(listener)

    async def fetch(self, tx: Tx | None, *queries: BatchedQuery[Any]) -> None:
        """Answer all queries in one command, inside the transaction where there is one (one by one on mongomock).

        The first query finds one document at most; where it finds none, the results of the others are empty too.
        Raises: AnswerTooLarge, outside a transaction.
        """
        if not self.transactional:
            await fetch_one_by_one(queries)
            return
        first, pipeline = queries[0].collection, combined_pipeline(queries)
        if tx is not None:
            rows = await aggregate(first, pipeline, session=tx.session, batchSize=ONE_REPLY)
            distribute(queries, rows)
            return
        await self._fetch_raw(queries, self._as_bytes(first.name), pipeline)

    async def fetch_together(self, *queries: BatchedQuery[Any], tx: Tx | None = None) -> None:
        """Answer all queries in one command, each after those before it (one by one on mongomock).

        Any of them may find nothing. Raises: AnswerTooLarge.
        """
        if not self.transactional:
            await fetch_one_by_one(queries)
            return
        whole: Any = self._database.with_options(codec_options=AS_BYTES)
        await self._fetch_raw(queries, whole, separate_pipeline(queries), tx)

    async def _fetch_raw(
        self,
        queries: Sequence[BatchedQuery[Any]],
        target: Collection,
        pipeline: list[Document],
        tx: Tx | None = None,
    ) -> None:
        """Give each query its rows from the one document that the pipeline makes, on a collection or the database."""
        try:
            # The driver's types do not say that these are raw documents.
            raw: list[Any] = await aggregate(
                target, pipeline, session=tx.session if tx else None, batchSize=ONE_REPLY
            )
        except OperationFailure as error:
            if error.code in TOO_LARGE:
                # Without the error's own text, which holds the whole answer.
                raise AnswerTooLarge from None
            raise
        distribute_raw(queries, [bytes(row.raw) for row in raw])

    async def apply(
        self, collection: Collection, operations: Sequence[Operation], tx: Tx | None
    ) -> Sequence[int]:
        """Apply the operations, in order, in one command (one by one on mongomock).

        Without a `tx`, each operation is atomic by itself and waits for transactions that write its document.
        Returns the places of the upserts that inserted a document; none on mongomock, which has no conflicts.
        """
        if not operations:
            return ()
        if self.transactional:
            session = tx.session if tx else None
            result = await collection.bulk_write(list(operations), session=session)
            return list(result.upserted_ids or ())
        for operation in operations:
            match operation:
                case InsertOne():
                    await collection.insert_one(operation._doc)
                case UpdateOne():
                    await collection.update_one(
                        operation._filter, operation._doc, upsert=bool(operation._upsert)
                    )
                case UpdateMany():
                    await collection.update_many(operation._filter, operation._doc)
                case DeleteOne():
                    await collection.delete_one(operation._filter)
                case DeleteMany():
                    await collection.delete_many(operation._filter)
        return ()
