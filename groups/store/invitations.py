"""Invitations to be an admin or a member. `_id` is `group<US>user`: a user has at most one of a group, under any race.

They are kept for a while after they expired or ended, so that a late answer gets the right error, and so that nobody is
asked again too soon. Then the database deletes them. Documents without a `role` are invitations to be an admin, which
were the only ones in older versions.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from pymongo import UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import (
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
)
from groups.limits import INVITATION_KEPT_SECONDS
from groups.models import Invitation, Role
from groups.store.users_by_group import UsersByGroup, match_users

_MEMBER: Final = Role.MEMBER.value
_USERS_A_QUERY: Final = 100
_FIRST_A_QUERY: Final = 1_000
"""Invitations of all users of a query; few have any. Where there are more, each user has a query of their own."""


class _First(NamedTuple):
    """The first open invitations that a user asks for."""

    user_id: UserId
    now: datetime
    limit: int

    def among(self, invitations: Sequence[Invitation]) -> list[Invitation]:
        """Those that the user asks for, of all that they have, by group id."""
        return [one for one in invitations if one.expires_at > self.now][: self.limit]


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
            expire_after_seconds=INVITATION_KEPT_SECONDS,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._invitations = database.collection("admin_invitations")
        self._first_reader = RequestBatcher(self._find_first, max_keys=_USERS_A_QUERY)

    def query_invitations(
        self, users: UsersByGroup
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Invitation]]]:
        """The invitations of these users, open or not, as a query to send together with others."""
        return BatchedQuery(self._invitations, match_users(users), _by_group)

    def query_any(self, group_id: GroupId, now: datetime) -> BatchedQuery[bool]:
        """Whether the group has an open invitation to be a member, as a query to send together with others."""
        # Uses index: group_id_1_user_id_1
        match: Document = {"group_id": group_id, "role": _MEMBER, "expires_at": {"$gt": now}}
        return BatchedQuery(self._invitations, match, bool, {"$limit": 1}, {"$project": {"_id": 1}})

    async def find_open(
        self, group_id: GroupId, role: Role, now: datetime, tx: Tx
    ) -> dict[UserId, Invitation]:
        """All open invitations of the group to this role; their number is limited."""
        # Uses index: group_id_1_user_id_1
        query: Document = {"group_id": group_id, "expires_at": {"$gt": now}, **_of_role(role)}
        rows = await self._invitations.find(query, session=tx.session).to_list(None)
        return _by_user(rows)

    def query_open(
        self, group_ids: Collection[GroupId], role: Role, now: datetime
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Invitation]]]:
        """As `find_open`, of several groups, as a query to send together with others."""
        # Uses index: group_id_1_user_id_1
        match = {"group_id": {"$in": list(group_ids)}, "expires_at": {"$gt": now}, **_of_role(role)}
        return BatchedQuery(self._invitations, match, _by_group)

    def query_open_counts(
        self, group_ids: Collection[GroupId], now: datetime
    ) -> BatchedQuery[dict[GroupId, dict[Role, int]]]:
        """The numbers of open invitations of these groups, by role; they are limited."""
        # Uses index: group_id_1_user_id_1
        sums = {
            # As `_of_role`: documents of older versions have no role.
            "members": {"$sum": {"$cond": [{"$eq": ["$role", _MEMBER]}, 1, 0]}},
            "admins": {"$sum": {"$cond": [{"$eq": ["$role", _MEMBER]}, 0, 1]}},
        }
        return BatchedQuery(
            self._invitations,
            {"group_id": {"$in": list(group_ids)}, "expires_at": {"$gt": now}},
            lambda rows: {
                row["_id"]: {Role.MEMBER: row["members"], Role.ADMIN: row["admins"]} for row in rows
            },
            {"$group": {"_id": "$group_id", **sums}},
        )

    def query_received_counts(
        self, user_ids: Collection[UserId], now: datetime
    ) -> BatchedQuery[dict[UserId, int]]:
        """The numbers of open invitations that these users see; they are limited."""
        # Uses index: user_id_1_group_id_1
        return BatchedQuery(
            self._invitations,
            {"user_id": {"$in": list(user_ids)}, "expires_at": {"$gt": now}, **_SHOWN},
            lambda rows: {row["_id"]: row["number"] for row in rows},
            {"$group": {"_id": "$user_id", "number": {"$sum": 1}}},
        )

    async def list_of_group(
        self, group_id: GroupId, now: datetime, *, roles: Collection[Role], after: str, limit: int
    ) -> list[Invitation]:
        """The open invitations of the group to these roles by user id, behind `after`."""
        # Uses index: group_id_1_user_id_1
        query = {"group_id": group_id, "user_id": {"$gt": after}, "expires_at": {"$gt": now}}
        if Role.ADMIN not in roles:
            query |= _of_role(Role.MEMBER)
        cursor = self._invitations.find(query, sort=[("user_id", 1)], limit=limit)
        return [Invitation.from_stored(row) for row in await cursor.to_list(None)]

    async def list_of_user(
        self, user_id: UserId, now: datetime, *, after: str, limit: int
    ) -> list[Invitation]:
        """The open invitations that the user sees by group id, behind `after`.

        Users who ask for their first ones at the same time share a query.
        """
        if not after:
            return await self._first_reader.find(_First(user_id, now, limit)) or []
        return await self._list_of_user(user_id, now, after=after, limit=limit)

    def query_first(
        self, user_ids: Collection[UserId], now: datetime
    ) -> BatchedQuery[dict[UserId, list[Invitation]] | None]:
        """The open invitations that each user sees by group id, to send together with other queries.

        None where they are so many that some may lack.
        """
        # Uses index: user_id_1_group_id_1
        return BatchedQuery(
            self._invitations,
            {"user_id": {"$in": list(user_ids)}, "expires_at": {"$gt": now}, **_SHOWN},
            _all_by_user,
            {"$limit": _FIRST_A_QUERY},
        )

    async def _find_first(self, wanted: Collection[_First]) -> dict[_First, list[Invitation]]:
        if len(wanted) > 1:
            # Uses index: user_id_1_group_id_1
            query = {
                "user_id": {"$in": [one.user_id for one in wanted]},
                "expires_at": {"$gt": min(one.now for one in wanted)},
                **_SHOWN,
            }
            cursor = self._invitations.find(query, limit=_FIRST_A_QUERY, batch_size=ONE_REPLY)
            of_users = _all_by_user(await cursor.to_list(None))
            if of_users is not None:
                return {one: one.among(of_users.get(one.user_id, ())) for one in wanted}
        found = [
            self._list_of_user(one.user_id, one.now, after="", limit=one.limit) for one in wanted
        ]
        return dict(zip(wanted, await asyncio.gather(*found), strict=True))

    async def _list_of_user(
        self, user_id: UserId, now: datetime, *, after: str, limit: int
    ) -> list[Invitation]:
        # Uses index: user_id_1_group_id_1
        query = {
            "user_id": user_id,
            "group_id": {"$gt": after},
            "expires_at": {"$gt": now},
            **_SHOWN,
        }
        cursor = self._invitations.find(query, sort=[("group_id", 1)], limit=limit)
        return [Invitation.from_stored(row) for row in await cursor.to_list(None)]

    def put_many(self, invitations: Iterable[Invitation], tx: Tx) -> None:
        """Store the invitations, in place of earlier ones; collected (`Tx.write`)."""
        for invitation in invitations:
            values = invitation.model_dump(mode="python", exclude={"group_id"})
            values["role"] = invitation.role.value
            values["grants"] = sorted(grant.value for grant in invitation.grants)
            values["ended"] = invitation.ended.value if invitation.ended else None
            group_id = invitation.group_id
            key: Document = {"_id": join_key(group_id, invitation.user_id), "group_id": group_id}
            tx.write(self._invitations, UpdateOne(key, {"$set": values}, upsert=True))

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        await self._invitations.delete_many({"group_id": group_id}, session=tx.session)


def _all_by_user(rows: list[Document]) -> dict[UserId, list[Invitation]] | None:
    """The invitations of each user, by group id; None where there may be more than these."""
    if len(rows) >= _FIRST_A_QUERY:
        return None
    of_users: dict[UserId, list[Invitation]] = {}
    for row in sorted(rows, key=itemgetter("group_id")):
        of_users.setdefault(row["user_id"], []).append(Invitation.from_stored(row))
    return of_users


_SHOWN: Final[Document] = {"hidden": {"$ne": True}}
"""The condition for those that their user sees; older documents lack the field."""


def _of_role(role: Role) -> Document:
    return {"role": _MEMBER if role is Role.MEMBER else {"$ne": _MEMBER}}


def _by_user(rows: list[Document]) -> dict[UserId, Invitation]:
    return {row["user_id"]: Invitation.from_stored(row) for row in rows}


def _by_group(rows: list[Document]) -> dict[GroupId, dict[UserId, Invitation]]:
    found: dict[GroupId, dict[UserId, Invitation]] = {}
    for row in rows:
        found.setdefault(row["group_id"], {})[row["user_id"]] = Invitation.from_stored(row)
    return found
