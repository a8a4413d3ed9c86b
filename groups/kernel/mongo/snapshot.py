"""Reading many collections as they were at one instant, however long it takes and whatever is written meanwhile.

Promises:
    One instant: all rows read between two calls of `renew` are those of one majority-committed state.
    No harm: it reads without locks, and the server keeps the history it needs anyway.

The database keeps that history for `minSnapshotHistoryWindowInSeconds` (300 unless configured). So whoever reads long
renews the snapshot between parts that are never compared with one another; a single part that takes longer than the
window ends in `SnapshotLost`.
"""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pymongo
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import Document

AGE_SECONDS: Final = 60.0
"""From this age on, `renew` takes a new snapshot: most of the window is left for whatever is read next."""
QUERY_SECONDS: Final = 280.0
"""How long one query may take: as long as its snapshot lives. Services give up much sooner."""
BATCH: Final = 1_000

# SnapshotTooOld; SnapshotUnavailable, which also says that a collection or index was made a moment ago.
_LOST: Final = {239, 246}


class SnapshotLost(Exception):
    """The database has no such state any more, or not yet: read again from the start, on a new snapshot."""


class Snapshot:
    """One state of the database, held by a session of the driver; used by one reader at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: AsyncIOMotorClientSession | None = None
        self._taken_at = 0.0

    async def __aenter__(self) -> "Snapshot":
        await self.renew(older_than=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.end_session()

    async def renew(self, *, older_than: float = AGE_SECONDS) -> None:
        """Go on with the present state, if this one is `older_than` so many seconds."""
        if self._session is not None:
            if time.monotonic() - self._taken_at < older_than:
                return
            await self._session.end_session()
        client = self._database.collection("events").database.client
        self._session = await client.start_session(snapshot=True)
        self._taken_at = time.monotonic()

    async def rows(
        self, collection: str, pipeline: Sequence[Document], *, hint: str | None = None
    ) -> AsyncIterator[Document]:
        """What the aggregation yields.

        Raises: SnapshotLost.
        """
        options: dict[str, Any] = {} if hint is None else {"hint": hint}
        # The session names the instant, and no other may stand beside it.
        of_session = self._database.collection(collection).with_options(
            read_concern=ReadConcern("snapshot")
        )
        cursor = of_session.aggregate(
            list(pipeline), session=self._session, allowDiskUse=True, **options
        )
        try:
            while True:
                try:
                    # Around each fetch alone: the bound must not reach what the caller does between two rows.
                    with pymongo.timeout(QUERY_SECONDS):
                        batch = await cursor.to_list(BATCH)
                except OperationFailure as error:
                    if error.code in _LOST:
                        raise SnapshotLost(str(error)) from error
                    raise
                if not batch:
                    return
                for row in batch:
                    yield row
        finally:
            await cursor.close()

    async def number(self, collection: str, pipeline: Sequence[Document] = ()) -> int:
        """How many rows the aggregation yields; all of the collection without one.

        Raises: SnapshotLost.
        """
        count: Document = {"$group": {"_id": None, "n": {"$sum": 1}}}
        async for row in self.rows(collection, [*pipeline, count]):
            return int(row["n"])
        return 0
