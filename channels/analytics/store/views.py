"""View documents: `_id` is the message's key; salt, sketch and count, some 4,200 bytes at most, however many saw it.

A document is inserted in a transaction that writes its message too, so that none is made for a message that is being
cleared away; later changes only ever update, so they make none.
"""

from collections.abc import Collection, Mapping
from typing import Final

from pymongo import UpdateOne

from channels.analytics.hyperloglog import HyperLogLog
from channels.analytics.models import PostViews
from groups.kernel.ids import SEPARATOR, StreamId
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx
from groups.models import message_key

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)


class ViewStore:
    """The collection `views`."""

    INDEXES = (Index("views", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._views = database.collection("views")

    async def find_many(
        self, stream_id: StreamId, seqs: Collection[int], tx: Tx
    ) -> dict[int, PostViews]:
        """What is kept of those of the posts that somebody saw."""
        seq_of = {message_key(stream_id, seq): seq for seq in seqs}
        cursor = self._views.find(
            {"_id": {"$in": list(seq_of)}}, session=tx.session, batch_size=ONE_REPLY
        )
        return {seq_of[row["_id"]]: _to_views(row) for row in await cursor.to_list(None)}

    async def insert_many(
        self, stream_id: StreamId, views: Mapping[int, PostViews], tx: Tx
    ) -> None:
        """Add what is kept of posts of which nothing was."""
        if views:
            documents: list[Document] = [
                {"_id": message_key(stream_id, seq), "salt": kept.salt, **_values(kept)}
                for seq, kept in views.items()
            ]
            await self._views.insert_many(documents, session=tx.session)

    async def replace_many(
        self, stream_id: StreamId, views: Mapping[int, PostViews], tx: Tx
    ) -> None:
        """Store what changed; what is not there any more stays away."""
        operations = [
            UpdateOne({"_id": message_key(stream_id, seq)}, {"$set": _values(kept)})
            for seq, kept in views.items()
        ]
        await self._database.apply(self._views, operations, tx)

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` documents of an ended stream; how many there were."""
        # Uses index: _id, where all keys of a stream stand together; across shards, since it runs once a stream.
        whole: Document = {"$gt": stream_id + SEPARATOR, "$lt": stream_id + _AFTER_SEPARATOR}
        cursor = self._views.find({"_id": whole}, {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.sort([("_id", 1)]).limit(limit).to_list(None)]
        if keys:
            step: Document = {"$gte": keys[0], "$lte": keys[-1]}
            await self._views.delete_many({"_id": step}, session=tx.session)
        return len(keys)


def _values(views: PostViews) -> Document:
    return {
        "sketch": views.sketch.to_bytes(),
        "is_exact": views.sketch.is_exact,
        "count": views.count,
    }


def _to_views(row: Document) -> PostViews:
    sketch = HyperLogLog.from_bytes(row["sketch"], is_exact=row["is_exact"])
    return PostViews(row["salt"], sketch, row["count"])
