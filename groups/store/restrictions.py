"""Restriction documents: bans (also from reacting or commenting), and mutes that outlive a membership.

`_id` is `group<US>user`. The user may be a member or not. A user without restrictions has no document.
"""

from collections.abc import Collection, Iterable

from pymongo import DeleteOne, UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import SEPARATOR, GroupId, UserId, join_key
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx
from groups.models import Restriction
from groups.store.users_by_group import UsersByGroup, match_users


class RestrictionStore:
    """The collection `restrictions`."""

    INDEXES = (
        Index("restrictions", [("group_id", 1), ("user_id", 1)], "the bans of a group, by user"),
        Index(
            "restrictions",
            [("group_id", 1), ("reacting_banned", 1), ("user_id", 1)],
            "the users who are banned from reacting",
            partial={"reacting_banned": True},
        ),
        Index(
            "restrictions",
            [("group_id", 1), ("commenting_banned", 1), ("user_id", 1)],
            "the users who are banned from commenting",
            partial={"commenting_banned": True},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._restrictions = database.collection("restrictions")
        self._reader = RequestBatcher(self._find_keys)

    async def find_restriction(
        self, group_id: GroupId, user_id: UserId, tx: Tx | None = None
    ) -> Restriction | None:
        key = join_key(group_id, user_id)
        if tx is None:
            return await self._reader.find(key)
        return (await self._find_keys([key], tx)).get(key)

    async def _find_keys(
        self, keys: Collection[str], tx: Tx | None = None
    ) -> dict[str, Restriction]:
        group_ids = {key.partition(SEPARATOR)[0] for key in keys}
        cursor = self._restrictions.find(
            {"_id": {"$in": list(keys)}, "group_id": {"$in": list(group_ids)}},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        rows = await cursor.to_list(None)
        return {row["_id"]: Restriction.from_stored(row) for row in rows}

    def put_many(self, restrictions: Iterable[Restriction], tx: Tx) -> None:
        """Store the restrictions; one that restricts nothing is deleted. Collected (`Tx.write`)."""
        for restriction in restrictions:
            group_id = restriction.group_id
            key: Document = {"_id": join_key(group_id, restriction.user_id), "group_id": group_id}
            if not restriction.restricts:
                tx.write(self._restrictions, DeleteOne(key))
                continue
            values = restriction.model_dump(mode="python", exclude={"group_id"})
            # A flag beside the instant, for an index of those alone.
            values["reacting_banned"] = restriction.reacting_banned_at is not None
            values["commenting_banned"] = restriction.commenting_banned_at is not None
            tx.write(self._restrictions, UpdateOne(key, {"$set": values}, upsert=True))

    async def list_reaction_bans(
        self, group_id: GroupId, *, after: str, limit: int
    ) -> list[Restriction]:
        """The users who are banned from reacting, by id, behind `after`."""
        # Uses index: group_id_1_reacting_banned_1_user_id_1 (partial)
        query = {"group_id": group_id, "reacting_banned": True, "user_id": {"$gt": after}}
        cursor = self._restrictions.find(query, sort=[("user_id", 1)], limit=limit)
        return [Restriction.from_stored(row) for row in await cursor.to_list(None)]

    async def list_comment_bans(
        self, group_id: GroupId, *, after: str, limit: int
    ) -> list[Restriction]:
        """The users who are banned from commenting, by id, behind `after`."""
        # Uses index: group_id_1_commenting_banned_1_user_id_1 (partial)
        query = {"group_id": group_id, "commenting_banned": True, "user_id": {"$gt": after}}
        cursor = self._restrictions.find(query, sort=[("user_id", 1)], limit=limit)
        return [Restriction.from_stored(row) for row in await cursor.to_list(None)]

    async def list_bans(self, group_id: GroupId, *, after: str, limit: int) -> list[Restriction]:
        """The users who are banned from the group, by id, behind `after`."""
        # Uses index: group_id_1_user_id_1
        query = {"group_id": group_id, "user_id": {"$gt": after}, "banned_at": {"$ne": None}}
        cursor = self._restrictions.find(query, sort=[("user_id", 1)], limit=limit)
        return [Restriction.from_stored(row) for row in await cursor.to_list(None)]

    def query_restrictions(
        self, group_id: GroupId, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, Restriction]]:
        """The restrictions of these users, as a query to send together with others."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        match: Document = {"_id": {"$in": keys}, "group_id": group_id}
        return BatchedQuery(self._restrictions, match, _by_user)

    def query_restrictions_by_group(
        self, users: UsersByGroup
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Restriction]]]:
        """As `query_restrictions`, for users of several groups."""
        return BatchedQuery(self._restrictions, match_users(users), _by_group)

    def query_pairs(
        self, pairs: Collection[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], Restriction]]:
        """The restrictions of these users in these groups."""
        match: Document = {
            "_id": {"$in": [join_key(*pair) for pair in pairs]},
            "group_id": {"$in": list({group_id for group_id, _ in pairs})},
        }
        return BatchedQuery(self._restrictions, match, _by_pair)

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        await self._restrictions.delete_many({"group_id": group_id}, session=tx.session)


def _by_user(rows: list[Document]) -> dict[UserId, Restriction]:
    return {row["user_id"]: Restriction.from_stored(row) for row in rows}


def _by_group(rows: list[Document]) -> dict[GroupId, dict[UserId, Restriction]]:
    found: dict[GroupId, dict[UserId, Restriction]] = {}
    for row in rows:
        found.setdefault(row["group_id"], {})[row["user_id"]] = Restriction.from_stored(row)
    return found


def _by_pair(rows: list[Document]) -> dict[tuple[GroupId, UserId], Restriction]:
    return {(row["group_id"], row["user_id"]): Restriction.from_stored(row) for row in rows}
