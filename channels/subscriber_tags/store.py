"""Documents of tags.

`subscriber_tags`: `_id` is `channel<US>user`; subscribers without tags have none. `joined_ms` is the time of the
subscription, in milliseconds since 1970: after leaving and coming back, the old document has no meaning, even before it
is deleted.

`subscriber_tag_counts`: one document a channel, with the tags in use and the number of documents that have each. Every
change of tags in the channel writes it, so two changes conflict, and the limit of different tags is exact.
"""

from collections.abc import Collection, Iterable, Mapping

from pymongo import DeleteOne, UpdateOne

from channels.subscriber_tags.models import TagRow
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx


class SubscriberTagStore:
    """The collections `subscriber_tags` and `subscriber_tag_counts`."""

    INDEXES = (
        Index(
            "subscriber_tags",
            [("channel_id", 1), ("user_id", 1)],
            "the tagged subscribers of a channel, by id",
        ),
        Index(
            "subscriber_tags",
            [("channel_id", 1), ("tags", 1), ("user_id", 1)],
            "the subscribers of a channel that have a tag, by id",
        ),
        Index("subscriber_tags", [("user_id", 1)], "the tags of one user, in all channels"),
        Index("subscriber_tag_counts", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._tags = database.collection("subscriber_tags")
        self._counts = database.collection("subscriber_tag_counts")

    async def find_rows(
        self, channel_id: GroupId, user_ids: Collection[UserId], tx: Tx | None = None
    ) -> dict[UserId, TagRow]:
        """The rows of these users, also those of an earlier subscription of theirs."""
        if not user_ids:
            return {}
        keys = [join_key(channel_id, user_id) for user_id in user_ids]
        cursor = self._tags.find(
            {"_id": {"$in": keys}, "channel_id": channel_id},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        return {row.user_id: row for row in map(_to_row, await cursor.to_list(None))}

    async def list_with(
        self, channel_id: GroupId, tag: str, *, after: str, limit: int
    ) -> list[TagRow]:
        """Rows that have the tag, by user id, behind `after`."""
        # Uses index: channel_id_1_tags_1_user_id_1
        wanted: Document = {"channel_id": channel_id, "tags": tag, "user_id": {"$gt": after}}
        cursor = self._tags.find(wanted, sort=[("user_id", 1)], limit=limit)
        return [_to_row(row) for row in await cursor.to_list(None)]

    async def list_all(
        self, channel_id: GroupId, *, after: str, limit: int, tx: Tx | None = None
    ) -> list[TagRow]:
        """Rows of the channel, by user id, behind `after`."""
        # Uses index: channel_id_1_user_id_1
        wanted: Document = {"channel_id": channel_id, "user_id": {"$gt": after}}
        session = tx.session if tx else None
        cursor = self._tags.find(wanted, sort=[("user_id", 1)], limit=limit, session=session)
        return [_to_row(row) for row in await cursor.to_list(None)]

    def put_rows(self, channel_id: GroupId, rows: Iterable[TagRow], tx: Tx) -> None:
        """Store these rows in place of those before; one without tags is deleted. Collected (`Tx.write`)."""
        tx.write(
            self._tags,
            *(
                UpdateOne(
                    _key(channel_id, row.user_id),
                    {
                        "$set": {
                            "user_id": row.user_id,
                            "tags": list(row.tags),
                            "joined_ms": row.joined_ms,
                        }
                    },
                    upsert=True,
                )
                if row.tags
                else DeleteOne(_key(channel_id, row.user_id))
                for row in rows
            ),
        )

    async def find_counts(self, channel_id: GroupId, tx: Tx | None = None) -> dict[str, int]:
        """How many rows have each tag that is in use."""
        row = await self._counts.find_one({"_id": channel_id}, session=tx.session if tx else None)
        return {one["tag"]: one["n"] for one in row["counts"]} if row else {}

    async def put_counts(self, channel_id: GroupId, counts: Mapping[str, int], tx: Tx) -> None:
        """Store the counts; conflicts with all other calls of it for the channel, also if they do not change."""
        stored = [{"tag": tag, "n": n} for tag, n in sorted(counts.items())]
        await self._counts.update_one(
            {"_id": channel_id},
            {"$set": {"counts": stored}, "$inc": {"version": 1}},
            upsert=True,
            session=tx.session,
        )

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` rows of a deleted channel, and its counts. Returns how much there was."""
        counts = await self._counts.delete_one({"_id": channel_id}, session=tx.session)
        # Uses index: channel_id_1_user_id_1
        cursor = self._tags.find({"channel_id": channel_id}, {"user_id": 1}, session=tx.session)
        user_ids = [row["user_id"] for row in await cursor.limit(limit).to_list(None)]
        if user_ids:
            await self._tags.delete_many(
                {"channel_id": channel_id, "user_id": {"$in": user_ids}}, session=tx.session
            )
        return len(user_ids) + counts.deleted_count


def _key(channel_id: GroupId, user_id: UserId) -> Document:
    return {"_id": join_key(channel_id, user_id), "channel_id": channel_id}


def _to_row(row: Document) -> TagRow:
    return TagRow(UserId(row["user_id"]), tuple(row["tags"]), row["joined_ms"])
