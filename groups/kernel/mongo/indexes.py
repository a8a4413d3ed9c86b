"""The collections and indexes that the stores declare, made before first use."""

import asyncio
import time
from collections.abc import Sequence

from pymongo.errors import PyMongoError

from groups.kernel.errors import Unavailable
from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import Document, Index
from groups.kernel.mongo.error_classes import PATIENCE_SECONDS, is_outage
from groups.kernel.mongo.outbox import OUTBOX, OUTBOX_INDEX


async def ensure_indexes(database: Database, indexes: Sequence[Index]) -> None:
    """Create what is missing of collections and indexes; doing it again changes nothing.

    Raises: Unavailable when the database goes away meanwhile, for longer than `PATIENCE_SECONDS`.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            await _ensure(database, indexes)
        except PyMongoError as error:
            if not is_outage(error):
                raise
            if time.monotonic() >= deadline:
                raise Unavailable(f"The database does not answer: {error}") from error
            await asyncio.sleep(0.2)
        else:
            return


async def _ensure(database: Database, indexes: Sequence[Index]) -> None:
    # Made before first use: creating one inside a transaction would conflict with its neighbours.
    await database.create_collections({index.collection for index in indexes} | {OUTBOX})
    for index in (*indexes, OUTBOX_INDEX):
        if not index.keys:
            continue
        options: Document = {"unique": True} if index.unique else {}
        if index.partial is not None:
            options["partialFilterExpression"] = index.partial
        if index.expire_after_seconds is not None:
            options["expireAfterSeconds"] = index.expire_after_seconds
        await database.collection(index.collection).create_index(list(index.keys), **options)
