"""Reads many collections as they were at one instant, however long it takes and whatever is written meanwhile.

Promises:
    One instant: all rows that are read between two calls of `renew` belong to one majority-committed state.
    No harm: it reads without locks, and the server keeps the history it needs anyway.

The database keeps that history for `minSnapshotHistoryWindowInSeconds` (300 unless configured). So a long reading
renews the snapshot between parts that are never compared with one another. A single part that takes longer than the
window ends in `SnapshotLost`.
"""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pymongo
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import Document, Session, result_of, start_session

AGE_SECONDS: Final = 60.0
"""From this age on, `renew` takes a new snapshot, so that the next part has most of the window."""
QUERY_SECONDS: Final = 280.0
"""The time limit of one query: about as long as its snapshot lives."""
BATCH: Final = 1_000

# SnapshotTooOld; SnapshotUnavailable, also where a collection or index was created a moment ago.
_LOST: Final = {239, 246}


class SnapshotLost(Exception):
    """The database does not have this state any more, or not yet; read again from the start, in a new snapshot."""


class Snapshot:
    """One state of the database, held by a session of the driver; used by one reader at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: Session | None = None
        self._taken_at = 0.0

    async def __aenter__(self) -> "Snapshot":
        await self.renew(older_than=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.end_session()

    async def renew(self, *, older_than: float = AGE_SECONDS) -> None:
        """Continue with the present state, if this one is older than so many seconds."""
        if self._session is not None:
            if time.monotonic() - self._taken_at < older_than:
                return
            await self._session.end_session()
        client = self._database.collection("events").database.client
        self._session = start_session(client, snapshot=True)
        self._taken_at = time.monotonic()

    async def rows(
        self, collection: str, pipeline: Sequence[Document], *, hint: str | None = None
    ) -> AsyncIterator[Document]:
        """Yield the rows of the aggregation. Raises: SnapshotLost."""
        # The session names the instant; the read concern must not name another.
        read_concern = ReadConcern("snapshot")
        of_session = self._database.collection(collection).with_options(read_concern=read_concern)
        options: dict[str, Any] = {} if hint is None else {"hint": hint}
        cursor = await result_of(
            of_session.aggregate(
                list(pipeline), session=self._session, allowDiskUse=True, **options
            )
        )
        try:
            while True:
                try:
                    # Around each fetch only: the time limit must not include what the caller does between two rows.
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

    async def count(self, collection: str, pipeline: Sequence[Document] = ()) -> int:
        """The number of rows that the aggregation yields; without one, of the whole collection."""
        count: Document = {"$group": {"_id": None, "n": {"$sum": 1}}}
        async for row in self.rows(collection, [*pipeline, count]):
            return int(row["n"])
        return 0
