"""The questions to `conversations` and `conversation_groups`, each an aggregation, and the writes of the repairs."""

from collections.abc import AsyncIterator
from typing import Final

from conversations.models import AFTER_C2C_PREFIX, C2C_PREFIX, CHANNEL_SIGN
from groups.audit.joins import (
    IS_GROUP_STREAM,
    IS_INBOX_STREAM,
    Stage,
    joined,
    look_up,
    not_of_ended_channel,
    sides_of_inbox_stream,
    union,
    with_seats,
    with_stream,
)
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, join_key
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import INBOX_PREFIX

SLICE: Final = 100_000
"""Overlays compared with memberships at once: few enough for the database to do it in memory. Measured with a million:
10 s in slices, 19 s at once, 37 s with a look-up for each."""


IS_C2C: Final = {"$gte": C2C_PREFIX, "$lt": AFTER_C2C_PREFIX}
"""A condition on a stream's or a conversation's id: it is one-to-one, between users as far as streams go."""


class ConversationAuditStore:
    """Reads what all users set; writes single facts."""

    def __init__(self, database: Database) -> None:
        self._overlays = database.collection("conversations")
        self._threads = database.collection("threads")
        self._groups = database.collection("conversation_groups")

    @staticmethod
    def read_beyond_head(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Conversations in which someone read, or hid, what was never said: with the `head`."""
        return snapshot.rows(
            "conversations",
            [
                {"$match": {"conversation_id": IS_GROUP_STREAM}},
                {
                    "$group": {
                        "_id": "$conversation_id",
                        "read": {"$max": "$read_seq"},
                        "hidden": {"$max": "$hidden_at_seq"},
                    }
                },
                *with_stream(),
                # Where there is no stream, the missing membership or group is told elsewhere.
                {"$unwind": "$stream"},
                {"$set": {"head": "$stream.head_seq"}},
                {
                    "$match": {
                        "$expr": {
                            "$or": [
                                {"$gt": ["$read", "$head"]},
                                {"$gt": ["$hidden", "$head"]},
                            ]
                        }
                    }
                },
                {"$project": {"head": 1}},
            ],
        )

    @staticmethod
    def overlays_beyond(
        snapshot: Snapshot, conversation_id: str, head: int
    ) -> AsyncIterator[Document]:
        """What users set on the conversation with a seq behind the head."""
        # All of the collection: the damage is rare, an index for it would cost every read.
        behind: Document = {"$gt": head}
        return snapshot.rows(
            "conversations",
            [
                {
                    "$match": {
                        "conversation_id": conversation_id,
                        "$or": [{"read_seq": behind}, {"hidden_at_seq": behind}],
                    }
                },
                {"$project": {"user_id": 1, "read_seq": 1, "hidden_at_seq": 1}},
            ],
        )

    @staticmethod
    async def slice_end(snapshot: Snapshot, after: str) -> str | None:
        """The last user of the next slice behind the user `after`; None: the rest is one slice."""
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
    def without_seat(snapshot: Snapshot, after: str, until: str | None) -> AsyncIterator[Document]:
        """Keys (user, conversation) of overlays without membership, of users from behind `after` to `until`."""
        users: Document = {"$gt": after} if until is None else {"$gt": after, "$lte": until}
        return snapshot.rows(
            "conversations",
            [
                # Uses index: user_id_1_conversation_id_1 (covered)
                {"$match": {"user_id": users, "conversation_id": IS_GROUP_STREAM}},
                {
                    "$project": {
                        "_id": 0,
                        "key": joined("$user_id", "$conversation_id"),
                        "overlay": {"$literal": 1},
                    }
                },
                with_seats(users),
                {"$group": {"_id": "$key", "rows": {"$sum": 1}, "overlays": {"$sum": "$overlay"}}},
                {"$match": {"$expr": {"$eq": ["$rows", "$overlays"]}}},
            ],
        )

    @staticmethod
    def crooked_groups(snapshot: Snapshot, limit: int) -> AsyncIterator[Document]:
        """Conversation groups that overlays name and nobody made, or that hold more than the limit: user, `held`."""
        return snapshot.rows(
            "conversations",
            [
                {"$match": {"groups": {"$exists": True}}},
                {"$unwind": "$groups"},
                {"$group": {"_id": {"u": "$user_id", "n": "$groups"}, "held": {"$sum": 1}}},
                {"$set": {"key": joined("$_id.u", "$_id.n")}},
                look_up("conversation_groups", "key", "made"),
                {"$match": {"$or": [{"made": []}, {"held": {"$gt": limit}}]}},
                {
                    "$project": {
                        "_id": 0,
                        "user_id": "$_id.u",
                        "name": "$_id.n",
                        "held": 1,
                        "exists": {"$ne": ["$made", []]},
                    }
                },
            ],
        )

    @staticmethod
    def users_beyond_limit(snapshot: Snapshot, limit: int) -> AsyncIterator[Document]:
        """Users who made more conversation groups than they may: how many."""
        return snapshot.rows(
            "conversation_groups",
            [
                {"$group": {"_id": "$user_id", "made": {"$sum": 1}}},
                {"$match": {"made": {"$gt": limit}}},
            ],
        )

    # --- dialogues ------------------------------------------------------------------------------------------------

    @staticmethod
    async def count_dialogues(snapshot: Snapshot) -> int:
        """How many one-to-one streams there are."""
        wanted: Stage = {"$match": {"$or": [{"_id": IS_C2C}, {"_id": IS_INBOX_STREAM}]}}
        return await snapshot.number("streams", [wanted])

    @staticmethod
    def crooked_dialogues(snapshot: Snapshot) -> AsyncIterator[Document]:
        """A user's side of a dialogue that does not fit its stream: key (user, stream), `head`, `held`, `read`."""
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
        return snapshot.rows(
            "streams",
            [
                {"$match": {"_id": IS_C2C}},
                # Once, where a user talks with himself.
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
                    {"$match": {"conversation_id": IS_C2C}},
                    {
                        "$project": {
                            "_id": joined("$user_id", _stream_of_dialogue()),
                            "held": {"$literal": 1},
                            "read": "$read_seq",
                            "hidden": "$hidden_at_seq",
                            "conversation_id": 1,
                        }
                    },
                ),
                {
                    "$group": {
                        "_id": "$_id",
                        **{
                            name: {"$max": f"${name}"}
                            for name in ("head", "held", "read", "hidden", "conversation_id")
                        },
                    }
                },
                {"$match": {"$expr": {"$not": [fits]}}},
                {"$set": {"stream_id": {"$arrayElemAt": [{"$split": ["$_id", SEPARATOR]}, 1]}}},
                *not_of_ended_channel("$stream_id"),
            ],
        )

    @staticmethod
    def crooked_threads(snapshot: Snapshot) -> AsyncIterator[Document]:
        """A channel's side that does not fit its stream or its channel: `channel_id`, `user_id`, `head`, `read`."""
        sides = sides_of_inbox_stream("$_id")
        return snapshot.rows(
            "streams",
            [
                {"$match": {"_id": IS_INBOX_STREAM}},
                {"$project": {"head": "$head_seq"}},
                union(
                    "threads",
                    {
                        "$project": {
                            "_id": {
                                "$concat": [
                                    INBOX_PREFIX,
                                    "$channel_id",
                                    PAIR_SEPARATOR,
                                    "$user_id",
                                ]
                            },
                            "read": "$read_seq",
                        }
                    },
                ),
                {
                    "$group": {
                        "_id": "$_id",
                        "head": {"$max": "$head"},
                        "read": {"$max": "$read"},
                    }
                },
                {
                    "$set": {
                        "channel_id": {"$arrayElemAt": [sides, 0]},
                        "user_id": {"$arrayElemAt": [sides, 1]},
                    }
                },
                look_up("channels", "channel_id", "channel"),
                {
                    "$match": {
                        "$or": [
                            {"head": None},
                            {"read": None},
                            {"channel": []},
                            {"$expr": {"$gt": ["$read", "$head"]}},
                        ]
                    }
                },
                *not_of_ended_channel("$_id"),
            ],
        )

    async def hold(self, user_id: str, conversation_id: str, tx: Tx) -> bool:
        """Give the user the conversation, with all of it unread; whether he had none."""
        result = await self._overlays.update_one(
            {
                "_id": join_key(user_id, conversation_id),
                "user_id": user_id,
                "conversation_id": conversation_id,
            },
            {"$max": {"read_seq": 0}},
            upsert=True,
            session=tx.session,
        )
        return result.upserted_id is not None

    async def hold_thread(self, channel_id: str, user_id: str, active_ms: int, tx: Tx) -> bool:
        """Give the channel the thread, with all of it unread; whether it had none."""
        result = await self._threads.update_one(
            {
                "_id": join_key(channel_id, user_id),
                "channel_id": channel_id,
                "user_id": user_id,
            },
            {"$max": {"read_seq": 0, "active_ms": active_ms}},
            upsert=True,
            session=tx.session,
        )
        return result.upserted_id is not None

    async def lower_thread(self, channel_id: str, user_id: str, head: int, tx: Tx) -> bool:
        """Let the thread's cursor be no further than the head; whether it was."""
        result = await self._threads.update_one(
            {
                "_id": join_key(channel_id, user_id),
                "channel_id": channel_id,
                "read_seq": {"$gt": head},
            },
            {"$set": {"read_seq": head}},
            session=tx.session,
        )
        return bool(result.modified_count)

    async def delete_thread(self, channel_id: str, user_id: str, tx: Tx) -> bool:
        """Delete the thread; whether it was there."""
        result = await self._threads.delete_one(
            {"_id": join_key(channel_id, user_id), "channel_id": channel_id}, session=tx.session
        )
        return result.deleted_count == 1

    async def lower(self, key: str, user_id: str, head: int, tx: Tx) -> bool:
        """Let the overlay say nothing behind the head; whether it did."""
        behind: Document = {"$gt": head}
        changed = 0
        for field in ("read_seq", "hidden_at_seq"):
            result = await self._overlays.update_one(
                {"_id": key, "user_id": user_id, field: behind},
                {"$set": {field: head}},
                session=tx.session,
            )
            changed += result.modified_count
        return bool(changed)

    async def delete(self, key: str, user_id: str, tx: Tx) -> bool:
        """Delete the overlay; whether it was there."""
        result = await self._overlays.delete_one(
            {"_id": key, "user_id": user_id}, session=tx.session
        )
        return result.deleted_count == 1

    async def group_exists(self, key: str, user_id: str, tx: Tx) -> bool:
        """Whether the user made this conversation group."""
        query = {"_id": key, "user_id": user_id}
        return await self._groups.find_one(query, session=tx.session) is not None

    async def drop_name(self, user_id: str, name: str, tx: Tx) -> int:
        """Have no conversation of the user be in the conversation group; how many were."""
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        result = await self._overlays.update_many(
            {"user_id": user_id, "groups": name}, {"$pull": {"groups": name}}, session=tx.session
        )
        return result.modified_count


def _stream_of_dialogue() -> Stage:
    """The expression of the stream of a one-to-one conversation (see `conversations.models.Dialogue`)."""
    user, peer = "$user_id", {"$substrBytes": ["$conversation_id", len(C2C_PREFIX), -1]}
    in_order = {"$lt": [user, peer]}
    return {
        "$cond": [
            {"$eq": [{"$indexOfBytes": [peer, CHANNEL_SIGN]}, 0]},
            {"$concat": [INBOX_PREFIX, peer, PAIR_SEPARATOR, user]},
            {
                "$concat": [
                    C2C_PREFIX,
                    {"$cond": [in_order, user, peer]},
                    PAIR_SEPARATOR,
                    {"$cond": [in_order, peer, user]},
                ]
            },
        ]
    }
