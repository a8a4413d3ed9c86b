"""The tags in use in channels' inboxes: one document a channel, written by each change of the tags of a thread.

So two changes in one channel conflict, and the second one sees what the first one stored.
"""

from collections.abc import Collection

from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Index, Tx


class InboxTagStore:
    """The collection `inbox_tags`."""

    INDEXES = (Index("inbox_tags", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._tags = database.collection("inbox_tags")

    async def find(self, channel_id: GroupId, tx: Tx | None = None) -> list[str]:
        """The channel's tags, in the order of their code points."""
        row = await self._tags.find_one({"_id": channel_id}, session=tx.session if tx else None)
        return sorted(row["tags"]) if row else []

    async def put(self, channel_id: GroupId, tags: Collection[str], tx: Tx) -> None:
        """Store the tags in use; conflicts with all other calls of it for the channel, also if they do not change."""
        change = {"$set": {"tags": sorted(tags)}, "$inc": {"version": 1}}
        await self._tags.update_one({"_id": channel_id}, change, upsert=True, session=tx.session)

    async def delete(self, channel_id: GroupId, tx: Tx) -> None:
        await self._tags.delete_one({"_id": channel_id}, session=tx.session)
