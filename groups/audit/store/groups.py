"""The queries of the checks of groups and members, each one aggregation, and the writes of their repairs."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

from groups.audit.joins import (
    IS_GROUP_STREAM,
    Stage,
    group_of_stream,
    joined,
    merged,
    union,
)
from groups.kernel.ids import SEPARATOR, GroupId
from groups.kernel.mongo import Database, Document, Tx, aggregate
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import CHANNEL_MARKER

STEP: Final = 1_000  # documents a transaction: short enough not to hold others up
HAS_MARKING: Final[Document] = {"marking.by": {"$exists": True}}
"""The filter of the partial index on markings."""
_OF_NO_GROUP: Final = re.compile("^" + SEPARATOR)
_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)


class GroupAuditStore:
    """Reads groups and their documents; writes single facts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups = database.collection("groups")
        self._disbanded = database.collection("disbanded")
        self._members = database.collection("members")

    @staticmethod
    def crooked_groups(snapshot: Snapshot, limits: Mapping[str, int]) -> AsyncIterator[Document]:
        """Groups with a wrong count, owner, limit, stream or marker, and members and streams without a group."""
        count = {"$ifNull": ["$members", 0]}
        of_type = {
            "$switch": {
                "branches": [
                    {"case": {"$eq": ["$type", name]}, "then": limit}
                    for name, limit in limits.items()
                ],
                "default": 0,
            }
        }
        fits = {
            "$and": [
                {"$eq": ["$group", 1]},
                {"$eq": ["$stream", 1]},
                {"$eq": ["$counted", count]},
                {"$lte": [count, {"$min": ["$limit", "$of_type"]}]},
                {"$eq": ["$flagged", "$marked"]},
                {
                    "$cond": [
                        {"$eq": [{"$ifNull": ["$owner", None]}, None]},
                        {
                            "$and": [
                                {"$eq": [{"$ifNull": ["$owners", 0]}, 0]},
                                {"$eq": ["$type", "work"]},
                            ]
                        },
                        {"$and": [{"$eq": ["$owners", 1]}, {"$eq": ["$owner", "$owning"]}]},
                    ]
                },
            ]
        }
        of_group = ("group", "counted", "owner", "type", "limit", "of_type", "marked")
        of_others = ("members", "owners", "owning", "stream", "flagged", "disbanded")
        return snapshot.rows(
            "groups",
            [
                {
                    "$project": {
                        "group": {"$literal": 1},
                        "counted": "$member_count",
                        "owner": "$owner_id",
                        "type": 1,
                        "limit": "$member_limit",
                        "of_type": of_type,
                        "marked": _is_there(f"$custom.{CHANNEL_MARKER}"),
                    }
                },
                # Grouped before the union: that way the database counts a million in half a second.
                union("members", {"$group": {"_id": "$group_id", "members": {"$sum": 1}}}),
                union(
                    "members",
                    {"$match": {"role": "owner"}},
                    {
                        "$group": {
                            "_id": "$group_id",
                            "owners": {"$sum": 1},
                            "owning": {"$max": "$user_id"},
                        }
                    },
                ),
                union(
                    "streams",
                    {"$match": {"_id": IS_GROUP_STREAM}},
                    {
                        "$project": {
                            "_id": group_of_stream("$_id"),
                            "stream": {"$literal": 1},
                            "flagged": "$is_channel",
                        }
                    },
                ),
                union("disbanded", {"$project": {"disbanded": {"$literal": 1}}}),
                merged(*of_group, *of_others),
                {"$match": {"disbanded": None, "$expr": {"$not": [fits]}}},
            ],
        )

    @staticmethod
    def crooked_members(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Member records whose key or `staff` flag contradicts their other fields."""
        fields: Stage = {"$project": {"group_id": 1, "user_id": 1, "role": 1, "staff": 1}}
        key = joined("$group_id", "$user_id")
        return snapshot.rows(
            "members",
            [
                {"$match": {"$expr": {"$ne": ["$_id", key]}}},
                fields,
                {"$set": {"misfiled": True}},
                union(
                    "members",
                    {
                        "$match": {
                            "$or": [
                                {"role": "member", "staff": {"$exists": True}},
                                {"role": {"$ne": "member"}, "staff": {"$ne": True}},
                            ]
                        }
                    },
                    fields,
                ),
            ],
        )

    @staticmethod
    def joined_beyond_head(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Groups with a member who joined after the head: id, `joined` and `head`."""
        return snapshot.rows(
            "members",
            [
                {"$group": {"_id": "$group_id", "joined": {"$max": "$joined_seq"}}},
                union(
                    "streams",
                    {"$match": {"_id": IS_GROUP_STREAM}},
                    {"$project": {"_id": group_of_stream("$_id"), "head": "$head_seq"}},
                ),
                merged("joined", "head"),
                # Another check reports missing streams.
                {"$match": {"head": {"$ne": None}, "$expr": {"$gt": ["$joined", "$head"]}}},
            ],
        )

    @staticmethod
    def marked_beyond_head(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Groups that became channels at a seq after the head: id, `marked` and `head`."""
        return snapshot.rows(
            "groups",
            [
                {"$match": HAS_MARKING},
                {"$project": {"marked": "$marking.head_seq"}},
                union(
                    "streams",
                    {"$match": {"_id": IS_GROUP_STREAM}},
                    {"$project": {"_id": group_of_stream("$_id"), "head": "$head_seq"}},
                ),
                merged("marked", "head"),
                {"$match": {"head": {"$ne": None}, "$expr": {"$gt": ["$marked", "$head"]}}},
            ],
        )

    @staticmethod
    def rows_of_no_group(snapshot: Snapshot, collection: str) -> AsyncIterator[Document]:
        """The ids of missing groups that have documents in the collection, with the number of these."""
        return snapshot.rows(
            collection,
            [
                # What is the application's own stands under keys that no group can have.
                {"$match": {"group_id": {"$not": _OF_NO_GROUP}}},
                {"$group": {"_id": "$group_id", "rows": {"$sum": 1}}},
                union("groups", {"$project": {"known": {"$literal": 1}}}),
                union("disbanded", {"$project": {"known": {"$literal": 1}}}),
                merged("rows", "known"),
                {"$match": {"known": None, "rows": {"$gt": 0}}},
            ],
        )

    async def is_known(self, group_id: GroupId, tx: Tx) -> bool:
        """Whether the group exists, or its remains still do."""
        for collection in (self._groups, self._disbanded):
            if await collection.find_one({"_id": group_id}, {"_id": 1}, session=tx.session):
                return True
        return False

    async def find_group(self, group_id: GroupId, tx: Tx) -> Document | None:
        return await self._groups.find_one({"_id": group_id}, session=tx.session)

    async def recount(self, group_id: GroupId, tx: Tx) -> int:
        """Set `member_count` to the number of member records, and return it."""
        # Written before the count: joins and leaves wait for this transaction and do not make it run again.
        await self._groups.update_one(
            {"_id": group_id}, {"$inc": {"member_count": 1}}, session=tx.session
        )
        keys: Document = {"$gt": group_id + SEPARATOR, "$lt": group_id + _AFTER_SEPARATOR}
        rows = await aggregate(
            self._members,
            [
                {"$match": {"_id": keys, "group_id": group_id}},
                {"$group": {"_id": None, "n": {"$sum": 1}}},
            ],
            session=tx.session,
        )
        count = int(rows[0]["n"]) if rows else 0
        await self._groups.update_one(
            {"_id": group_id}, {"$set": {"member_count": count}}, session=tx.session
        )
        return count

    async def delete_members(self, group_id: GroupId, tx: Tx) -> int:
        """Delete some of the group's member records; returns how many."""
        # Uses index: _id, whose order is group, then user.
        keys: Document = {"$gt": group_id + SEPARATOR, "$lt": group_id + _AFTER_SEPARATOR}
        cursor = self._members.find(
            {"_id": keys, "group_id": group_id}, {"_id": 1}, session=tx.session
        ).limit(STEP)
        found = [row["_id"] for row in await cursor.to_list(None)]
        if found:
            await self._members.delete_many(
                {"_id": {"$in": found}, "group_id": group_id}, session=tx.session
            )
        return len(found)

    async def lower_joined(self, group_id: GroupId, head: int, tx: Tx) -> int:
        """Set a `joined_seq` after the head to the head; returns for how many members."""
        keys: Document = {"$gt": group_id + SEPARATOR, "$lt": group_id + _AFTER_SEPARATOR}
        result = await self._members.update_many(
            {"_id": keys, "group_id": group_id, "joined_seq": {"$gt": head}},
            {"$set": {"joined_seq": head}},
            session=tx.session,
        )
        return result.modified_count

    async def lower_marking(self, group_id: GroupId, head: int, tx: Tx) -> bool:
        """Set the seq at which a group became a channel to the head, where it is after it; returns whether it was."""
        result = await self._groups.update_one(
            {"_id": group_id, "marking.head_seq": {"$gt": head}},
            {"$set": {"marking.head_seq": head}},
            session=tx.session,
        )
        return result.modified_count == 1

    async def repair_staff(self, member_key: str, tx: Tx) -> bool:
        """Set or remove the `staff` flag as the role requires; returns whether it was wrong."""
        plain: Document = {"_id": member_key, "role": "member", "staff": {"$exists": True}}
        staff: Document = {
            "_id": member_key,
            "role": {"$ne": "member"},
            "staff": {"$ne": True},
        }
        dropped = await self._members.update_one(
            plain, {"$unset": {"staff": ""}}, session=tx.session
        )
        added = await self._members.update_one(staff, {"$set": {"staff": True}}, session=tx.session)
        return bool(dropped.modified_count or added.modified_count)

    async def delete_some(self, collection: str, group_id: GroupId, tx: Tx) -> int:
        """Delete some of the group's documents in the collection; returns how many."""
        of = self._database.collection(collection)
        cursor = of.find({"group_id": group_id}, {"_id": 1}, session=tx.session).limit(STEP)
        found = [row["_id"] for row in await cursor.to_list(None)]
        if found:
            await of.delete_many({"_id": {"$in": found}, "group_id": group_id}, session=tx.session)
        return len(found)


def _is_there(path: str) -> Stage:
    return {"$ne": [{"$type": path}, "missing"]}
