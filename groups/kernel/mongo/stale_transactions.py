"""Transactions that a killed process left open, and how the living get rid of them.

MongoDB does not end a transaction with its client's connection: what it wrote stays locked for a minute, and every
other process that wants the same hot document only meets write conflicts meanwhile. So whoever conflicts for longer
than a neighbour ever takes looks for transactions of this deployment that nobody has moved for seconds, and ends them.

Promises: only transactions of this deployment (the driver's `appname`) are ended, and ending one that was alive after
all (its process stood still) is harmless: nothing of it is stored, and its process runs it again.
"""

import logging
import time
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

IDLE_SECONDS: Final = 3.0
"""A transaction without a command for so long is an orphan: a live one pauses for milliseconds."""
LOOK_SECONDS: Final = 1.0  # between two looks of one process

log = logging.getLogger(__name__)


class StaleTransactions:
    """Looks for orphaned transactions, at most once a second."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], appname: str) -> None:
        self._client = client
        self._appname = appname
        self._next_look = 0.0

    async def end(self) -> None:
        """End what is orphaned; where the database user may not, MongoDB does it after a minute."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        # What MongoDB tells of itself has no majority.
        admin = self._client.get_database("admin", read_concern=ReadConcern("local"))
        try:
            # Our own user's only, which needs no privilege.
            cursor = admin.aggregate(
                [
                    {"$currentOp": {"allUsers": False, "idleSessions": True}},
                    {
                        "$match": {
                            "type": "idleSession",
                            "appName": self._appname,
                            "transaction.timeInactiveMicros": {"$gt": IDLE_SECONDS * 1e6},
                        }
                    },
                ]
            )
            sessions = [{"id": found["lsid"]["id"]} for found in await cursor.to_list(None)]
            if sessions:
                log.warning("ending %d transactions that a dead process left open", len(sessions))
                await admin.command("killSessions", sessions)
        except PyMongoError as error:
            log.warning("cannot look for transactions that were left open: %s", error)
