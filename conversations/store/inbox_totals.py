"""Totals of channels' inboxes: how many messages are unread, in how many threads, in `SHARES` documents a channel.

A change of a thread also changes the document that the user's id hashes to, in the same transaction. Only the sum over
all documents of a channel has a meaning. So changes of different threads seldom conflict, and reading costs the same
for any number of threads.
"""

import zlib
from collections.abc import Mapping
from typing import Final

from pymongo import UpdateOne

from conversations.models import InboxUnread
from conversations.store.threads import ThreadKey
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Database, Index, Tx

SHARES: Final = 64
"""Documents of one channel: about so many threads can change at once without a conflict."""


def share_of(user_id: UserId) -> int:
    """Return which document of a channel's totals counts the user's thread."""
    return zlib.crc32(user_id.encode()) % SHARES


class InboxTotalStore:
    """The collection `inbox_totals`."""

    INDEXES = (Index("inbox_totals", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._totals = database.collection("inbox_totals")

    async def find_totals(self, channel_id: GroupId) -> InboxUnread:
        # One command reads one moment: what a transaction moves between documents is never counted twice.
        cursor = self._totals.find({"_id": {"$in": _keys_of(channel_id)}})
        rows = await cursor.to_list(None)
        return InboxUnread(
            sum(row["messages"] for row in rows), sum(row["threads"] for row in rows)
        )

    async def add(
        self, channel_id: GroupId, user_id: UserId, before: int, after: int, tx: Tx
    ) -> None:
        """Record that the unread messages of the user's thread changed from `before` to `after`."""
        await self._database.apply(
            self._totals, _added({(channel_id, user_id): (before, after)}), tx
        )

    def add_all(self, changes: Mapping[ThreadKey, tuple[int, int]], tx: Tx) -> None:
        """Do as `add` does, for several threads, with the other writes of the transaction."""
        tx.write(self._totals, *_added(changes))

    async def delete(self, channel_id: GroupId, tx: Tx) -> None:
        await self._totals.delete_many({"_id": {"$in": _keys_of(channel_id)}}, session=tx.session)


def _added(changes: Mapping[ThreadKey, tuple[int, int]]) -> list[UpdateOne]:
    return [
        UpdateOne(
            {"_id": join_key(channel_id, share_of(user_id))},
            {
                "$inc": {"messages": after - before, "threads": (after > 0) - (before > 0)},
                "$setOnInsert": {"channel_id": channel_id},
            },
            upsert=True,
        )
        for (channel_id, user_id), (before, after) in changes.items()
        if after != before
    ]


def _keys_of(channel_id: GroupId) -> list[str]:
    return [join_key(channel_id, number) for number in range(SHARES)]
