"""User documents: `_id` is the user id. A user needs none: whoever has a token is a user; it holds what he shows."""

from collections.abc import Iterable

from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Document, Index, Tx
from groups.models import User


class UserStore:
    """The `users` collection."""

    INDEXES = (Index("users", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._users = database.collection("users")

    async def find_many(self, user_ids: Iterable[UserId]) -> dict[UserId, User]:
        """Those of the users who told something of themselves."""
        # Whoever was only touched told nothing.
        told: Document = {"$or": [{"name": {"$exists": True}}, {"face_url": {"$exists": True}}]}
        cursor = self._users.find({"_id": {"$in": list(user_ids)}, **told})
        users = [_to_user(document) for document in await cursor.to_list(None)]
        return {user.user_id: user for user in users}

    async def put(self, user_id: UserId, values: Document) -> User:
        """Store what the user shows; the user as now stored."""
        await self._users.update_one({"_id": user_id}, {"$set": values}, upsert=True)
        return (await self.find_many([user_id]))[user_id]

    async def touch(self, user_id: UserId, tx: Tx) -> None:
        """Write the user's document, so that two transactions which both do conflict and one runs again."""
        await self._users.update_one(
            {"_id": user_id}, {"$inc": {"touched": 1}}, upsert=True, session=tx.session
        )


def _to_user(document: Document) -> User:
    return User(
        user_id=document["_id"],
        name=document.get("name", ""),
        face_url=document.get("face_url", ""),
    )
