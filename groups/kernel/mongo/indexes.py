"""Creates the collections and indexes that the stores declare, before their first use."""

import asyncio
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from pymongo import IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from groups.kernel.database_options import EVENT_RETENTION_SECONDS
from groups.kernel.errors import Unavailable
from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import Document, Index
from groups.kernel.mongo.error_classes import PATIENCE_SECONDS, is_outage
from groups.kernel.mongo.event_log import LOG_INDEXES
from groups.kernel.mongo.outbox import OUTBOX
from groups.kernel.mongo.uncounted import UNCOUNTED_INDEX

_NAMESPACE_EXISTS: Final = 48
_OPTIONS_CONFLICT: Final = 85


async def ensure_indexes(
    database: Database,
    indexes: Sequence[Index],
    *,
    event_retention_seconds: int = EVENT_RETENTION_SECONDS,
) -> None:
    """Create what is missing; calling it again changes nothing. Raises: Unavailable after `PATIENCE_SECONDS`."""
    expiry = Index(
        OUTBOX,
        [("at", 1)],
        "the TTL of the event log",
        expire_after_seconds=event_retention_seconds,
    )
    every_index = (*indexes, *LOG_INDEXES, UNCOUNTED_INDEX, expiry)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            # Collections first: to create one inside a transaction would conflict with other transactions.
            if database.transactional:  # mongomock creates them by itself
                await _create_collections(database, {each.collection for each in every_index})
            for name, of_one in groupby(sorted(every_index, key=_collection), key=_collection):
                await _create_indexes(database, name, [index for index in of_one if index.keys])
        except PyMongoError as error:
            if not is_outage(error):
                raise
            if time.monotonic() >= deadline:
                raise Unavailable(f"The database does not answer: {error}") from error
            await asyncio.sleep(0.2)
        else:
            return


async def _create_collections(database: Database, names: set[str]) -> None:
    handle = database.collection(OUTBOX).database
    for name in sorted(names - set(await handle.list_collection_names())):
        try:
            await handle.create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:  # another process that starts has created it
                raise


def _collection(index: Index) -> str:
    return index.collection


async def _create_indexes(database: Database, name: str, indexes: Sequence[Index]) -> None:
    """All of a collection by one command, which is quick where they exist, and one pass where they do not."""
    if not indexes:
        return
    models = [IndexModel(list(index.keys), **_options(index)) for index in indexes]
    try:
        await database.collection(name).create_indexes(models)
    except OperationFailure as error:
        if error.code != _OPTIONS_CONFLICT:
            raise
        for index in indexes:
            await _create_index(database, index)


def _options(index: Index) -> Document:
    options: Document = {"unique": True} if index.unique else {}
    if index.partial is not None:
        options["partialFilterExpression"] = index.partial
    if index.expire_after_seconds is not None:
        options["expireAfterSeconds"] = index.expire_after_seconds
    return options


async def _create_index(database: Database, index: Index) -> None:
    collection = database.collection(index.collection)
    try:
        await collection.create_index(list(index.keys), **_options(index))
    except OperationFailure as error:
        if error.code != _OPTIONS_CONFLICT or index.expire_after_seconds is None:
            raise
        # The time was another one so far. To make the index anew would take long, and nothing would expire meanwhile.
        changed: Document = {
            "keyPattern": dict(index.keys),
            "expireAfterSeconds": index.expire_after_seconds,
        }
        await collection.database.command("collMod", collection.name, index=changed)
