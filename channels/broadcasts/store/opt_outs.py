"""Users who want no broadcasts of a channel: `_id` is `channel<US>user`. Leaving the channel keeps the document."""

from collections.abc import Collection
from datetime import datetime

from pymongo import DeleteOne, UpdateOne

from channels.broadcasts.models import OptOut
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx


class OptOutStore:
    """The collection `broadcast_opt_outs`."""

    INDEXES = (
        Index(
            "broadcast_opt_outs",
            [("channel_id", 1)],
            "the opt-outs of a deleted channel",
        ),
        Index("broadcast_opt_outs", [("user_id", 1)], "the opt-outs of one user"),
    )

    def __init__(self, database: Database) -> None:
        self._opt_outs = database.collection("broadcast_opt_outs")

    async def find(self, channel_id: GroupId, user_id: UserId) -> OptOut | None:
        """The opt-out of the user, if they want no broadcasts."""
        row = await self._opt_outs.find_one(_key(channel_id, user_id))
        return OptOut(channel_id, user_id, row["since"]) if row else None

    def query_among(
        self, channel_id: GroupId, user_ids: Collection[UserId]
    ) -> BatchedQuery[frozenset[UserId]]:
        """Those of the users who want no broadcasts of the channel, as a query to send together with others."""
        keys = [join_key(channel_id, user_id) for user_id in user_ids]
        return BatchedQuery(
            self._opt_outs,
            {"_id": {"$in": keys}, "channel_id": channel_id},
            lambda rows: frozenset(UserId(row["user_id"]) for row in rows),
            {"$project": {"_id": 0, "user_id": 1}},
        )

    def put(self, channel_id: GroupId, user_id: UserId, since: datetime, tx: Tx) -> None:
        """Store that the user wants no broadcasts; the first time stays. Collected (`Tx.write`)."""
        first: Document = {"user_id": user_id, "since": since}
        tx.write(
            self._opt_outs,
            UpdateOne(_key(channel_id, user_id), {"$setOnInsert": first}, upsert=True),
        )

    def delete(self, channel_id: GroupId, user_id: UserId, tx: Tx) -> None:
        """Store that the user wants broadcasts again. Collected (`Tx.write`)."""
        tx.write(self._opt_outs, DeleteOne(_key(channel_id, user_id)))

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` opt-outs of a deleted channel. Returns how many there were."""
        # Uses index: channel_id_1
        cursor = self._opt_outs.find({"channel_id": channel_id}, {"_id": 1}, session=tx.session)
        ids = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
        if ids:
            await self._opt_outs.delete_many(
                {"channel_id": channel_id, "_id": {"$in": ids}}, session=tx.session
            )
        return len(ids)


def _key(channel_id: GroupId, user_id: UserId) -> Document:
    return {"_id": join_key(channel_id, user_id), "channel_id": channel_id}
