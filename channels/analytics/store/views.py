"""View documents: `_id` is the message's key; salt, sketch and count. At most about 4,200 bytes, however many viewers.

A document is inserted in a transaction that also writes the message, so none is created for a message that is being
deleted. Later changes only update existing documents.
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
        seq_of = {message_key(stream_id, seq): seq for seq in seqs}
        cursor = self._views.find(
            {"_id": {"$in": list(seq_of)}}, session=tx.session, batch_size=ONE_REPLY
        )
        return {seq_of[row["_id"]]: _to_views(row) for row in await cursor.to_list(None)}

    async def insert_many(
        self, stream_id: StreamId, views: Mapping[int, PostViews], tx: Tx
    ) -> None:
        if views:
            documents: list[Document] = [
                {"_id": message_key(stream_id, seq), "salt": kept.salt, **_values(kept)}
                for seq, kept in views.items()
            ]
            await self._views.insert_many(documents, session=tx.session)

    async def replace_many(
        self, stream_id: StreamId, views: Mapping[int, PostViews], tx: Tx
    ) -> None:
        """Store changed views; deleted ones are not created again."""
        operations = [
            UpdateOne({"_id": message_key(stream_id, seq)}, {"$set": _values(kept)})
            for seq, kept in views.items()
        ]
        await self._database.apply(self._views, operations, tx)

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` documents of a deleted stream. Returns how many there were."""
        # Uses index: _id, in which the keys of a stream are adjacent. It asks all shards, once for each stream.
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
