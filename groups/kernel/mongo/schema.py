"""The version of what is stored, and the steps from one to the next.

What it promises: a server serves only what has its own version. Each step is taken by one of the processes that start,
in order, while the others wait; one that dies in the middle is taken again by the next. A database in which nothing is
stored is of the newest version, one without a version is older than all. What a newer program stored is left alone.

What it depends on: the database's own clock, for the lease of a step.
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
"""How long a step stands still when the process that took it was killed."""

_COLLECTION: Final = "schema"
_KEY: Final = "stored"


@dataclass(frozen=True, slots=True)
class Step:
    """Brings what is stored to `version`, from the one before it.

    `run` may find its work done wholly or in part, or another process at it. No server of its version serves yet.
    """

    version: int
    what: str
    run: Callable[[], Awaitable[None]]


class StoredByNewer(Exception):
    """A newer program has stored what this one does not know."""

    def __init__(self, stored: int, known: int) -> None:
        super().__init__(f"stored: version {stored}, known: {known}")
        self.stored = stored
        self.known = known


class Schema:
    """The version of one database."""

    def __init__(self, database: Database, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._collection = database.collection(_COLLECTION)
        self._lease_seconds = lease_seconds
        self._holder = uuid4().hex

    async def begin(self, newest: int) -> None:
        """Note the version of a database that has none: the newest where nothing is stored yet, else 0.

        To be called before anything else is stored. A crash right after it leaves an empty database of the newest
        version, which is true. Raises: Unavailable.
        """
        is_empty = not await self._database.has_collections()
        first: Document = {"version": newest if is_empty else 0}
        await self._database.run(
            lambda tx: self._collection.update_one(
                {"_id": _KEY}, {"$setOnInsert": first}, upsert=True, session=tx.session
            )
        )

    async def reach(self, steps: Sequence[Step]) -> None:
        """Take the steps that were not taken yet, or wait until others have; `steps` in order of their versions.

        Raises: StoredByNewer; Unavailable; what a step raises, and then it is not taken.
        """
        newest = steps[-1].version
        while (stored := await self._database.run(self._stored)) != newest:
            if stored > newest:
                raise StoredByNewer(stored, newest)
            if await self._lease(stored):
                await self._take(next(step for step in steps if step.version > stored))
            else:
                await asyncio.sleep(self._lease_seconds / 50)

    async def _stored(self, tx: Tx) -> int:
        row = await self._collection.find_one({"_id": _KEY}, session=tx.session)
        return row["version"] if row else 0

    async def _lease(self, stored: int) -> bool:
        """Whether the step from this version is ours, until the lease ends; ours already, it is prolonged."""
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

    async def _take(self, step: Step) -> None:
        log.info("bringing what is stored to version %d: %s", step.version, step.what)
        prolonging = asyncio.create_task(self._prolong(step.version - 1))
        try:
            await step.run()
        finally:
            prolonging.cancel()
        # Killed before this line, the step is taken again, which changes nothing.
        done: Document = {
            "$set": {"version": step.version},
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
                    "the lease of a step was not prolonged; another process may take it too"
                )
