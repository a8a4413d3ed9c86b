"""Conversation group documents: `_id` is `user<US>name`; the settings of each conversation name the groups it is in.

The collection `conversation_group_guards` has one document a user. Creating a conversation group writes it, so two that
race for the last free place conflict.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from conversations.models import ConversationGroup
from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx

USERS_A_QUERY: Final = 256  # of at most 20 groups each, unless a deployment allows more


class ConversationGroupStore:
    """The collections `conversation_groups` and `conversation_group_guards`."""

    INDEXES = (
        Index("conversation_groups", [("user_id", 1), ("created_at", 1)], "the tabs of a user"),
        Index("conversation_group_guards", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._groups = database.collection("conversation_groups")
        self._guards = database.collection("conversation_group_guards")
        self._reader = RequestBatcher(self._list_groups_of_users, max_keys=USERS_A_QUERY)

    async def list_groups(self, user_id: UserId, tx: Tx | None = None) -> list[ConversationGroup]:
        """Return the user's conversation groups, the oldest first. Users who ask at the same time share one query."""
        if tx is None:
            return await self._reader.find(user_id) or []
        return (await self._list_groups_of_users([user_id], tx))[user_id]

    async def _list_groups_of_users(
        self, user_ids: Collection[UserId], tx: Tx | None = None
    ) -> dict[UserId, list[ConversationGroup]]:
        # Uses index: user_id_1_created_at_1. The limit of groups a user bounds the result.
        cursor = self._groups.find(
            {"user_id": {"$in": list(user_ids)}},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        found: dict[UserId, list[ConversationGroup]] = {user_id: [] for user_id in user_ids}
        for row in await cursor.to_list(None):
            found[row["user_id"]].append(_to_group(row))
        for groups in found.values():
            groups.sort(key=_age)
        return found

    def query_groups(
        self, user_ids: Collection[UserId]
    ) -> BatchedQuery[dict[UserId, list[ConversationGroup]]]:
        """As `list_groups` of each user who has any, as a query to send together with others."""
        # Uses index: user_id_1_created_at_1
        return BatchedQuery(self._groups, {"user_id": {"$in": list(user_ids)}}, _in_order)

    async def find_group(
        self, user_id: UserId, name: str, tx: Tx | None = None
    ) -> ConversationGroup | None:
        row = await self._groups.find_one(_key(user_id, name), session=tx.session if tx else None)
        return _to_group(row) if row else None

    async def insert(self, user_id: UserId, name: str, created_at: datetime, tx: Tx) -> None:
        document = {**_key(user_id, name), "name": name, "created_at": created_at}
        await self._groups.insert_one(document, session=tx.session)

    async def delete(self, user_id: UserId, name: str, tx: Tx) -> None:
        """Delete the conversation group. Conflicts with transactions that fill it."""
        await self._groups.delete_one(_key(user_id, name), session=tx.session)

    async def touch(self, user_id: UserId, name: str, tx: Tx) -> None:
        """Write the conversation group, so that two transactions that fill it conflict and one counts again."""
        await self._groups.update_one(
            _key(user_id, name), {"$inc": {"version": 1}}, session=tx.session
        )

    async def touch_guard(self, user_id: UserId, tx: Tx) -> None:
        """Write the user's guard, so that two transactions that count towards a limit conflict and one counts again."""
        await self._guards.update_one(
            {"_id": user_id}, {"$inc": {"version": 1}}, upsert=True, session=tx.session
        )


def _key(user_id: UserId, name: str) -> Document:
    return {"_id": join_key(user_id, name), "user_id": user_id}


def _age(group: ConversationGroup) -> tuple[datetime, str]:
    return group.created_at, group.name


def _in_order(rows: list[Document]) -> dict[UserId, list[ConversationGroup]]:
    of_users: dict[UserId, list[ConversationGroup]] = {}
    for row in rows:
        of_users.setdefault(row["user_id"], []).append(_to_group(row))
    for groups in of_users.values():
        groups.sort(key=_age)
    return of_users


def _to_group(row: Document) -> ConversationGroup:
    return ConversationGroup(row["name"], row["created_at"])
