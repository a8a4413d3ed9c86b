"""Channel documents: `_id` is the channel id; what the group document has is not repeated here.

`counters` holds how many channels the deployment has, changed in the transaction that makes or ends one.
"""

from collections.abc import Sequence

from channels.models import ChannelProfile
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx

_COUNTER: Document = {"_id": "channels"}


class ChannelStore:
    """The collections `channels` and `counters`."""

    INDEXES = (
        Index("channels", [], "found by _id only"),
        Index("counters", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._channels = database.collection("channels")
        self._counters = database.collection("counters")

    async def find(self, channel_id: GroupId, tx: Tx | None = None) -> ChannelProfile | None:
        """What the channel has beyond its group, if it is a channel."""
        document = await self._channels.find_one(
            {"_id": channel_id}, session=tx.session if tx else None
        )
        return _to_extras(document) if document else None

    async def find_many(self, channel_ids: Sequence[GroupId]) -> dict[GroupId, ChannelProfile]:
        """Those of the channels that exist."""
        cursor = self._channels.find({"_id": {"$in": list(channel_ids)}})
        found = [_to_extras(document) for document in await cursor.to_list(None)]
        return {extras.channel_id: extras for extras in found}

    async def touch(self, channel_id: GroupId, tx: Tx) -> bool:
        """Write the channel without a change that anyone sees, so that others who do conflict; whether it is there."""
        result = await self._channels.update_one(
            {"_id": channel_id}, {"$inc": {"touched": 1}}, session=tx.session
        )
        return result.matched_count == 1

    def lookup_profile(self, channel_id: GroupId) -> BatchedQuery[dict[str, object] | None]:
        """What the channel's profile has beyond its group, JSON-ready; None where it is no channel."""
        return BatchedQuery(self._channels, {"_id": channel_id}, _to_profile)

    async def list_badges(self, limit: int) -> list[tuple[GroupId, bool]]:
        """Up to `limit` channels that still have a badge here, where it stood once, and whether they were verified."""
        cursor = self._channels.find({"verified": {"$exists": True}}, {"verified": 1}).limit(limit)
        return [(row["_id"], row["verified"]) for row in await cursor.to_list(None)]

    async def drop_badge(self, channel_id: GroupId, tx: Tx) -> None:
        """Forget the badge that stood here."""
        await self._channels.update_one(
            {"_id": channel_id}, {"$unset": {"verified": ""}}, session=tx.session
        )

    async def insert(self, extras: ChannelProfile, tx: Tx) -> None:
        """Add a channel."""
        document = extras.model_dump(mode="python")
        document["_id"] = document.pop("channel_id")
        await self._channels.insert_one(document, session=tx.session)

    async def update(self, channel_id: GroupId, values: Document, tx: Tx) -> None:
        """Set fields by their model names."""
        await self._channels.update_one({"_id": channel_id}, {"$set": values}, session=tx.session)

    async def delete(self, channel_id: GroupId, tx: Tx) -> bool:
        """Remove the channel; whether it was there."""
        result = await self._channels.delete_one({"_id": channel_id}, session=tx.session)
        return result.deleted_count == 1

    async def count(self, more: int, limit: int, tx: Tx) -> bool:
        """Count so many channels more, or fewer; False, and nothing counted, when that would pass the limit."""
        row = await self._counters.find_one(_COUNTER, session=tx.session)
        if more > 0 and (row["count"] if row else 0) + more > limit:
            return False
        # Read and written in one transaction: two creations at the limit conflict, and one runs again and is refused.
        await self._counters.update_one(
            _COUNTER, {"$inc": {"count": more}}, upsert=True, session=tx.session
        )
        return True


def _to_profile(rows: list[Document]) -> dict[str, object] | None:
    if not rows:
        return None
    extras = _to_extras(rows[0])
    return {
        "organization": extras.organization,
        "custom_data": extras.custom_data,
        "created_at": rfc3339(extras.created_at),
    }


def _to_extras(document: Document) -> ChannelProfile:
    document["channel_id"] = document.pop("_id")
    return ChannelProfile.from_stored(document)
