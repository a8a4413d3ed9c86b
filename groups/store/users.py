"""User documents: `_id` is the user id; they hold what he shows, and `revoked_at`, up to when his tokens are refused.

A user needs none: whoever has a token is a user.
"""

from collections.abc import Iterable
from datetime import datetime

from pymongo import UpdateOne

from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Document, Index, Tx
from groups.kernel.mongo.driver import Operation
from groups.models import User


class UserStore:
    """The `users` collection."""

    INDEXES = (
        Index(
            "users",
            [("revoked_at", 1)],
            "whose tokens were revoked, at the start of a process",
            partial={"revoked_at": {"$type": "date"}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database.collection("users")

    async def find_many(self, user_ids: Iterable[UserId]) -> dict[UserId, User]:
        """Those of the users who told something of themselves."""
        # Whoever was only touched told nothing.
        told: Document = {"$or": [{"name": {"$exists": True}}, {"face_url": {"$exists": True}}]}
        cursor = self._users.find({"_id": {"$in": list(user_ids)}, **told})
        users = [_to_user(document) for document in await cursor.to_list(None)]
        return {user.user_id: user for user in users}

    async def find_face_url(self, user_id: UserId, tx: Tx) -> str:
        """The address of the user's picture; empty where he shows none."""
        row = await self._users.find_one({"_id": user_id}, {"face_url": 1}, session=tx.session)
        return str(row.get("face_url", "")) if row else ""

    async def put(self, user_id: UserId, values: Document, tx: Tx) -> None:
        """Store what the user shows."""
        await self._users.update_one(
            {"_id": user_id}, {"$set": values}, upsert=True, session=tx.session
        )

    async def touch_many(self, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Write the users' documents, so that two transactions which both do conflict and one runs again."""
        operations: list[Operation] = [
            UpdateOne({"_id": user_id}, {"$inc": {"touched": 1}}, upsert=True)
            for user_id in user_ids
        ]
        await self._database.apply(self._users, operations, tx)

    async def revoke(self, user_id: UserId, at: datetime, tx: Tx) -> None:
        """Store that what was issued to the user until then is refused."""
        await self._users.update_one(
            {"_id": user_id}, {"$max": {"revoked_at": at}}, upsert=True, session=tx.session
        )

    async def list_revoked(self) -> dict[UserId, datetime]:
        """All users whose tokens were revoked, and until when."""
        # Uses index: revoked_at_1
        cursor = self._users.find({"revoked_at": {"$type": "date"}}, {"revoked_at": 1})
        return {UserId(row["_id"]): row["revoked_at"] for row in await cursor.to_list(None)}


def _to_user(document: Document) -> User:
    return User(
        user_id=document["_id"],
        name=document.get("name", ""),
        face_url=document.get("face_url", ""),
    )
