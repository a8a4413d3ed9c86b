"""Channel documents: `_id` is the channel id. Fields of the group's document are not repeated.

`counters` holds the number of channels of the deployment; the transaction that creates or deletes one changes it.
"""

from collections.abc import Collection, Sequence
from typing import Final

from channels.models import ChannelProfile
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx

_COUNTER: Document = {"_id": "channels"}
_KEPT_BYTES: Final = 2 * 2**20  # of memory: some thousand channels
_PROFILE_BYTES: Final = 1_000
"""The size of a profile without texts; the texts count twice, besides the document."""


class ChannelStore:
    """The collections `channels` and `counters`."""

    INDEXES = (
        Index("channels", [], "found by _id only"),
        Index("counters", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._channels = database.collection("channels")
        self._counters = database.collection("counters")
        self._profiles = database.decoded_cache(
            "channels",
            _to_profile,
            max_bytes=_KEPT_BYTES,
            size_of=lambda raw, _: 3 * len(raw) + _PROFILE_BYTES,
            ignored_fields=("touched",),
        )

    async def find_profile(
        self, channel_id: GroupId, tx: Tx | None = None
    ) -> ChannelProfile | None:
        document = await self._channels.find_one(
            {"_id": channel_id}, session=tx.session if tx else None
        )
        return _to_profile(document) if document else None

    async def find_profiles(self, channel_ids: Sequence[GroupId]) -> dict[GroupId, ChannelProfile]:
        cursor = self._channels.find({"_id": {"$in": list(channel_ids)}})
        found = [_to_profile(document) for document in await cursor.to_list(None)]
        return {profile.channel_id: profile for profile in found}

    def query_profiles(
        self, channel_ids: Sequence[GroupId]
    ) -> BatchedQuery[dict[GroupId, ChannelProfile]]:
        """As `find_profiles`, as a query to send together with others; an unchanged profile is the same object."""
        return BatchedQuery(
            self._channels,
            {"_id": {"$in": list(channel_ids)}},
            lambda profiles: {profile.channel_id: profile for profile in profiles},
            cache=self._profiles,
        )

    async def touch(self, channel_id: GroupId, tx: Tx) -> bool:
        """Write to the document without a visible change, so that writers conflict. Returns False if there is none."""
        result = await self._channels.update_one(
            {"_id": channel_id}, {"$inc": {"touched": 1}}, session=tx.session
        )
        return result.matched_count == 1

    def query_event_fields(
        self, channel_ids: Collection[GroupId]
    ) -> BatchedQuery[dict[GroupId, dict[str, object]]]:
        """The profile fields that the groups lack, as JSON values, of those that are channels."""
        return BatchedQuery(
            self._channels,
            {"_id": {"$in": list(channel_ids)}},
            lambda profiles: {profile.channel_id: _event_fields(profile) for profile in profiles},
            cache=self._profiles,
        )

    async def list_badges(self, limit: int) -> list[tuple[GroupId, bool]]:
        """Up to `limit` channels that still have a badge here, as older versions stored it, and whether it was set."""
        cursor = self._channels.find({"verified": {"$exists": True}}, {"verified": 1}).limit(limit)
        return [(row["_id"], row["verified"]) for row in await cursor.to_list(None)]

    async def drop_badge(self, channel_id: GroupId, tx: Tx) -> None:
        await self._channels.update_one(
            {"_id": channel_id}, {"$unset": {"verified": ""}}, session=tx.session
        )

    async def insert(self, profile: ChannelProfile, tx: Tx) -> None:
        document = profile.model_dump(mode="python")
        document["_id"] = document.pop("channel_id")
        await self._channels.insert_one(document, session=tx.session)

    async def update_profile(self, channel_id: GroupId, values: Document, tx: Tx) -> None:
        await self._channels.update_one({"_id": channel_id}, {"$set": values}, session=tx.session)

    async def delete(self, channel_id: GroupId, tx: Tx) -> bool:
        result = await self._channels.delete_one({"_id": channel_id}, session=tx.session)
        return result.deleted_count == 1

    async def count(self, more: int, limit: int, tx: Tx) -> bool:
        """Add `more` to the number of channels. Returns False and changes nothing when that would exceed the limit."""
        row = await self._counters.find_one(_COUNTER, session=tx.session)
        if more > 0 and (row["count"] if row else 0) + more > limit:
            return False
        # Read and written in one transaction: of two creations at the limit, one conflicts, runs again and is refused.
        await self._counters.update_one(
            _COUNTER, {"$inc": {"count": more}}, upsert=True, session=tx.session
        )
        return True

    async def recount(self, tx: Tx) -> tuple[int, int]:
        """Set the counter to the number of documents. Returns the counts before and after."""
        row = await self._counters.find_one(_COUNTER, session=tx.session)
        # The limit of channels bounds the result.
        documents = await self._channels.find({}, {"_id": 1}, session=tx.session).to_list(None)
        before, after = row["count"] if row else 0, len(documents)
        if before != after:
            # Creating or deleting a channel writes the counter too, so one of the two runs again.
            await self._counters.update_one(
                _COUNTER, {"$set": {"count": after}}, upsert=True, session=tx.session
            )
        return before, after


def _event_fields(profile: ChannelProfile) -> dict[str, object]:
    return {
        "organization": profile.organization,
        "custom_data": profile.custom_data,
        "created_at": rfc3339(profile.created_at),
    }


def _to_profile(document: Document) -> ChannelProfile:
    document["channel_id"] = document.pop("_id")
    return ChannelProfile.from_stored(document)
