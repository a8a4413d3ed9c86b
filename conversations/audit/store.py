"""The queries of the checks of conversations, each one aggregation, and the writes of their repairs."""

from collections.abc import AsyncIterator
from typing import Final

from conversations.models import AFTER_C2C_PREFIX, C2C_PREFIX, CHANNEL_SIGN, InboxUnread
from groups.audit.joins import (
    IS_GROUP_STREAM,
    IS_INBOX_STREAM,
    Stage,
    joined,
    look_up,
    merged,
    not_of_ended_channel,
    sides_of_inbox_stream,
    union,
    with_memberships,
    with_stream,
)
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, join_key
from groups.kernel.mongo import Database, Document, Tx, aggregate
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import INBOX_PREFIX

SLICE: Final = 100_000
"""Settings compared with memberships in one aggregation: few enough for the database to do it in memory. Measured with
a million: 10 s in slices, 19 s in one go, 37 s with a look-up for each."""


IS_C2C: Final = {"$gte": C2C_PREFIX, "$lt": AFTER_C2C_PREFIX}
"""A condition on an id: a one-to-one conversation, or a stream between two users."""
_BEGUN: Final = [{"read_seq": {"$exists": True}}, {"accept": {"$ne": False}}]
"""Conditions on settings of a dialogue. Those that only forbid a channel to begin one belong to no stream."""
_STREAM_OF_THREAD: Final[Stage] = {
    "$concat": [INBOX_PREFIX, "$channel_id", PAIR_SEPARATOR, "$user_id"]
}
_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)
_HEAD: Final[Stage] = {"$ifNull": [{"$first": "$stream.head_seq"}, 0]}
_WITH_UNREAD: Final[list[Stage]] = [
    {"$set": {"stream_id": _STREAM_OF_THREAD}},
    look_up("streams", "stream_id", "stream"),
    # Another check reports threads without stream or read past their head; here they have nothing unread.
    {"$set": {"unread": {"$max": [0, {"$subtract": [_HEAD, {"$ifNull": ["$read_seq", 0]}]}]}}},
    {
        "$group": {
            "_id": "$channel_id",
            "unread": {"$sum": "$unread"},
            "with_unread": {"$sum": {"$cond": [{"$gt": ["$unread", 0]}, 1, 0]}},
        }
    },
]
"""Stages that sum up the threads of each channel."""


class ConversationAuditStore:
    """Compares settings with memberships, heads and groups; dialogues with streams; inbox totals with threads."""

    def __init__(self, database: Database) -> None:
        self._conversations = database.collection("conversations")
        self._groups = database.collection("conversation_groups")
        self._threads = database.collection("threads")
        self._totals = database.collection("inbox_totals")
        self._tags = database.collection("inbox_tags")

    @staticmethod
    def conversations_past_head(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Conversations in which a user has read or hidden a seq past the head: id, `head`."""
        seqs = {"read": {"$max": "$read_seq"}, "hidden": {"$max": "$hidden_at_seq"}}
        is_past = {"$or": [{"$gt": ["$read", "$head"]}, {"$gt": ["$hidden", "$head"]}]}
        pipeline: list[Stage] = [
            {"$match": {"conversation_id": IS_GROUP_STREAM}},
            {"$group": {"_id": "$conversation_id", **seqs}},
            *with_stream(),
            # If the stream is missing, another check reports the missing membership or group.
            {"$unwind": "$stream"},
            {"$set": {"head": "$stream.head_seq"}},
            {"$match": {"$expr": is_past}},
            {"$project": {"head": 1}},
        ]
        return snapshot.rows("conversations", pipeline)

    @staticmethod
    def settings_past_head(
        snapshot: Snapshot, conversation_id: str, head: int
    ) -> AsyncIterator[Document]:
        # Scans the collection: the damage is rare, and an index for it would slow down every read.
        is_past: Stage = {"$or": [{"read_seq": {"$gt": head}}, {"hidden_at_seq": {"$gt": head}}]}
        pipeline: list[Stage] = [
            {"$match": {"conversation_id": conversation_id, **is_past}},
            {"$project": {"user_id": 1, "read_seq": 1, "hidden_at_seq": 1}},
        ]
        return snapshot.rows("conversations", pipeline)

    @staticmethod
    async def slice_end(snapshot: Snapshot, after: str) -> str | None:
        """Return the last user of the next slice after the user `after`; None if the rest is one slice."""
        # Uses index: user_id_1_conversation_id_1 (covered)
        pipeline: list[Stage] = [
            {"$match": {"user_id": {"$gt": after}}},
            {"$sort": {"user_id": 1}},
            {"$skip": SLICE},
            {"$limit": 1},
            {"$project": {"_id": 0, "user_id": 1}},
        ]
        async for row in snapshot.rows("conversations", pipeline):
            return str(row["user_id"])
        return None

    @staticmethod
    def without_membership(
        snapshot: Snapshot, after: str, until: str | None
    ) -> AsyncIterator[Document]:
        """Keys (user, conversation) of settings without a membership, of users after `after` up to `until`."""
        users: Document = {"$gt": after} if until is None else {"$gt": after, "$lte": until}
        key = joined("$user_id", "$conversation_id")
        pipeline: list[Stage] = [
            # Uses index: user_id_1_conversation_id_1 (covered)
            {"$match": {"user_id": users, "conversation_id": IS_GROUP_STREAM}},
            {"$project": {"_id": 0, "key": key, "settings": {"$literal": 1}}},
            with_memberships(users),
            {"$group": {"_id": "$key", "rows": {"$sum": 1}, "settings": {"$sum": "$settings"}}},
            {"$match": {"$expr": {"$eq": ["$rows", "$settings"]}}},
        ]
        return snapshot.rows("conversations", pipeline)

    @staticmethod
    def wrong_groups(snapshot: Snapshot, limit: int) -> AsyncIterator[Document]:
        """Conversation groups that settings name and that do not exist, or that hold more than the limit."""
        key: Stage = {"user_id": "$_id.u", "name": "$_id.n"}
        pipeline: list[Stage] = [
            {"$match": {"groups": {"$exists": True}}},
            {"$unwind": "$groups"},
            {"$group": {"_id": {"u": "$user_id", "n": "$groups"}, "held": {"$sum": 1}}},
            {"$set": {"key": joined("$_id.u", "$_id.n")}},
            look_up("conversation_groups", "key", "made"),
            {"$match": {"$or": [{"made": []}, {"held": {"$gt": limit}}]}},
            {"$project": {"_id": 0, **key, "held": 1, "exists": {"$ne": ["$made", []]}}},
        ]
        return snapshot.rows("conversations", pipeline)

    @staticmethod
    def users_beyond_limit(snapshot: Snapshot, limit: int) -> AsyncIterator[Document]:
        """Users with more conversation groups than the limit: id, `made`."""
        pipeline: list[Stage] = [
            {"$group": {"_id": "$user_id", "made": {"$sum": 1}}},
            {"$match": {"made": {"$gt": limit}}},
        ]
        return snapshot.rows("conversation_groups", pipeline)

    async def insert_missing(self, user_id: str, conversation_id: str, tx: Tx) -> bool:
        """Add the conversation for the user, unread. Returns False if it was there."""
        key = join_key(user_id, conversation_id)
        result = await self._conversations.update_one(
            {"_id": key, "user_id": user_id, "conversation_id": conversation_id},
            {"$max": {"read_seq": 0}},
            upsert=True,
            session=tx.session,
        )
        return result.upserted_id is not None

    async def lower_seqs(self, user_id: str, conversation_id: str, head: int, tx: Tx) -> bool:
        """Set seqs that are past the head to the head. Returns whether there were any."""
        key = join_key(user_id, conversation_id)
        changed = 0
        for field in ("read_seq", "hidden_at_seq"):
            past_head: Document = {"_id": key, "user_id": user_id, field: {"$gt": head}}
            result = await self._conversations.update_one(
                past_head, {"$set": {field: head}}, session=tx.session
            )
            changed += result.modified_count
        return bool(changed)

    async def delete_settings(self, user_id: str, conversation_id: str, tx: Tx) -> bool:
        """Delete the settings. Returns whether they existed."""
        query = {"_id": join_key(user_id, conversation_id), "user_id": user_id}
        result = await self._conversations.delete_one(query, session=tx.session)
        return result.deleted_count == 1

    async def group_exists(self, user_id: str, name: str, tx: Tx) -> bool:
        query = {"_id": join_key(user_id, name), "user_id": user_id}
        return await self._groups.find_one(query, session=tx.session) is not None

    async def remove_group(self, user_id: str, name: str, tx: Tx) -> int:
        """Remove all conversations from the user's conversation group. Returns how many there were."""
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        result = await self._conversations.update_many(
            {"user_id": user_id, "groups": name}, {"$pull": {"groups": name}}, session=tx.session
        )
        return result.modified_count

    @staticmethod
    async def count_dialogues(snapshot: Snapshot) -> int:
        wanted: Stage = {"$match": {"$or": [{"_id": IS_C2C}, {"_id": IS_INBOX_STREAM}]}}
        return await snapshot.count("streams", [wanted])

    @staticmethod
    def wrong_sides(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Users' sides of dialogues that do not match their streams: key (user, stream), `head`, `held`, `read`."""
        sides = {"$split": [{"$substrBytes": ["$_id", len(C2C_PREFIX), -1]}, PAIR_SEPARATOR]}
        user = {"$arrayElemAt": [sides_of_inbox_stream("$_id"), 1]}
        fits = {
            "$and": [
                {"$gt": ["$head", None]},
                {"$gt": ["$held", None]},
                {"$lte": ["$read", "$head"]},
                {"$lte": ["$hidden", "$head"]},
            ]
        }
        conversation: Stage = {
            "_id": joined("$user_id", _stream_of_dialogue()),
            "held": {"$literal": 1},
            "read": "$read_seq",
            "hidden": "$hidden_at_seq",
            "conversation_id": 1,
        }
        pipeline: list[Stage] = [
            {"$match": {"_id": IS_C2C}},
            # A union: a dialogue of a user with themselves has one side.
            {"$project": {"head": "$head_seq", "side": {"$setUnion": [sides, []]}}},
            {"$unwind": "$side"},
            {"$project": {"_id": joined("$side", "$_id"), "head": 1}},
            union(
                "streams",
                {"$match": {"_id": IS_INBOX_STREAM}},
                {"$project": {"_id": joined(user, "$_id"), "head": "$head_seq"}},
            ),
            union(
                "conversations",
                {"$match": {"conversation_id": IS_C2C, "$or": _BEGUN}},
                {"$project": conversation},
            ),
            merged("head", "held", "read", "hidden", "conversation_id"),
            {"$match": {"$expr": {"$not": [fits]}}},
            {"$set": {"stream_id": {"$arrayElemAt": [{"$split": ["$_id", SEPARATOR]}, 1]}}},
            *not_of_ended_channel("$stream_id"),
        ]
        return snapshot.rows("streams", pipeline)

    @staticmethod
    def wrong_threads(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Threads that do not match their stream or channel: `channel_id`, `user_id`, `head`, `read`."""
        sides = sides_of_inbox_stream("$_id")
        channel, user = {"$arrayElemAt": [sides, 0]}, {"$arrayElemAt": [sides, 1]}
        is_past = {"$expr": {"$gt": ["$read", "$head"]}}
        pipeline: list[Stage] = [
            {"$match": {"_id": IS_INBOX_STREAM}},
            {"$project": {"head": "$head_seq"}},
            union("threads", {"$project": {"_id": _STREAM_OF_THREAD, "read": "$read_seq"}}),
            merged("head", "read"),
            {"$set": {"channel_id": channel, "user_id": user}},
            look_up("channels", "channel_id", "channel"),
            {"$match": {"$or": [{"head": None}, {"read": None}, {"channel": []}, is_past]}},
            *not_of_ended_channel("$_id"),
        ]
        return snapshot.rows("streams", pipeline)

    async def insert_missing_thread(
        self, channel_id: str, user_id: str, active_ms: int, tx: Tx
    ) -> bool:
        """Add the thread, unread. Returns False if it was there."""
        key = join_key(channel_id, user_id)
        result = await self._threads.update_one(
            {"_id": key, "channel_id": channel_id, "user_id": user_id},
            {"$max": {"read_seq": 0, "active_ms": active_ms}},
            upsert=True,
            session=tx.session,
        )
        return result.upserted_id is not None

    async def lower_read_seq(self, channel_id: str, user_id: str, head: int, tx: Tx) -> bool:
        """Set the thread's cursor to the head if it is past it. Returns whether it was."""
        key = join_key(channel_id, user_id)
        result = await self._threads.update_one(
            {"_id": key, "channel_id": channel_id, "read_seq": {"$gt": head}},
            {"$set": {"read_seq": head}},
            session=tx.session,
        )
        return bool(result.modified_count)

    async def delete_thread(self, channel_id: str, user_id: str, tx: Tx) -> bool:
        """Delete the thread. Returns whether it existed."""
        result = await self._threads.delete_one(
            {"_id": join_key(channel_id, user_id), "channel_id": channel_id}, session=tx.session
        )
        return result.deleted_count == 1

    @staticmethod
    async def count_inboxes(snapshot: Snapshot) -> int:
        """Return the number of channels that have threads."""
        return await snapshot.count("threads", [{"$group": {"_id": "$channel_id"}}])

    @staticmethod
    def wrong_totals(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Channels whose totals `messages` and `threads` differ from `unread` and `with_unread` of their threads."""
        sums = ("messages", "threads", "unread", "with_unread")
        differ = [{"$ne": ["$messages", "$unread"]}, {"$ne": ["$threads", "$with_unread"]}]
        totals: Stage = {"$project": {"_id": "$channel_id", "messages": 1, "threads": 1}}
        pipeline: list[Stage] = [
            # Uses index: channel_id_1_active_ms_-1_user_id_1, or scans the collection, which is as fast.
            *_WITH_UNREAD,
            union("inbox_totals", totals),
            {"$group": {"_id": "$_id", **{name: {"$sum": f"${name}"} for name in sums}}},
            {"$match": {"$expr": {"$or": differ}}},
            # The cleanup of a deleted channel deletes the threads one by one, and the totals last.
            look_up("disbanded", "_id", "ended"),
            {"$match": {"ended": []}},
        ]
        return snapshot.rows("threads", pipeline)

    async def count_unread(self, channel_id: GroupId, tx: Tx) -> InboxUnread:
        """Compute the totals from the channel's threads."""
        # Uses index: channel_id_1_active_ms_-1_user_id_1
        pipeline = [{"$match": {"channel_id": channel_id}}, *_WITH_UNREAD]
        rows = await aggregate(self._threads, pipeline, session=tx.session)
        return InboxUnread(rows[0]["unread"], rows[0]["with_unread"]) if rows else InboxUnread(0, 0)

    async def find_totals(self, channel_id: GroupId, tx: Tx) -> InboxUnread:
        cursor = self._totals.find({"_id": _range_of(channel_id)}, session=tx.session)
        rows = await cursor.to_list(None)
        return InboxUnread(
            sum(row["messages"] for row in rows), sum(row["threads"] for row in rows)
        )

    async def put_totals(self, channel_id: GroupId, unread: InboxUnread, tx: Tx) -> None:
        """Store the totals: all in the first document, since only the sum has a meaning.

        A concurrent change of a thread also changes one of the documents. If this writes the same document, one of the
        two runs again; otherwise the change is added to a count that did not include it.
        """
        none = {"$set": {"messages": 0, "threads": 0}}
        await self._totals.update_many({"_id": _range_of(channel_id)}, none, session=tx.session)
        await self._totals.update_one(
            {"_id": join_key(channel_id, 0)},
            {"$set": {**unread._asdict(), "channel_id": channel_id}},
            upsert=True,
            session=tx.session,
        )

    @staticmethod
    def wrong_tags(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Channels whose `listed` tags are not those that their threads have, `used`."""
        pipeline: list[Stage] = [
            {"$project": {"_id": 1, "listed": "$tags"}},
            union(
                "threads",
                {"$match": {"tags.0": {"$exists": True}}},
                {"$unwind": "$tags"},
                {"$group": {"_id": "$channel_id", "used": {"$addToSet": "$tags"}}},
            ),
            merged("listed", "used"),
            {
                "$set": {
                    "listed": {"$ifNull": ["$listed", []]},
                    "used": {"$ifNull": ["$used", []]},
                }
            },
            {"$match": {"$expr": {"$not": [{"$setEquals": ["$listed", "$used"]}]}}},
            # The cleanup of a deleted channel deletes the threads one by one, and the tags last.
            look_up("disbanded", "_id", "ended"),
            {"$match": {"ended": []}},
        ]
        return snapshot.rows("inbox_tags", pipeline)

    async def tags_of_threads(self, channel_id: GroupId, tx: Tx) -> list[str]:
        """The tags that threads of the channel have, in the order of their code points."""
        # Uses index: channel_id_1_active_ms_-1_user_id_1
        pipeline: list[Stage] = [
            {"$match": {"channel_id": channel_id, "tags.0": {"$exists": True}}},
            {"$unwind": "$tags"},
            {"$group": {"_id": "$tags"}},
        ]
        rows = await aggregate(self._threads, pipeline, session=tx.session)
        return sorted(row["_id"] for row in rows)

    async def find_tags(self, channel_id: GroupId, tx: Tx) -> list[str]:
        """The tags that are listed as in use, in the order of their code points."""
        row = await self._tags.find_one({"_id": channel_id}, session=tx.session)
        return sorted(row["tags"]) if row else []

    async def put_tags(self, channel_id: GroupId, tags: list[str], tx: Tx) -> None:
        """List these tags as in use. The version makes it conflict with each change of a thread's tags."""
        change = {"$set": {"tags": tags}, "$inc": {"version": 1}}
        await self._tags.update_one({"_id": channel_id}, change, upsert=True, session=tx.session)


def _range_of(channel_id: GroupId) -> Document:
    # Uses index: _id, in which the documents of a channel are adjacent.
    return {"$gt": channel_id + SEPARATOR, "$lt": channel_id + _AFTER_SEPARATOR}


def _stream_of_dialogue() -> Stage:
    """Return the expression for the stream of a one-to-one conversation (see `conversations.models.Dialogue`)."""
    user, peer = "$user_id", {"$substrBytes": ["$conversation_id", len(C2C_PREFIX), -1]}
    is_channel = {"$eq": [{"$indexOfBytes": [peer, CHANNEL_SIGN]}, 0]}
    with_channel = {"$concat": [INBOX_PREFIX, peer, PAIR_SEPARATOR, user]}
    in_order = {"$lt": [user, peer]}
    first, second = {"$cond": [in_order, user, peer]}, {"$cond": [in_order, peer, user]}
    with_user = {"$concat": [C2C_PREFIX, first, PAIR_SEPARATOR, second]}
    return {"$cond": [is_channel, with_channel, with_user]}
