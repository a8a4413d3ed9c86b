"""Members by the thousand: their collections, read and written for a whole batch of ids.

No model is made for an id: documents are, and look as `members` writes them for a plain member. Every method is one
command, none where there is nothing to do, or a look-up to be asked together with others. Indexes are those of the
stores that own the collections.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pymongo import DeleteOne, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure

from groups.kernel.ids import SEPARATOR, GroupId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Database, Document, Tx
from groups.kernel.mongo.driver import Operation
from groups.models import Restriction, Role

DUPLICATE_KEY: Final = 11000  # MongoDB's error code


class FreeSeats(NamedTuple):
    """In how many groups a user is, and whether the one asked about is among them."""

    groups: int
    is_member: bool


class BulkImportStore:
    """`members`, `restrictions`, `join_requests` and `users`, for batches of an import."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._members = database.collection("members")
        self._restrictions = database.collection("restrictions")
        self._requests = database.collection("join_requests")
        self._users = database.collection("users")

    def lookup_seats(
        self, group_id: GroupId, user_ids: Collection[UserId]
    ) -> BatchedQuery[dict[UserId, FreeSeats]]:
        """The seats of those of the users who have any; bounded by the limit of groups a user."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: FreeSeats(row["groups"], row["is_member"]) for row in rows},
            {
                "$group": {
                    "_id": "$user_id",
                    "groups": {"$sum": 1},
                    "is_member": {"$max": {"$eq": ["$group_id", group_id]}},
                }
            },
        )

    async def insert_members(
        self,
        group_id: GroupId,
        user_ids: Sequence[UserId],
        *,
        joined_at: datetime,
        joined_seq: int,
        muted_until: Mapping[UserId, datetime],
        tx: Tx,
    ) -> None:
        """Add plain members who are known not to be there; `muted_until` has those who are muted."""
        prefix, role = group_id + SEPARATOR, Role.MEMBER.value
        documents: list[Document] = [
            {
                "_id": prefix + user_id,
                "group_id": group_id,
                "user_id": user_id,
                "role": role,
                "joined_at": joined_at,
                "joined_seq": joined_seq,
            }
            for user_id in user_ids
        ]
        if muted_until:
            for document in documents:
                if document["user_id"] in muted_until:
                    document["muted_until"] = muted_until[document["user_id"]]
        await self._insert(documents, tx)

    async def _insert(self, documents: list[Document], tx: Tx) -> None:
        if tx.session is None:
            await self._members.insert_many(documents)
            return
        # The bare command: the driver's `insert_many` keeps books on each document, which takes as long again as
        # encoding it. Its books are for retrying without a transaction and for splitting what is too large; we have
        # the one, and a batch is a hundredth of the other.
        answer = await self._members.database.command(
            {"insert": self._members.name, "documents": documents}, session=tx.session
        )
        for error in answer.get("writeErrors", ()):
            kind = DuplicateKeyError if error["code"] == DUPLICATE_KEY else OperationFailure
            raise kind(error["errmsg"], error["code"], error)

    def lookup_restrictions(
        self, group_id: GroupId, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, Restriction]]:
        """Bans and lasting mutes of these users in the group."""
        return BatchedQuery(
            self._restrictions,
            {"_id": {"$in": _keys(group_id, user_ids)}, "group_id": group_id},
            lambda rows: {row["user_id"]: Restriction.from_stored(row) for row in rows},
        )

    def lookup_requests(self, group_id: GroupId, user_ids: Iterable[UserId]) -> BatchedQuery[bool]:
        """Whether any of the users asks to join."""
        return BatchedQuery(
            self._requests,
            {"_id": {"$in": _keys(group_id, user_ids)}, "group_id": group_id},
            bool,
            {"$limit": 1},
            {"$project": {"_id": 1}},
        )

    async def lift_bans(self, restrictions: Sequence[Restriction], tx: Tx) -> None:
        """End these bans; a mute, or a ban from reacting, that stands beside one stays."""
        operations: list[Operation] = []
        for restriction in restrictions:
            group_id = restriction.group_id
            key: Document = {
                "_id": join_key(group_id, restriction.user_id),
                "group_id": group_id,
            }
            if (restriction.muted_until, restriction.reacting_banned_at) == (None, None):
                operations.append(DeleteOne(key))
            else:
                operations.append(UpdateOne(key, {"$set": {"banned_at": None, "banned_by": None}}))
        await self._database.apply(self._restrictions, operations, tx)

    async def close_requests(self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Drop the requests of those of the users who ask to join."""
        await self._requests.delete_many(
            {"_id": {"$in": _keys(group_id, user_ids)}, "group_id": group_id}, session=tx.session
        )

    async def touch_users(self, user_ids: Sequence[UserId], tx: Tx) -> None:
        """Write the users' documents, so that two transactions which both do conflict and one runs again."""
        operations: list[Operation] = [
            UpdateOne({"_id": user_id}, {"$inc": {"touched": 1}}, upsert=True)
            for user_id in user_ids
        ]
        await self._database.apply(self._users, operations, tx)


def _keys(group_id: GroupId, user_ids: Iterable[UserId]) -> list[str]:
    prefix = group_id + SEPARATOR
    return [prefix + user_id for user_id in user_ids]
