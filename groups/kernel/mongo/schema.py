"""The version of the stored data, and the migrations from one version to the next.

Promises: a server serves only data of its own version. Of the processes that start, one runs each migration, in order,
while the others wait; a migration whose process dies is run again by another. An empty database has the newest version;
one that holds data and no version is older than all migrations. Data of a newer program is left alone.

Depends on: the database's own clock, for the lease on a migration.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from groups.kernel.errors import Unavailable
from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import Document
from groups.kernel.mongo.transactions import Tx

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 15.0
"""How long a migration stands still when the process that runs it was killed."""

_KEY: Final = "stored"


@dataclass(frozen=True, slots=True)
class Migration:
    """Brings the stored data to `version` from the version before it.

    `run` must cope with work that is already done, wholly or in part, and with another process that does the same work.
    No server of the new version serves yet.
    """

    version: int
    what: str
    run: Callable[[], Awaitable[None]]


class NewerSchema(Exception):
    """A newer program has stored data that this one does not know."""

    def __init__(self, stored: int, known: int) -> None:
        super().__init__(f"stored: version {stored}, known: {known}")
        self.stored = stored
        self.known = known


class Schema:
    """The version of the data in one database."""

    def __init__(self, database: Database, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._collection = database.collection("schema")
        self._lease_seconds = lease_seconds
        self._holder = uuid4().hex

    async def record_version(self, newest: int) -> None:
        """Record the version of a database that has none: the newest if it is empty, else 0.

        Call it before anything else is stored. A crash right after it leaves an empty database of the newest version,
        which is correct. Raises: Unavailable.
        """
        is_empty = not await self._database.has_collections()
        first: Document = {"version": newest if is_empty else 0}
        await self._database.run(
            lambda tx: self._collection.update_one(
                {"_id": _KEY}, {"$setOnInsert": first}, upsert=True, session=tx.session
            )
        )

    async def migrate(self, migrations: Sequence[Migration]) -> None:
        """Run the missing migrations, or wait until other processes have; `migrations` are in order of their versions.

        Raises: NewerSchema; Unavailable; what a migration raises, which then does not count as done.
        """
        newest = migrations[-1].version
        while (stored := await self._database.run(self._stored)) != newest:
            if stored > newest:
                raise NewerSchema(stored, newest)
            if await self._lease(stored):
                await self._run(next(each for each in migrations if each.version > stored))
            else:
                await asyncio.sleep(self._lease_seconds / 50)

    async def _stored(self, tx: Tx) -> int:
        row = await self._collection.find_one({"_id": _KEY}, session=tx.session)
        return row["version"] if row else 0

    async def _lease(self, stored: int) -> bool:
        """Lease the migration from this version, or prolong the lease; False where another process holds it."""
        wanted = {
            "_id": _KEY,
            "version": stored,
            "$or": [
                {"holder": self._holder},
                {"leased_until": {"$exists": False}},
                {"$expr": {"$lt": ["$leased_until", "$$NOW"]}},
            ],
        }
        until = {"$add": ["$$NOW", round(self._lease_seconds * 1000)]}
        lease = [{"$set": {"holder": self._holder, "leased_until": until}}]
        result = await self._database.run(
            lambda tx: self._collection.update_one(wanted, lease, session=tx.session)
        )
        return result.matched_count == 1

    async def _run(self, migration: Migration) -> None:
        log.info("migrating the stored data to version %d: %s", migration.version, migration.what)
        prolonging = asyncio.create_task(self._prolong(migration.version - 1))
        try:
            await migration.run()
        finally:
            prolonging.cancel()
        # A process that is killed before this line leaves the migration to be run again, which changes nothing.
        done: Document = {
            "$set": {"version": migration.version},
            "$unset": {"holder": "", "leased_until": ""},
        }
        await self._database.run(
            lambda tx: self._collection.update_one(
                {"_id": _KEY, "holder": self._holder}, done, session=tx.session
            )
        )

    async def _prolong(self, stored: int) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                await self._lease(stored)
            except Unavailable:
                log.warning(
                    "the lease on a migration was not prolonged; another process may run it too"
                )
