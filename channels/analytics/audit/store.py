"""The queries of the checks of analytics, each one aggregation, and the writes of their repairs."""

from collections.abc import AsyncIterator, Collection
from typing import Final

from channels.analytics.events import DayCounted
from channels.analytics.models import MUTED_SHARES, Part
from groups.audit.joins import (
    IS_GROUP_STREAM,
    group_of_stream,
    look_up,
    union,
    with_group,
    without_message,
)
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import DESCENDING, Database, Document, Tx, aggregate
from groups.kernel.mongo.outbox import OUTBOX
from groups.kernel.mongo.snapshot import Snapshot
from groups.kernel.mongo.uncounted import waiting_counts
from groups.models import stream_of

_MEMBERS: Final = Part.MEMBERS.value


class AnalyticsAuditStore:
    """Compares views, days and muted counts with posts, members and settings."""

    def __init__(self, database: Database) -> None:
        self._views = database.collection("views")
        self._days = database.collection("insights")
        self._messages = database.collection("messages")
        self._conversations = database.collection("conversations")

    @staticmethod
    def views_without_message(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Views of messages that do not exist: id, `stream` (none or one)."""
        return snapshot.rows("views", [{"$project": {"_id": 1}}, *without_message()])

    @staticmethod
    def outdated_posts(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Messages that show fewer views than are counted: id, `count`."""
        return snapshot.rows(
            "views",
            [
                {"$project": {"count": 1}},
                look_up("messages", "_id", "message"),
                {"$unwind": "$message"},
                {
                    "$match": {
                        "message.recalled_at": None,
                        "$expr": {"$lt": [{"$ifNull": ["$message.views", 0]}, "$count"]},
                    }
                },
                {"$project": {"count": 1}},
            ],
        )

    async def find_shown(self, message_ids: Collection[str]) -> dict[str, int]:
        cursor = self._messages.find({"_id": {"$in": list(message_ids)}}, {"views": 1})
        return {row["_id"]: row.get("views", 0) for row in await cursor.to_list(None)}

    async def find_count(self, message_id: str, tx: Tx) -> int:
        row = await self._views.find_one({"_id": message_id}, {"count": 1}, session=tx.session)
        return int(row["count"]) if row else 0

    async def delete_views(self, message_id: str, tx: Tx) -> bool:
        result = await self._views.delete_one({"_id": message_id}, session=tx.session)
        return result.deleted_count == 1

    @staticmethod
    def waiting_subscribers(snapshot: Snapshot) -> AsyncIterator[Document]:
        """The numbers of subscribers that wait to be added up: `channel_id`, `subscribers`; the newest of each last."""
        has_number: Document = {"$match": {"subscribers": {"$ne": None}}}
        return snapshot.rows(OUTBOX, [*waiting_counts(DayCounted), has_number])

    @staticmethod
    def wrong_subscribers(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Channels whose last day ends with another number than their members: id, `day`, `counted`, `members`."""
        of_channel = {"$and": [{"$eq": ["$channel_id", "$$id"]}, {"$eq": ["$part", _MEMBERS]}]}
        last: list[Document] = [
            {"$match": {"$expr": of_channel}},
            {"$sort": {"day": DESCENDING}},
            {"$limit": 1},
        ]
        return snapshot.rows(
            "channels",
            [
                {"$project": {"_id": 1}},
                *with_group(),
                {"$unwind": "$group"},
                {
                    "$lookup": {
                        "from": "insights",
                        "let": {"id": "$_id"},
                        "pipeline": last,
                        "as": "last",
                    }
                },
                {"$unwind": "$last"},
                {
                    "$project": {
                        "day": "$last.day",
                        "counted": "$last.subscribers",
                        "members": "$group.member_count",
                    }
                },
                {"$match": {"$expr": {"$ne": ["$counted", "$members"]}}},
            ],
        )

    async def put_subscribers(self, channel_id: GroupId, members: int, tx: Tx) -> int | None:
        """Set the subscribers at the end of the last day. Returns the number before; None if there is no day."""
        # A concurrent batch that writes this day conflicts; one that begins a new day counts by itself.
        row = await self._days.find_one_and_update(
            {"channel_id": channel_id, "part": _MEMBERS},
            {"$set": {"subscribers": members}},
            sort=[("day", DESCENDING)],
            session=tx.session,
        )
        return int(row["subscribers"]) if row else None

    @staticmethod
    def wrong_muted(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Groups whose stored number of muted members is wrong: id, `counted`, `muted`."""
        muted_settings: list[Document] = [
            {"$match": {"muted": True, "conversation_id": IS_GROUP_STREAM}},
            {"$project": {"_id": group_of_stream("$conversation_id"), "muted": {"$literal": 1}}},
        ]
        return snapshot.rows(
            "insights",
            [
                {"$match": {"muted": {"$exists": True}}},
                {"$project": {"_id": "$channel_id", "counted": "$muted"}},
                union("conversations", *muted_settings),
                {
                    "$group": {
                        "_id": "$_id",
                        "counted": {"$sum": "$counted"},
                        "muted": {"$sum": "$muted"},
                    }
                },
                {"$match": {"$expr": {"$ne": ["$counted", "$muted"]}}},
                # A deleted group's data is deleted step by step.
                *with_group(),
                {"$match": {"group": {"$ne": []}}},
                {"$unset": "group"},
            ],
        )

    async def recount_muted(self, group_id: GroupId, tx: Tx) -> tuple[int, int]:
        """Recount the members who have muted the group. Returns the numbers before and after."""
        keys = [join_key(group_id, "muted", share) for share in range(MUTED_SHARES)]
        cursor = self._days.find({"_id": {"$in": keys}}, {"muted": 1}, session=tx.session)
        before = sum(row["muted"] for row in await cursor.to_list(None))
        # Writes all of them: a concurrent change of a mute writes one of them, so one of the two runs again.
        for share, key in enumerate(keys):
            await self._days.update_one(
                {"_id": key, "channel_id": group_id},
                {"$inc": {"muted": 0, "version": 1}},
                upsert=share == 0,
                session=tx.session,
            )
        rows = await aggregate(
            self._conversations,
            [
                {"$match": {"conversation_id": stream_of(group_id), "muted": True}},
                {"$group": {"_id": None, "n": {"$sum": 1}}},
            ],
            session=tx.session,
        )
        after = sum(row["n"] for row in rows)
        await self._days.update_one(
            {"_id": keys[0], "channel_id": group_id},
            {"$inc": {"muted": after - before}},
            session=tx.session,
        )
        return before, after
