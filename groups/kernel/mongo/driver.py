"""The two drivers behind one set of names: Motor, and the asyncio API of PyMongo; and the declaration of an index.

Both have the same collections, sessions and cursors, which differ in what has to be awaited. The types here are those
of PyMongo; Motor's objects take their place at run time. Where the two differ, use the functions of this module:
`aggregate`, `start_session`, `end_session`, `write_and_commit`, `close_client`, `create_bucket`, and `result_of` around
any other call.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from typing import Any, Final, TypeVar, cast

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from gridfs import AsyncGridFSBucket
from pymongo import AsyncMongoClient, DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from groups.kernel.database_options import Driver

T = TypeVar("T")

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Session = AsyncClientSession
DatabaseHandle = AsyncDatabase[Document]
GridFSBucket = AsyncGridFSBucket
Collection = AsyncCollection[Document]
Operation = InsertOne[Document] | UpdateOne | DeleteOne | DeleteMany

ONE_REPLY: Final = 10_000
"""The `batch_size` of a query by many keys; with the default of 101 documents, the rest costs another command."""

AWARE_INSTANTS: Final[CodecOptions[Document]] = CodecOptions(document_class=dict, tz_aware=True)
NAIVE_INSTANTS: Final = CodecOptions(document_class=dict, tz_aware=False)
AS_BYTES: Final[CodecOptions[Any]] = CodecOptions(document_class=RawBSONDocument)
_EPOCH: Final = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)  # naive; see `milliseconds_of`
_MILLISECOND: Final = timedelta(milliseconds=1)


def create_client(driver: Driver, uri: str, **options: Any) -> Client:
    """A client of this driver, with the options of `MongoClient`.

    Raises: PyMongoError; ValueError where the address cannot be read.
    """
    if driver is Driver.PYMONGO:
        return AsyncMongoClient(uri, **options)
    # Here, so that a process that uses the other driver does without Motor.
    from motor.motor_asyncio import AsyncIOMotorClient

    return cast(Client, AsyncIOMotorClient(uri, **options))


async def close_client(client: Client) -> None:
    """Close all connections of the client."""
    await result_of(client.close())


def start_session(client: Client, **options: Any) -> Session:
    """A session of the client, with the options of the driver. It sends nothing."""
    if isinstance(client, AsyncMongoClient):
        return client.start_session(**options)
    from motor.motor_asyncio import AsyncIOMotorClientSession

    # Not by Motor's own method, which hands it to a thread.
    return cast(
        Session, AsyncIOMotorClientSession(client.delegate.start_session(**options), client)
    )


async def end_session(session: Session) -> None:
    """End the session; a transaction that is under way is aborted."""
    if isinstance(session, AsyncClientSession) or session.in_transaction:
        await session.end_session()
    else:
        session.delegate.end_session()  # sends nothing


async def write_and_commit(
    session: Session, writes: Sequence[tuple[Collection, list[Operation]]]
) -> PyMongoError | None:
    """Send the operations, one bulk for each collection, and commit; returns the error of the commit, if it fails.

    Motor hands each command to a thread, and waits for it: here one thread sends all of them, which spares a fifth of
    the processor time of a small transaction. Raises: PyMongoError where a write fails.
    """
    if not isinstance(session, AsyncClientSession):
        # Motor's own threads, whose number bounds what waits for the database.
        from motor.frameworks.asyncio import run_on_executor

        error: PyMongoError | None = await run_on_executor(
            asyncio.get_running_loop(), _write_and_commit, session, writes
        )
        return error
    for collection, operations in writes:
        await collection.bulk_write(operations, session=session)
    try:
        await session.commit_transaction()
    except PyMongoError as error:
        return error
    return None


def _write_and_commit(
    session: Any, writes: Sequence[tuple[Any, list[Operation]]]
) -> PyMongoError | None:
    """As `write_and_commit`, in a thread, with the objects that Motor wraps."""
    for collection, operations in writes:
        collection.delegate.bulk_write(operations, session=session.delegate)
    try:
        session.delegate.commit_transaction()
    except PyMongoError as error:
        return error
    return None


async def result_of(call: Awaitable[T]) -> T:
    """The result of a call of PyMongo's driver; Motor may give it without a wait."""
    if isawaitable(call):
        return await call
    return call  # at run time Motor's result, which the types do not know


async def aggregate(
    collection: Collection,
    pipeline: Sequence[Document],
    *,
    session: Session | None = None,
    **options: Any,
) -> list[Document]:
    """All rows of the aggregation; the driver takes the options by the names that the command gives them."""
    cursor = await result_of(collection.aggregate(list(pipeline), session=session, **options))
    return await cursor.to_list(None)


def create_bucket(database: DatabaseHandle, name: str, *, chunk_bytes: int) -> GridFSBucket:
    """The GridFS bucket of this name."""
    if isinstance(database, AsyncDatabase):
        return AsyncGridFSBucket(database, bucket_name=name, chunk_size_bytes=chunk_bytes)
    from motor.motor_asyncio import AsyncIOMotorGridFSBucket

    bucket = AsyncIOMotorGridFSBucket(database, bucket_name=name, chunk_size_bytes=chunk_bytes)
    return cast(GridFSBucket, bucket)


def milliseconds_of(instant: datetime) -> int:
    """A naive instant as the database returns it, in milliseconds since 1970."""
    return (instant - _EPOCH) // _MILLISECOND


@dataclass(frozen=True, slots=True)
class Index:
    """An index, and the query that needs it (`why`, for the reader); without `keys`, only the collection is created."""

    collection: str
    keys: Sequence[tuple[str, int]]
    why: str
    unique: bool = False
    partial: Document | None = None
    expire_after_seconds: int | None = None
