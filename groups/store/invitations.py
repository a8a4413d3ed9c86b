"""Invitations to be an admin: `_id` is `group<US>user`, so a user has at most one from a group, under any race.

They are kept for a while after they expired, so that a late answer gets the right error. Then the database deletes
them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx
from groups.models import Invitation

KEPT_SECONDS: Final = 30 * 24 * 3600
"""How long an expired invitation is kept."""


class InvitationStore:
    """The collection `admin_invitations`."""

    INDEXES = (
        Index(
            "admin_invitations", [("group_id", 1), ("user_id", 1)], "a group's invitations, by user"
        ),
        Index(
            "admin_invitations", [("user_id", 1), ("group_id", 1)], "a user's invitations, by group"
        ),
        Index(
            "admin_invitations",
            [("expires_at", 1)],
            "the TTL of expired invitations",
            expire_after_seconds=KEPT_SECONDS,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._invitations = database.collection("admin_invitations")

    async def find_many(
        self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx
    ) -> dict[UserId, Invitation]:
        """The invitations of these users, expired or not."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        query: Document = {"_id": {"$in": keys}, "group_id": group_id}
        rows = await self._invitations.find(query, session=tx.session).to_list(None)
        return {row["user_id"]: Invitation.from_stored(row) for row in rows}

    async def list_open_ids(
        self, group_id: GroupId, now: datetime, limit: int, tx: Tx
    ) -> list[UserId]:
        """The users with an open invitation of the group, at most `limit`."""
        # Uses index: group_id_1_user_id_1
        query: Document = {"group_id": group_id, "expires_at": {"$gt": now}}
        cursor = self._invitations.find(query, {"user_id": 1}, limit=limit, session=tx.session)
        return [row["user_id"] for row in await cursor.to_list(None)]

    async def find_open(self, group_id: GroupId, now: datetime, tx: Tx) -> dict[UserId, Invitation]:
        """All open invitations of the group; their number is limited."""
        # Uses index: group_id_1_user_id_1
        query: Document = {"group_id": group_id, "expires_at": {"$gt": now}}
        rows = await self._invitations.find(query, session=tx.session).to_list(None)
        return {row["user_id"]: Invitation.from_stored(row) for row in rows}

    async def list_of_group(
        self, group_id: GroupId, now: datetime, *, after: str, limit: int
    ) -> list[Invitation]:
        """The open invitations of the group by user id, behind `after`."""
        # Uses index: group_id_1_user_id_1
        query = {"group_id": group_id, "user_id": {"$gt": after}, "expires_at": {"$gt": now}}
        cursor = self._invitations.find(query, sort=[("user_id", 1)], limit=limit)
        return [Invitation.from_stored(row) for row in await cursor.to_list(None)]

    async def list_of_user(
        self, user_id: UserId, now: datetime, *, after: str, limit: int
    ) -> list[Invitation]:
        """The open invitations of the user by group id, behind `after`."""
        # Uses index: user_id_1_group_id_1
        query = {"user_id": user_id, "group_id": {"$gt": after}, "expires_at": {"$gt": now}}
        cursor = self._invitations.find(query, sort=[("group_id", 1)], limit=limit)
        return [Invitation.from_stored(row) for row in await cursor.to_list(None)]

    async def put(self, invitation: Invitation, tx: Tx) -> None:
        """Store the invitation, in place of an earlier one."""
        values = invitation.model_dump(mode="python", exclude={"group_id"})
        values["grants"] = sorted(invitation.grants)
        key: Document = {
            "_id": join_key(invitation.group_id, invitation.user_id),
            "group_id": invitation.group_id,
        }
        await self._invitations.update_one(key, {"$set": values}, upsert=True, session=tx.session)

    async def delete(self, group_id: GroupId, user_id: UserId, tx: Tx) -> None:
        """Delete the user's invitation; without one this changes nothing."""
        await self._invitations.delete_one(
            {"_id": join_key(group_id, user_id), "group_id": group_id}, session=tx.session
        )

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        await self._invitations.delete_many({"group_id": group_id}, session=tx.session)
