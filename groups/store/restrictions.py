"""Restriction documents: bans (also from reacting or commenting), and mutes that outlive a membership.

`_id` is `group<US>user`. The user may be a member or not. A user without restrictions has no document.

What the application restricts a user to in every group is a document beside these, whose `_id` and `group_id` are
`<US>user`: no group has such an id. A query for what a user may do in a group names that key too, so it costs no
command and no stage, and the key of the shard spreads the users. The database deletes it after `expires_at`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from pymongo import DeleteOne, UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import SEPARATOR, GroupId, UserId, join_key
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx
from groups.models import Restriction, UserRestriction
from groups.store.users_by_group import UsersByGroup

_BEHIND_USERS: Final = chr(ord(SEPARATOR) + 1)
"""Behind the keys of what the application restricts; no id of a group is before it."""


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
        Index(
            "restrictions",
            [("expires_at", 1)],
            "the TTL of restrictions by the application",
            partial={"expires_at": {"$exists": True}},
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._restrictions = database.collection("restrictions")
        self._reader = RequestBatcher(self._find_keys)

    async def find_of_user(self, user_id: UserId, tx: Tx | None = None) -> UserRestriction | None:
        """The restriction of the user by the application, which may have ended."""
        key = _key_everywhere(user_id)
        row = await self._restrictions.find_one(
            {"_id": key, "group_id": key}, session=tx.session if tx else None
        )
        return UserRestriction.from_stored(row) if row else None

    def query_of_users(
        self, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, UserRestriction]]:
        """The restrictions of these users by the application, as a query to send together with others."""
        keys = [_key_everywhere(user_id) for user_id in user_ids]
        match: Document = {"_id": {"$in": keys}, "group_id": {"$in": keys}}
        return BatchedQuery(self._restrictions, match, _everywhere)

    def put_of_user(self, restriction: UserRestriction, tx: Tx) -> None:
        """Store what the application restricts the user to, in place of what it did before. Collected (`Tx.write`)."""
        key = _key_everywhere(restriction.user_id)
        # With the fields of the other restrictions, which restrict nothing here: all documents have one form.
        of_group = Restriction(group_id=GroupId(key), user_id=restriction.user_id)
        values = of_group.model_dump(mode="python", exclude={"group_id"})
        values |= {"reacting_banned": False, "commenting_banned": False}
        changes: Document = {"$set": values | restriction.model_dump(mode="python")}
        if restriction.until is not None:
            changes["$set"]["expires_at"] = restriction.until
        else:
            changes["$unset"] = {"expires_at": ""}
        where: Document = {"_id": key, "group_id": key}
        tx.write(self._restrictions, UpdateOne(where, changes, upsert=True))

    def delete_of_user(self, user_id: UserId, tx: Tx) -> None:
        """Lift what the application restricts the user to. Collected (`Tx.write`)."""
        key = _key_everywhere(user_id)
        tx.write(self._restrictions, DeleteOne({"_id": key, "group_id": key}))

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

    async def list_of_users(
        self, now: datetime, *, after: str, limit: int
    ) -> list[UserRestriction]:
        """The restrictions of users by the application, by user id, behind `after`, without what has ended."""
        # Uses index: group_id_1_user_id_1. What has ended is deleted within moments, so few rows are passed over.
        query: Document = {
            "group_id": {"$gt": _key_everywhere(UserId(after)), "$lt": _BEHIND_USERS},
            "$or": [{"until": None}, {"until": {"$gt": now}}],
        }
        cursor = self._restrictions.find(query, sort=[("group_id", 1)], limit=limit)
        return [UserRestriction.from_stored(row) for row in await cursor.to_list(None)]

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
        """The restrictions of these users, without what the application restricts; to send together with others."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        match: Document = {"_id": {"$in": keys}, "group_id": group_id}
        return BatchedQuery(self._restrictions, match, _by_user)

    def query_restrictions_by_group(
        self, users: UsersByGroup
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Restriction]]]:
        """The restrictions of users of several groups, with what the application restricts (`by_app`)."""
        pairs = [
            (group_id, user_id) for group_id, of_group in users.items() for user_id in of_group
        ]

        def by_group(rows: list[Document]) -> dict[GroupId, dict[UserId, Restriction]]:
            found: dict[GroupId, dict[UserId, Restriction]] = {}
            for (group_id, user_id), restriction in _by_pair(rows, pairs).items():
                found.setdefault(group_id, {})[user_id] = restriction
            return found

        return BatchedQuery(self._restrictions, _match_pairs(pairs), by_group)

    def query_pairs(
        self, pairs: Collection[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], Restriction]]:
        """The restrictions of these users in these groups, with what the application restricts (`by_app`)."""
        return BatchedQuery(
            self._restrictions, _match_pairs(pairs), lambda rows: _by_pair(rows, pairs)
        )

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        await self._restrictions.delete_many({"group_id": group_id}, session=tx.session)


def _key_everywhere(user_id: UserId) -> str:
    """The key of what the application restricts the user to in every group."""
    return SEPARATOR + user_id


def _match_pairs(pairs: Collection[tuple[GroupId, UserId]]) -> Document:
    everywhere = list({_key_everywhere(user_id) for _, user_id in pairs})
    return {
        "_id": {"$in": [join_key(*pair) for pair in pairs] + everywhere},
        "group_id": {"$in": list({group_id for group_id, _ in pairs}) + everywhere},
    }


def _by_user(rows: list[Document]) -> dict[UserId, Restriction]:
    return {row["user_id"]: Restriction.from_stored(row) for row in rows}


def _everywhere(rows: list[Document]) -> dict[UserId, UserRestriction]:
    return {row["user_id"]: UserRestriction.from_stored(row) for row in rows}


def _by_pair(
    rows: list[Document], pairs: Collection[tuple[GroupId, UserId]]
) -> dict[tuple[GroupId, UserId], Restriction]:
    of_groups = [row for row in rows if not row["group_id"].startswith(SEPARATOR)]
    found = {(row["group_id"], row["user_id"]): Restriction.from_stored(row) for row in of_groups}
    if len(of_groups) == len(rows):  # nearly always
        return found
    everywhere = _everywhere([row for row in rows if row["group_id"].startswith(SEPARATOR)])
    for pair in pairs:
        group_id, user_id = pair
        if user_id in everywhere:
            own = found.get(pair) or Restriction(group_id=group_id, user_id=user_id)
            found[pair] = own.model_copy(update={"by_app": everywhere[user_id]})
    return found
