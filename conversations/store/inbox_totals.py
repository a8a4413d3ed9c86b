"""Totals of channels' inboxes: how many messages are unread, in how many threads, in a few documents a channel.

Each change of a thread changes the document that its user falls to, in the same transaction; the sum of all is the
total, and one alone means nothing. So threads of one channel seldom meet, and reading costs the same however many
there are.
"""

import zlib
from typing import Final

from conversations.models import InboxUnread
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Database, Index, Tx

SHARES: Final = 64
"""Of one channel: so many threads may change at once without meeting."""


def share_of(user_id: UserId) -> int:
    """Which share of a channel's totals the user's thread is counted in."""
    return zlib.crc32(user_id.encode()) % SHARES


class InboxTotalStore:
    """The collection `inbox_totals`."""

    INDEXES = (Index("inbox_totals", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._totals = database.collection("inbox_totals")

    async def read(self, channel_id: GroupId) -> InboxUnread:
        """The channel's totals."""
        # One command, so one moment: what a transaction moves from one share to another is never seen twice.
        cursor = self._totals.find({"_id": {"$in": _keys_of(channel_id)}})
        rows = await cursor.to_list(None)
        return InboxUnread(
            sum(row["messages"] for row in rows), sum(row["threads"] for row in rows)
        )

    async def add(
        self, channel_id: GroupId, user_id: UserId, before: int, after: int, tx: Tx
    ) -> None:
        """Count that the user's thread has `after` unread messages where it had `before`."""
        if after == before:
            return
        more = {"messages": after - before, "threads": (after > 0) - (before > 0)}
        await self._totals.update_one(
            {"_id": join_key(channel_id, share_of(user_id))},
            {"$inc": more, "$setOnInsert": {"channel_id": channel_id}},
            upsert=True,
            session=tx.session,
        )

    async def delete(self, channel_id: GroupId, tx: Tx) -> None:
        """Remove the totals of a channel that is gone."""
        await self._totals.delete_many({"_id": {"$in": _keys_of(channel_id)}}, session=tx.session)


def _keys_of(channel_id: GroupId) -> list[str]:
    return [join_key(channel_id, number) for number in range(SHARES)]
