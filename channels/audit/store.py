"""The queries of the checks of channels, each one aggregation, and the writes of their repairs."""

from collections.abc import AsyncIterator

from groups.audit.joins import with_group, with_marked_groups
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot

_COUNTER = "channels"


class ChannelAuditStore:
    """Compares channel documents with marked groups and the counter."""

    def __init__(self, database: Database) -> None:
        self._channels = database.collection("channels")
        self._counters = database.collection("counters")

    @staticmethod
    def wrong_markers(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Channels without marker, and marked groups without channel: `listed`, `marked`, `group` (none or one)."""
        return snapshot.rows(
            "channels",
            [
                {"$project": {"listed": {"$literal": 1}}},
                with_marked_groups(),
                {
                    "$group": {
                        "_id": "$_id",
                        "listed": {"$max": "$listed"},
                        "marked": {"$max": "$marked"},
                    }
                },
                {"$match": {"$expr": {"$ne": ["$listed", "$marked"]}}},
                *with_group(),
            ],
        )

    @staticmethod
    async def counted(snapshot: Snapshot) -> int:
        async for row in snapshot.rows("counters", [{"$match": {"_id": _COUNTER}}]):
            return int(row["count"])
        return 0

    async def is_listed(self, channel_id: str, tx: Tx) -> bool:
        found = await self._channels.find_one({"_id": channel_id}, {"_id": 1}, session=tx.session)
        return found is not None

    async def delete(self, channel_id: str, tx: Tx) -> bool:
        result = await self._channels.delete_one({"_id": channel_id}, session=tx.session)
        return result.deleted_count == 1

    async def recount(self, tx: Tx) -> tuple[int, int]:
        """Set the counter to the number of documents. Returns the counts before and after."""
        row = await self._counters.find_one({"_id": _COUNTER}, session=tx.session)
        # The limit of channels bounds the result.
        documents = await self._channels.find({}, {"_id": 1}, session=tx.session).to_list(None)
        before, after = row["count"] if row else 0, len(documents)
        if before != after:
            # Creating or deleting a channel writes the counter too, so one of the two runs again.
            await self._counters.update_one(
                {"_id": _COUNTER}, {"$set": {"count": after}}, upsert=True, session=tx.session
            )
        return before, after
