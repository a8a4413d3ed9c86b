"""Reads a channel's documents in the order of an export, in one snapshot.

Every method yields as it reads, so an export of any size takes the same memory.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import Document
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import message_key, stream_of

_BEHIND: Final = chr(ord(SEPARATOR) + 1)
CHUNK: Final = 500


class ChannelRows:
    """The documents of one channel."""

    def __init__(self, snapshot: Snapshot, channel_id: GroupId) -> None:
        self._snapshot = snapshot
        self._channel_id = channel_id

    async def find_one(self, collection: str, key: str) -> Document | None:
        """The document with this `_id`."""
        rows = self._snapshot.rows(collection, [{"$match": {"_id": key}}])
        return await anext(rows, None)

    def of_key(self, collection: str) -> AsyncIterator[Document]:
        """The documents whose `_id` is the channel and more, in the order of `_id`."""
        start = self._channel_id + SEPARATOR
        of_channel: Document = {"_id": {"$gt": start, "$lt": self._channel_id + _BEHIND}}
        return self._snapshot.rows(collection, [{"$match": of_channel}, {"$sort": {"_id": 1}}])

    async def members(
        self,
    ) -> AsyncIterator[tuple[Document, Document | None, Document | None]]:
        """The members by user id, each with their settings of the channel, and their tags."""
        start = self._channel_id + SEPARATOR
        pipeline: list[Document] = [
            {
                "$match": {
                    "_id": {"$gt": start, "$lt": self._channel_id + _BEHIND},
                    "group_id": self._channel_id,
                }
            },
            {"$sort": {"_id": 1}},
        ]
        chunk: list[Document] = []
        async for row in self._snapshot.rows("members", pipeline):
            chunk.append(row)
            if len(chunk) == CHUNK:
                for found in await self._with_settings(chunk):
                    yield found
                chunk = []
        for found in await self._with_settings(chunk):
            yield found

    async def _with_settings(
        self, members: Sequence[Document]
    ) -> list[tuple[Document, Document | None, Document | None]]:
        stream_id = stream_of(self._channel_id)
        keys = [join_key(row["user_id"], stream_id) for row in members]
        wanted: Document = {"_id": {"$in": keys}}
        fields: Document = {"$project": {"user_id": 1, "read_seq": 1}}
        found: dict[UserId, Document] = {}
        if keys:
            async for row in self._snapshot.rows("conversations", [{"$match": wanted}, fields]):
                found[row["user_id"]] = row
        tags = await self._tags_of(members)
        return [(row, found.get(row["user_id"]), tags.get(row["user_id"])) for row in members]

    async def _tags_of(self, members: Sequence[Document]) -> dict[UserId, Document]:
        keys = [row["_id"] for row in members]
        wanted: Document = {"$match": {"_id": {"$in": keys}, "channel_id": self._channel_id}}
        found: dict[UserId, Document] = {}
        if keys:
            async for row in self._snapshot.rows("subscriber_tags", [wanted]):
                found[row["user_id"]] = row
        return found

    async def messages(
        self, stream_id: StreamId, *, after: int = 0
    ) -> AsyncIterator[tuple[Document, Document | None]]:
        """The messages of a stream behind the seq `after`, in their order; each with its tally, if it has one."""
        # Uses index: stream_id_1_seq_1
        wanted: Document = {"stream_id": stream_id, "seq": {"$gt": after}}
        pipeline: list[Document] = [{"$match": wanted}, {"$sort": {"seq": 1}}]
        chunk: list[Document] = []
        async for row in self._snapshot.rows("messages", pipeline):
            chunk.append(row)
            if len(chunk) == CHUNK:
                for pair in await self._with_tallies(chunk):
                    yield pair
                chunk = []
        for pair in await self._with_tallies(chunk):
            yield pair

    async def _with_tallies(
        self, messages: Sequence[Document]
    ) -> list[tuple[Document, Document | None]]:
        keys = [message_key(row["stream_id"], row["seq"]) for row in messages]
        tallies: dict[str, Document] = {}
        if keys:
            fields: Document = {"$project": {"reminded_at": 1}}
            wanted: list[Document] = [{"$match": {"_id": {"$in": keys}}}, fields]
            async for row in self._snapshot.rows("tallies", wanted):
                tallies[row["_id"]] = row
        return [(row, tallies.get(key)) for row, key in zip(messages, keys, strict=True)]

    def reactions(self, message_id: str) -> AsyncIterator[Document]:
        """The reactions on a message, and all that is stored like them, by user and then by their text."""
        # Uses index: message_id_1_user_id_1_emoji_1
        order: Document = {"$sort": {"user_id": 1, "emoji": 1}}
        return self._snapshot.rows("reactions", [{"$match": {"message_id": message_id}}, order])

    async def media_ids(self) -> AsyncIterator[str]:
        """The uploads that posts, comments and drafts use, each perhaps several times; in no order."""
        # Uses index: stream_id_1_seq_1
        has_media: Document = {"content.media.0": {"$exists": True}}
        fields: Document = {"$project": {"content.media.media_id": 1}}
        streams: list[Document] = [{"stream_id": stream_of(self._channel_id), **has_media}]
        async for row in self._snapshot.rows(
            "comment_streams", [{"$match": {"channel_id": self._channel_id}}]
        ):
            streams.append({"stream_id": row["_id"], **has_media})
            if len(streams) == CHUNK:
                async for media_id in self._media_in("messages", {"$or": streams}, fields):
                    yield media_id
                streams = []
        if streams:
            async for media_id in self._media_in("messages", {"$or": streams}, fields):
                yield media_id
        # Uses index: channel_id_1_is_scheduled_1_order_at_1_created_at_1_draft_id_1
        async for media_id in self._media_in("drafts", {"channel_id": self._channel_id}, fields):
            yield media_id

    async def _media_in(
        self, collection: str, wanted: Document, fields: Document
    ) -> AsyncIterator[str]:
        async for row in self._snapshot.rows(collection, [{"$match": wanted}, fields]):
            for upload in (row.get("content") or {}).get("media", ()):
                yield upload["media_id"]


def settings_read_seq(settings: dict[str, Any] | None) -> int:
    """How far the settings say that their user has read."""
    return int(settings.get("read_seq") or 0) if settings is not None else 0
