"""User documents: the profile and when it changed; `revoked_at`, until when tokens are revoked; `_id` is the user id.

A user needs no document: everyone with a token is a user.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from groups.kernel.ids import UserId
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx
from groups.kernel.mongo.driver import Operation
from groups.models import User

_HAS_PROFILE: Final[Document] = {
    "$or": [{"name": {"$exists": True}}, {"face_url": {"$exists": True}}]
}
"""A document without these fields was only touched, or holds only a revocation."""
_WITH_CHANGE: Final[Document] = {
    "$project": {"name": 1, "face_url": 1, "changed_ms": {"$toLong": "$changed_at"}}
}


class UserStore:
    """The `users` collection."""

    INDEXES = (
        Index(
            "users",
            [("revoked_at", 1)],
            "the users with revoked tokens, at the start of a process",
            partial={"revoked_at": {"$type": "date"}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database.collection("users")

    async def find_many(self, user_ids: Iterable[UserId]) -> dict[UserId, User]:
        """The profiles of those of the users who have one."""
        cursor = self._users.find({"_id": {"$in": list(user_ids)}, **_HAS_PROFILE})
        return {row["_id"]: _to_user(row) for row in await cursor.to_list(None)}

    def query_profiles(
        self, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, tuple[User, int]]]:
        """The profiles of those of the users who have one, and when each changed, in milliseconds since 1970."""
        return BatchedQuery(
            self._users,
            {"_id": {"$in": list(user_ids)}, **_HAS_PROFILE},
            lambda rows: {row["_id"]: (_to_user(row), row["changed_ms"] or 0) for row in rows},
            _WITH_CHANGE,
        )

    def query_changed(
        self, user_ids: Iterable[UserId], since: datetime
    ) -> BatchedQuery[dict[UserId, int]]:
        """Those of the users whose profile changed at or after the instant, and when, in milliseconds since 1970."""
        return BatchedQuery(
            self._users,
            {"_id": {"$in": list(user_ids)}, "changed_at": {"$gte": since}},
            lambda rows: {row["_id"]: row["changed_ms"] for row in rows},
            {"$project": {"changed_ms": {"$toLong": "$changed_at"}}},
        )

    async def find_face_url(self, user_id: UserId, tx: Tx) -> str:
        """The address of the user's avatar; empty without one."""
        row = await self._users.find_one({"_id": user_id}, {"face_url": 1}, session=tx.session)
        return str(row.get("face_url", "")) if row else ""

    async def put(self, user_id: UserId, values: Document, at: datetime, tx: Tx) -> None:
        """Set these fields of the profile; `at` is the time of the change."""
        await self._users.update_one(
            {"_id": user_id},
            {"$set": {**values, "changed_at": at}},
            upsert=True,
            session=tx.session,
        )

    async def touch_many(self, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Write the users' documents, so that two transactions which both do conflict and one runs again."""
        operations: list[Operation] = [
            UpdateOne({"_id": user_id}, {"$inc": {"touched": 1}}, upsert=True)
            for user_id in user_ids
        ]
        await self._database.apply(self._users, operations, tx)

    async def revoke(self, user_id: UserId, at: datetime, tx: Tx) -> None:
        """Revoke the tokens that were issued to the user until then."""
        await self._users.update_one(
            {"_id": user_id}, {"$max": {"revoked_at": at}}, upsert=True, session=tx.session
        )

    async def list_revoked(self) -> dict[UserId, datetime]:
        """All users with revoked tokens, and until when."""
        # Uses index: revoked_at_1
        cursor = self._users.find({"revoked_at": {"$type": "date"}}, {"revoked_at": 1})
        return {UserId(row["_id"]): row["revoked_at"] for row in await cursor.to_list(None)}


def _to_user(row: Document) -> User:
    return User(user_id=row["_id"], name=row.get("name", ""), face_url=row.get("face_url", ""))
