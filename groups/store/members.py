"""Member documents: `_id` is `group<US>user`, so that a user is in a group once, whatever races.

`staff` is set on owner and admins only, for a partial index that stays tiny in a group of a million.
"""

from collections.abc import Awaitable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import (
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
    milliseconds_of,
)
from groups.kernel.request_batching import RequestBatcher
from groups.models import Grant, Member, MembershipRow, Role, stream_of

_seat: Final = MembershipRow._make
"""Half the price of a call with three arguments, which lists pay by the thousand."""

_OPTIONAL: Final = ("muted_until", "name_card", "staff", "grants")
"""The fields that are absent where they say nothing: a million plain members should weigh little."""

_USERS_A_QUERY: Final = 100
_KEPT_BYTES: Final = 2 * 2**20  # of memory: some 2,000 members
_MEMBER_BYTES: Final = 450
"""What a member without texts takes; the texts are there twice, and in the document."""


class MemberStore:
    """The collection `members`."""

    INDEXES = (
        Index(
            "members",
            # With `joined_seq`, unread totals read the index alone: 30% faster for 5,000 groups, and no slower to
            # insert than without (measured with 100,000 members).
            [("user_id", 1), ("group_id", 1), ("joined_seq", 1)],
            "the groups a user is in (covered, for unread totals)",
        ),
        Index(
            "members",
            [("group_id", 1), ("staff", 1)],
            "owner and admins of a group",
            partial={"staff": True},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._members = database.collection("members")
        self._members_naive = database.collection("members", naive_instants=True)
        self._memory = database.memory(
            "members",
            _to_keyed,
            most_bytes=_KEPT_BYTES,
            weigh=lambda raw, _: 3 * len(raw) + _MEMBER_BYTES,
        )
        self._reader = RequestBatcher(self._find_keys)
        # Few at once: each may be in thousands of groups.
        self._group_ids_reader = RequestBatcher(self._find_group_ids, max_keys=_USERS_A_QUERY)

    async def find(self, group_id: GroupId, user_id: UserId, tx: Tx | None = None) -> Member | None:
        """The membership, if there is one."""
        if tx is None:
            return await self.read(group_id, user_id)
        key = join_key(group_id, user_id)
        return (await self._find_keys([key], tx)).get(key)

    def read(self, group_id: GroupId, user_id: UserId) -> Awaitable[Member | None]:
        """As `find`, and the reading begins at once: those who ask meanwhile share one query."""
        return self._reader.find(join_key(group_id, user_id))

    async def _find_keys(self, keys: Collection[str], tx: Tx | None = None) -> dict[str, Member]:
        # The groups are there for the shards.
        group_ids = {key.partition(SEPARATOR)[0] for key in keys}
        found = await self._memory.find(
            {"_id": {"$in": list(keys)}, "group_id": {"$in": list(group_ids)}},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        return dict(found)

    async def find_many(
        self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx
    ) -> dict[UserId, Member]:
        """The memberships that exist among these users."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        found = await self._find_keys(keys, tx)
        return {member.user_id: member for member in found.values()}

    def lookup_many(
        self, group_id: GroupId, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, Member]]:
        """As `find_many`, to be asked together with others."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        match: Document = {"_id": {"$in": keys}, "group_id": group_id}
        return BatchedQuery(self._members, match, _members_by_user)

    def lookup_known(
        self, group_id: GroupId, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, Member]]:
        """As `lookup_many`, of users who ask again and again: a member who is as before is the same object."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        match: Document = {"_id": {"$in": keys}, "group_id": group_id}
        return BatchedQuery(self._members, match, _known_by_user, memory=self._memory)

    def lookup_group_counts(self, user_ids: Iterable[UserId]) -> BatchedQuery[dict[UserId, int]]:
        """As `count_groups`, to be asked together with others."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: row["groups"] for row in rows},
            {"$group": {"_id": "$user_id", "groups": {"$sum": 1}}},
        )

    async def find_staff(self, group_id: GroupId, tx: Tx | None = None) -> list[Member]:
        """Owner and admins."""
        # Uses index: group_id_1_staff_1 (partial)
        cursor = self._members.find(
            {"group_id": group_id, "staff": True}, session=tx.session if tx else None
        )
        return [_to_member(document) for document in await cursor.to_list(None)]

    async def list_of_group(
        self, group_id: GroupId, *, after: str, limit: int, prefix: str = ""
    ) -> list[Member]:
        """Members by user id, behind `after`, those whose id starts with `prefix`."""
        # Uses index: _id, whose order is group, then user; group_id is there for the shard.
        start = join_key(group_id, max(after, prefix))
        bounds: Document = {"$gt": start} if after >= prefix else {"$gte": start}
        bounds["$lt"] = join_key(group_id, prefix) + "\U0010ffff"
        cursor = (
            self._members.find({"_id": bounds, "group_id": group_id})
            .sort([("_id", 1)])
            .limit(limit)
        )
        return [_to_member(document) for document in await cursor.to_list(None)]

    async def list_of_user(
        self, user_id: UserId, *, after: str = "", limit: int | None = None
    ) -> list[Member]:
        """The user's memberships by group id, behind `after`; all of them without a limit."""
        # Uses index: user_id_1_group_id_1_joined_seq_1
        cursor = self._members.find({"user_id": user_id, "group_id": {"$gt": after}}).sort(
            [("group_id", 1)]
        )
        if limit is not None:
            cursor = cursor.limit(limit)
        return [_to_member(document) for document in await cursor.to_list(None)]

    async def find_of_user(
        self, user_id: UserId, group_ids: Sequence[GroupId]
    ) -> dict[GroupId, Member]:
        """The user's memberships among these groups."""
        # Uses index: user_id_1_group_id_1_joined_seq_1
        cursor = self._members.find({"user_id": user_id, "group_id": {"$in": list(group_ids)}})
        members = [_to_member(document) for document in await cursor.to_list(None)]
        return {member.group_id: member for member in members}

    async def list_group_ids(self, user_id: UserId) -> list[GroupId]:
        """The ids of the groups the user is in; those who ask at once, as after a restart, share one query."""
        return await self._group_ids_reader.find(user_id) or []

    async def _find_group_ids(self, user_ids: Collection[UserId]) -> dict[UserId, list[GroupId]]:
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        cursor = self._members.find(
            {"user_id": {"$in": list(user_ids)}},
            {"_id": 0, "user_id": 1, "group_id": 1},
            batch_size=ONE_REPLY,
        )
        found: dict[UserId, list[GroupId]] = {}
        for row in await cursor.to_list(None):
            found.setdefault(row["user_id"], []).append(row["group_id"])
        return found

    async def count_groups(self, user_ids: Sequence[UserId], tx: Tx) -> dict[UserId, int]:
        """In how many groups each of the users is; bounded by the limit of groups a user."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        cursor = self._members.aggregate(
            [
                {"$match": {"user_id": {"$in": list(user_ids)}}},
                {"$group": {"_id": "$user_id", "groups": {"$sum": 1}}},
            ],
            session=tx.session,
            batchSize=ONE_REPLY,
        )
        return {row["_id"]: row["groups"] for row in await cursor.to_list(None)}

    async def insert_many(self, members: Sequence[Member], tx: Tx) -> None:
        """Add members who are known not to be there."""
        if members:
            documents = [_to_document(member) for member in members]
            await self._members.insert_many(documents, ordered=True, session=tx.session)

    async def replace(self, member: Member, changed_at: datetime, tx: Tx) -> None:
        """Store the member's new state, and when it became so."""
        values = _to_document(member) | {"changed_at": changed_at}
        key: Document = {"_id": values.pop("_id"), "group_id": values.pop("group_id")}
        # Field by field: what a newer version stored beside them stays.
        update: Document = {"$set": values}
        absent = [name for name in _OPTIONAL if name not in values]
        if absent:
            update["$unset"] = dict.fromkeys(absent, "")
        await self._members.update_one(key, update, session=tx.session)

    async def delete_many(
        self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx | None = None
    ) -> None:
        """End these memberships."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        await self._members.delete_many(
            {"_id": {"$in": keys}, "group_id": group_id}, session=tx.session if tx else None
        )

    # --- seats: the little that lists and unread counts need of a membership ---------------------------------------

    async def list_seats(
        self, user_ids: Collection[UserId], tx: Tx | None = None, *, with_times: bool = False
    ) -> dict[UserId, dict[StreamId, MembershipRow]]:
        """Where each of the users is a member, by the group's stream."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered without times)
        fields = {"_id": 0, "user_id": 1, "group_id": 1, "joined_seq": 1}
        if with_times:
            fields["joined_at"] = 1
        cursor = self._members_naive.find(
            {"user_id": {"$in": list(user_ids)}},
            fields,
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,  # all at once: the default of 101 would ask again for the rest
        )
        seats: dict[UserId, dict[StreamId, MembershipRow]] = {user_id: {} for user_id in user_ids}
        for row in await cursor.to_list(None):
            group_id = row["group_id"]
            joined_ms = milliseconds_of(row["joined_at"]) if with_times else 0
            seat = _seat((group_id, row["joined_seq"], joined_ms))
            seats[row["user_id"]][stream_of(group_id)] = seat
        return seats

    async def find_seats(
        self, pairs: Iterable[tuple[GroupId, UserId]], tx: Tx | None = None
    ) -> dict[tuple[GroupId, UserId], MembershipRow]:
        """The seats of those of these users who are members of the group named with them, with times."""
        wanted = set(pairs)
        query: Document = {
            "_id": {"$in": [join_key(group_id, user_id) for group_id, user_id in wanted]},
            "group_id": {"$in": list({group_id for group_id, _ in wanted})},
        }
        cursor = self._members_naive.find(
            query,
            {"_id": 0, "group_id": 1, "user_id": 1, "joined_seq": 1, "joined_at": 1},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        return {
            (row["group_id"], row["user_id"]): MembershipRow(
                row["group_id"], row["joined_seq"], milliseconds_of(row["joined_at"])
            )
            for row in await cursor.to_list(None)
        }


def _members_by_user(rows: list[Document]) -> dict[UserId, Member]:
    return {row["user_id"]: _to_member(row) for row in rows}


def _known_by_user(known: list[tuple[str, Member]]) -> dict[UserId, Member]:
    return {member.user_id: member for _, member in known}


def _to_document(member: Member) -> Document:
    document: dict[str, Any] = {
        "_id": f"{member.group_id}{SEPARATOR}{member.user_id}",
        "group_id": member.group_id,
        "user_id": member.user_id,
        "role": member.role.value,
        "joined_at": member.joined_at,
        "joined_seq": member.joined_seq,
    }
    # See `_OPTIONAL`.
    if member.muted_until is not None:
        document["muted_until"] = member.muted_until
    if member.name_card:
        document["name_card"] = member.name_card
    if member.role is not Role.MEMBER:
        document["staff"] = True
    if member.role is Role.ADMIN and member.grants is not None:
        document["grants"] = [grant.value for grant in member.granted]
    return document


def _to_member(document: Document) -> Member:
    # Built without validation: it was validated when stored, and lists hold thousands.
    return Member(
        group_id=document["group_id"],
        user_id=document["user_id"],
        role=Role(document["role"]),
        joined_at=document["joined_at"],
        joined_seq=document["joined_seq"],
        muted_until=document.get("muted_until"),
        name_card=document.get("name_card", ""),
        grants=_grants_in(document) if "grants" in document else None,
    )


def _to_keyed(document: Document) -> tuple[str, Member]:
    return document["_id"], _to_member(document)


def _grants_in(document: Document) -> frozenset[Grant]:
    # A right that a newer version granted is none here.
    known = Grant._value2member_map_
    return frozenset(Grant(name) for name in document["grants"] if name in known)
