"""The questions to one-to-one streams, their sides in users' lists and in `threads`, and the writes of the repairs."""

from collections.abc import AsyncIterator
from typing import Final

from conversations.models import AFTER_C2C_PREFIX, C2C_PREFIX, CHANNEL_SIGN
from groups.audit.joins import (
    IS_INBOX_STREAM,
    Stage,
    joined,
    look_up,
    merged,
    not_of_ended_channel,
    sides_of_inbox_stream,
    union,
)
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, join_key
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import INBOX_PREFIX

IS_C2C: Final = {"$gte": C2C_PREFIX, "$lt": AFTER_C2C_PREFIX}
"""A condition on a stream's or a conversation's id: it is one-to-one, between users as far as streams go."""


class DialogueAuditStore:
    """Reads both sides of dialogues; writes single facts into threads."""

    def __init__(self, database: Database) -> None:
        self._threads = database.collection("threads")

    @staticmethod
    async def count(snapshot: Snapshot) -> int:
        """How many one-to-one streams there are."""
        wanted: Stage = {"$match": {"$or": [{"_id": IS_C2C}, {"_id": IS_INBOX_STREAM}]}}
        return await snapshot.count("streams", [wanted])

    @staticmethod
    def crooked_sides(snapshot: Snapshot) -> AsyncIterator[Document]:
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
                merged("head", "held", "read", "hidden", "conversation_id"),
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
                merged("head", "read"),
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

    async def hold(self, channel_id: str, user_id: str, active_ms: int, tx: Tx) -> bool:
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

    async def lower(self, channel_id: str, user_id: str, head: int, tx: Tx) -> bool:
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

    async def delete(self, channel_id: str, user_id: str, tx: Tx) -> bool:
        """Delete the thread; whether it was there."""
        result = await self._threads.delete_one(
            {"_id": join_key(channel_id, user_id), "channel_id": channel_id}, session=tx.session
        )
        return result.deleted_count == 1


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
