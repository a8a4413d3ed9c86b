"""The questions to `threads` and `inbox_totals`, and the write of the repair."""

from collections.abc import AsyncIterator
from typing import Final

from conversations.models import InboxUnread
from groups.audit.joins import Stage, look_up, union
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, join_key
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import INBOX_PREFIX

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)
_WITH_UNREAD: Final[list[Stage]] = [
    {"$set": {"stream_id": {"$concat": [INBOX_PREFIX, "$channel_id", PAIR_SEPARATOR, "$user_id"]}}},
    look_up("streams", "stream_id", "stream"),
    # A thread that is no thread, or was read behind its head, is told elsewhere; here it has nothing unread.
    {
        "$set": {
            "unread": {
                "$max": [
                    0,
                    {
                        "$subtract": [
                            {"$ifNull": [{"$first": "$stream.head_seq"}, 0]},
                            {"$ifNull": ["$read_seq", 0]},
                        ]
                    },
                ]
            }
        }
    },
    {
        "$group": {
            "_id": "$channel_id",
            "unread": {"$sum": "$unread"},
            "with_unread": {"$sum": {"$cond": [{"$gt": ["$unread", 0]}, 1, 0]}},
        }
    },
]
"""Stages that make one row a channel of its threads."""


class InboxAuditStore:
    """Reads all threads; writes the totals of one channel."""

    def __init__(self, database: Database) -> None:
        self._threads = database.collection("threads")
        self._totals = database.collection("inbox_totals")

    @staticmethod
    async def count_inboxes(snapshot: Snapshot) -> int:
        """How many channels have threads."""
        return await snapshot.count("threads", [{"$group": {"_id": "$channel_id"}}])

    @staticmethod
    def wrong_totals(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Channels whose totals are not those of their threads: `messages` and `threads`, `unread`, `with_unread`."""
        sums = ("messages", "threads", "unread", "with_unread")
        return snapshot.rows(
            "threads",
            [
                # Uses index: channel_id_1_active_ms_-1_user_id_1, or all of the collection, which is as fast.
                *_WITH_UNREAD,
                union(
                    "inbox_totals",
                    {"$project": {"_id": "$channel_id", "messages": 1, "threads": 1}},
                ),
                {"$group": {"_id": "$_id", **{name: {"$sum": f"${name}"} for name in sums}}},
                {
                    "$match": {
                        "$expr": {
                            "$or": [
                                {"$ne": ["$messages", "$unread"]},
                                {"$ne": ["$threads", "$with_unread"]},
                            ]
                        }
                    }
                },
                # Clearing away takes the threads one by one, and the totals last.
                look_up("disbanded", "_id", "ended"),
                {"$match": {"ended": []}},
            ],
        )

    async def count(self, channel_id: GroupId, tx: Tx) -> InboxUnread:
        """What the channel's threads make."""
        # Uses index: channel_id_1_active_ms_-1_user_id_1
        cursor = self._threads.aggregate(
            [{"$match": {"channel_id": channel_id}}, *_WITH_UNREAD], session=tx.session
        )
        rows = await cursor.to_list(None)
        return InboxUnread(rows[0]["unread"], rows[0]["with_unread"]) if rows else InboxUnread(0, 0)

    async def stored(self, channel_id: GroupId, tx: Tx) -> InboxUnread:
        """What the totals say."""
        cursor = self._totals.find({"_id": _shares_of(channel_id)}, session=tx.session)
        rows = await cursor.to_list(None)
        return InboxUnread(
            sum(row["messages"] for row in rows), sum(row["threads"] for row in rows)
        )

    async def put(self, channel_id: GroupId, unread: InboxUnread, tx: Tx) -> None:
        """Let the totals say this: all of it in one share, since only the sum means something.

        Who changes a thread meanwhile changes a share too: one that this writes, and then one of the two begins again;
        or one that it leaves as it was, and then the change is added to what was counted without it.
        """
        none = {"$set": {"messages": 0, "threads": 0}}
        await self._totals.update_many({"_id": _shares_of(channel_id)}, none, session=tx.session)
        await self._totals.update_one(
            {"_id": join_key(channel_id, 0)},
            {
                "$set": {
                    "messages": unread.messages,
                    "threads": unread.threads,
                    "channel_id": channel_id,
                }
            },
            upsert=True,
            session=tx.session,
        )


def _shares_of(channel_id: GroupId) -> Document:
    # Uses index: _id, where the shares of a channel stand together.
    return {"$gt": channel_id + SEPARATOR, "$lt": channel_id + _AFTER_SEPARATOR}
