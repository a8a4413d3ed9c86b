"""Creates the collections and indexes that the stores declare, before their first use."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from pymongo.errors import OperationFailure, PyMongoError

from groups.kernel.errors import Unavailable
from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import Document, Index
from groups.kernel.mongo.error_classes import PATIENCE_SECONDS, is_outage
from groups.kernel.mongo.outbox import OUTBOX, OUTBOX_INDEX
from groups.kernel.mongo.uncounted import UNCOUNTED_INDEX

_NAMESPACE_EXISTS: Final = 48


async def ensure_indexes(database: Database, indexes: Sequence[Index]) -> None:
    """Create what is missing; calling it again changes nothing. Raises: Unavailable after `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            # Collections first: to create one inside a transaction would conflict with other transactions.
            if database.transactional:  # mongomock creates them by itself
                await _create_collections(database, {index.collection for index in indexes})
            for index in (*indexes, OUTBOX_INDEX, UNCOUNTED_INDEX):
                await _create_index(database, index)
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
    for name in sorted((names | {OUTBOX}) - set(await handle.list_collection_names())):
        try:
            await handle.create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:  # another process that starts has created it
                raise


async def _create_index(database: Database, index: Index) -> None:
    if not index.keys:
        return
    options: Document = {"unique": True} if index.unique else {}
    if index.partial is not None:
        options["partialFilterExpression"] = index.partial
    if index.expire_after_seconds is not None:
        options["expireAfterSeconds"] = index.expire_after_seconds
    await database.collection(index.collection).create_index(list(index.keys), **options)
