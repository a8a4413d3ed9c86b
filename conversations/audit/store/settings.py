"""The questions to `conversations` and `conversation_groups`, each an aggregation, and the writes of the repairs."""

from collections.abc import AsyncIterator
from typing import Final

from groups.audit.joins import (
    IS_GROUP_STREAM,
    Stage,
    joined,
    look_up,
    with_memberships,
    with_stream,
)
from groups.kernel.ids import join_key
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot

SLICE: Final = 100_000
"""Overlays compared with memberships at once: few enough for the database to do it in memory. Measured with a million:
10 s in slices, 19 s at once, 37 s with a look-up for each."""


class SettingsAuditStore:
    """Reads what all users set; writes single facts."""

    def __init__(self, database: Database) -> None:
        self._overlays = database.collection("conversations")
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
                with_memberships(users),
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
