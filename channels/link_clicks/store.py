"""The clicks of links, in the collection `link_clicks`; `_id` is `message<US>key of the link`.

Salt, sketch and count are those of `channels.analytics.models.PostViews`: at most about 4,200 bytes, however many users
clicked. A document is inserted in a transaction that also writes the message, so none is created for a message that is
being deleted. Later changes only update existing documents.
"""

from collections.abc import Collection, Mapping
from typing import Final

from pymongo import UpdateOne

from channels.analytics.hyperloglog import HyperLogLog
from channels.analytics.models import PostViews
from groups.kernel.ids import SEPARATOR, StreamId
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)


class ClickStore:
    """The collection `link_clicks`."""

    INDEXES = (Index("link_clicks", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._clicks = database.collection("link_clicks")

    def query_clicks(self, keys: Collection[str]) -> BatchedQuery[dict[str, PostViews]]:
        """The clicks of these links, by key, as a query to send together with others."""
        return BatchedQuery(
            self._clicks,
            {"_id": {"$in": list(keys)}},
            lambda rows: {row["_id"]: _to_clicks(row) for row in rows},
        )

    async def find_counts(self, keys: Collection[str]) -> dict[str, int]:
        """How many clicked on these links, by key; links on which nobody did are absent."""
        if not keys:
            return {}
        cursor = self._clicks.find({"_id": {"$in": list(keys)}}, {"count": 1})
        return {row["_id"]: row["count"] for row in await cursor.to_list(None)}

    def put(self, new: Mapping[str, PostViews], changed: Mapping[str, PostViews], tx: Tx) -> None:
        """Store first and changed clicks, by key, with the other writes of the transaction.

        Changed ones that are deleted meanwhile are not created again.
        """
        first = (
            UpdateOne({"_id": key}, {"$set": {"salt": kept.salt, **_values(kept)}}, upsert=True)
            for key, kept in new.items()
        )
        further = (
            UpdateOne({"_id": key}, {"$set": _values(kept)}) for key, kept in changed.items()
        )
        tx.write(self._clicks, *first, *further)

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` documents of a deleted stream. Returns how many there were."""
        # Uses index: _id, in which the keys of a stream are adjacent. It asks all shards, once for each stream.
        whole: Document = {"$gt": stream_id + SEPARATOR, "$lt": stream_id + _AFTER_SEPARATOR}
        cursor = self._clicks.find({"_id": whole}, {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.sort([("_id", 1)]).limit(limit).to_list(None)]
        if keys:
            step: Document = {"$gte": keys[0], "$lte": keys[-1]}
            await self._clicks.delete_many({"_id": step}, session=tx.session)
        return len(keys)

    async def delete_of(self, message_ids: Collection[str], tx: Tx) -> None:
        """Delete the clicks of all links of these messages, which end in this transaction."""
        if not message_ids:
            return
        # Uses index: _id, in which the keys of a message are adjacent.
        of_messages: list[Document] = [
            {"_id": {"$gt": key + SEPARATOR, "$lt": key + _AFTER_SEPARATOR}} for key in message_ids
        ]
        await self._clicks.delete_many({"$or": of_messages}, session=tx.session)

    async def delete(self, key: str, tx: Tx) -> bool:
        """Delete the clicks of one link (repairs)."""
        result = await self._clicks.delete_one({"_id": key}, session=tx.session)
        return result.deleted_count == 1


def _values(clicks: PostViews) -> Document:
    return {
        "sketch": clicks.sketch.to_bytes(),
        "is_exact": clicks.sketch.is_exact,
        "count": clicks.count,
    }


def _to_clicks(row: Document) -> PostViews:
    sketch = HyperLogLog.from_bytes(row["sketch"], is_exact=row["is_exact"])
    return PostViews(row["salt"], sketch, row["count"])
