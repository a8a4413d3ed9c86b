"""Users whom broadcasts did not reach: `_id` is `broadcast<US>user`. They expire by themselves, at `expires_at`."""

from collections.abc import Iterable
from datetime import datetime

from pymongo import InsertOne

from channels.broadcasts.models import NotReached, Reason
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx


class NotReachedStore:
    """The collection `broadcast_not_reached`."""

    INDEXES = (
        Index(
            "broadcast_not_reached",
            [("channel_id", 1), ("broadcast_id", 1), ("user_id", 1)],
            "whom a broadcast did not reach, by user id",
        ),
        Index("broadcast_not_reached", [("user_id", 1)], "what is stored of one user"),
        Index(
            "broadcast_not_reached",
            [("expires_at", 1)],
            "the TTL that deletes reports",
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._rows = database.collection("broadcast_not_reached")

    def insert_many(
        self,
        channel_id: GroupId,
        broadcast_id: str,
        rows: Iterable[NotReached],
        expires_at: datetime,
        tx: Tx,
    ) -> None:
        """Add these users, with the other writes of the transaction."""
        tx.write(
            self._rows,
            *(
                InsertOne(
                    {
                        "_id": join_key(broadcast_id, row.user_id),
                        "channel_id": channel_id,
                        "broadcast_id": broadcast_id,
                        "user_id": row.user_id,
                        "reason": row.reason.value,
                        "expires_at": expires_at,
                    }
                )
                for row in rows
            ),
        )

    async def list_after(
        self, channel_id: GroupId, broadcast_id: str, *, after: str, limit: int
    ) -> list[NotReached]:
        """Users whom the broadcast did not reach, by id, behind `after`."""
        # Uses index: channel_id_1_broadcast_id_1_user_id_1
        wanted: Document = {
            "channel_id": channel_id,
            "broadcast_id": broadcast_id,
            "user_id": {"$gt": after},
        }
        cursor = self._rows.find(wanted, sort=[("user_id", 1)], limit=limit)
        return [
            NotReached(UserId(row["user_id"]), Reason(row["reason"]))
            for row in await cursor.to_list(None)
        ]

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` rows of a deleted channel. Returns how many there were."""
        # Uses index: channel_id_1_broadcast_id_1_user_id_1
        cursor = self._rows.find({"channel_id": channel_id}, {"_id": 1}, session=tx.session)
        ids = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
        if ids:
            await self._rows.delete_many(
                {"channel_id": channel_id, "_id": {"$in": ids}}, session=tx.session
            )
        return len(ids)
