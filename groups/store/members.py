"""Member documents: `_id` is `group<US>user`, so a user is in a group once, under any race.

`staff` is set for the owner and the admins only, for a partial index that stays tiny in a group of a million. So is
`added` for those who did not agree to their membership so far.
"""

from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Any, Final, NamedTuple

from pymongo import DeleteMany, InsertOne, UpdateMany, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import (
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    JoinedOn,
    Tx,
    milliseconds_of,
)
from groups.models import Grant, Member, MembershipRow, Role, stream_of
from groups.store.streams import AUTHOR_KEY
from groups.store.users_by_group import UsersByGroup, match_users

_membership_row: Final = MembershipRow._make
"""Half the cost of a call with arguments; lists make thousands of them."""

_OPTIONAL: Final = ("muted_until", "name_card", "staff", "grants", "added")
"""Fields that are absent without a value: a million plain members should take little space."""

_USERS_A_QUERY: Final = 100
_KEPT_BYTES: Final = 2 * 2**20  # of memory: some 2,000 members
_MEMBER_BYTES: Final = 450
"""The size of a member without texts; the texts count twice, besides the document."""

_AS_COLUMNS: Final[Document] = {
    "$group": {
        "_id": "$user_id",
        "ids": {"$push": "$group_id"},
        "seqs": {"$push": "$joined_seq"},
        "joined_ms": {"$push": {"$subtract": ["$joined_at", datetime.fromtimestamp(0, UTC)]}},
    }
}
"""A document for each user instead of one for each membership, which costs several times as much to decode."""
_COUNT_GROUPS: Final[Document] = {"$group": {"_id": "$user_id", "groups": {"$sum": 1}}}
DUPLICATE_KEY: Final = 11000  # MongoDB's error code


class GroupCount(NamedTuple):
    """In how many groups a user is, and whether the group of the query is one of them."""

    groups: int
    is_member: bool


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
        Index(
            "members",
            [("user_id", 1), ("added", 1)],
            "the groups to which others added a user, who did not agree so far",
            partial={"added": True},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._members = database.collection("members")
        self._members_naive = database.collection("members", naive_instants=True)
        self._cache = database.decoded_cache(
            "members",
            _to_keyed,
            max_bytes=_KEPT_BYTES,
            size_of=lambda raw, _: 3 * len(raw) + _MEMBER_BYTES,
        )
        self._reader = RequestBatcher(self._find_keys)
        # Few at once: each may be in thousands of groups.
        self._group_ids_reader = RequestBatcher(self._find_group_ids, max_keys=_USERS_A_QUERY)

    def find_member(
        self, group_id: GroupId, user_id: UserId, tx: Tx | None = None
    ) -> Awaitable[Member | None]:
        """The membership, if there is one. Without a `tx` the query starts at once, and concurrent callers share it."""
        key = join_key(group_id, user_id)
        return self._find_in(tx, key) if tx is not None else self._reader.find(key)

    async def _find_in(self, tx: Tx, key: str) -> Member | None:
        return (await self._find_keys([key], tx)).get(key)

    async def _find_keys(self, keys: Collection[str], tx: Tx | None = None) -> dict[str, Member]:
        # The group ids select the shards.
        group_ids = {key.partition(SEPARATOR)[0] for key in keys}
        found = await self._cache.find(
            {"_id": {"$in": list(keys)}, "group_id": {"$in": list(group_ids)}},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        return dict(found)

    def query_members(
        self, group_id: GroupId, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, Member]]:
        """The members among these users, as a query to send together with others."""
        return BatchedQuery(self._members, _by_id(group_id, user_ids), _members_by_user)

    def query_members_by_group(
        self, users: UsersByGroup
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Member]]]:
        """The members among these users of several groups, as a query to send together with others."""
        return BatchedQuery(self._members, match_users(users), _members_by_group)

    def query_cached_members(
        self, group_id: GroupId, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, Member]]:
        """As `query_members`, for users who ask often: an unchanged member is the same object."""
        return BatchedQuery(
            self._members, _by_id(group_id, user_ids), _known_by_user, cache=self._cache
        )

    def query_cached_pairs(
        self, pairs: Iterable[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], Member]]:
        """Those of the memberships that exist, of users who ask often: an unchanged member is the same object."""
        return BatchedQuery(self._members, _of_pairs(set(pairs)), _known_by_pair, cache=self._cache)

    def query_authors(
        self, of_states: BatchedQuery[Any], group_ids: Collection[GroupId]
    ) -> BatchedQuery[set[tuple[GroupId, UserId]]]:
        """Which authors of the streams of these groups are members, behind the query for the streams' states."""
        return BatchedQuery(
            self._members,
            {"group_id": {"$in": list(group_ids)}},
            lambda rows: {(row["group_id"], row["user_id"]) for row in rows},
            {"$project": {"_id": 0, "group_id": 1, "user_id": 1}},
            joined_on=JoinedOn(of_states, AUTHOR_KEY, "_id"),
        )

    def query_changed(
        self, pairs: Iterable[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], tuple[Member, int]]]:
        """These memberships, each with the time of its last change in milliseconds since 1970."""
        return BatchedQuery(
            self._members,
            _of_pairs(set(pairs)),
            lambda rows: {
                (row["group_id"], row["user_id"]): (_to_member(row), row["changed_ms"])
                for row in rows
            },
            {"$set": {"changed_ms": {"$toLong": {"$max": ["$joined_at", "$changed_at"]}}}},
        )

    def query_memberships(
        self, user_ids: Iterable[UserId]
    ) -> BatchedQuery[dict[UserId, dict[StreamId, MembershipRow]]]:
        """As `list_memberships` with times, as a query to send together with others. Users without any are absent."""
        # Uses index: user_id_1_group_id_1_joined_seq_1
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: _to_rows(row) for row in rows},
            _AS_COLUMNS,
        )

    def query_pairs(
        self, pairs: Iterable[tuple[GroupId, UserId]]
    ) -> BatchedQuery[dict[tuple[GroupId, UserId], MembershipRow]]:
        """As `find_memberships` without times, as a query to send together with others."""
        return BatchedQuery(
            self._members,
            _of_pairs(set(pairs)),
            lambda rows: {
                (row["group_id"], row["user_id"]): MembershipRow(row["group_id"], row["joined_seq"])
                for row in rows
            },
            {"$project": {"_id": 0, "group_id": 1, "user_id": 1, "joined_seq": 1}},
        )

    def query_group_counts(self, user_ids: Iterable[UserId]) -> BatchedQuery[dict[UserId, int]]:
        """In how many groups each user is, as a query to send together with others."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: row["groups"] for row in rows},
            _COUNT_GROUPS,
        )

    def query_added_counts(self, user_ids: Iterable[UserId]) -> BatchedQuery[dict[UserId, int]]:
        """As `query_group_counts`, of the groups to which others added the user, who did not agree so far."""
        # Uses index: user_id_1_added_1 (partial)
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}, "added": True},
            lambda rows: {row["_id"]: row["groups"] for row in rows},
            _COUNT_GROUPS,
        )

    async def find_staff(self, group_id: GroupId, tx: Tx | None = None) -> list[Member]:
        # Uses index: group_id_1_staff_1 (partial)
        cursor = self._members.find(
            {"group_id": group_id, "staff": True}, session=tx.session if tx else None
        )
        return [_to_member(document) for document in await cursor.to_list(None)]

    def query_staff(
        self, group_ids: Iterable[GroupId]
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Member]]]:
        """As `find_staff`, of several groups, as a query to send together with others."""
        # Uses index: group_id_1_staff_1 (partial)
        match: Document = {"group_id": {"$in": list(group_ids)}, "staff": True}
        return BatchedQuery(self._members, match, _members_by_group)

    async def list_user_ids(self, *, after: str, rows: int) -> list[UserId]:
        """The users, each once and by id, of the next `rows` memberships of users behind `after`."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered). In the background: it asks every shard.
        cursor = self._members.find(
            {"user_id": {"$gt": after}},
            {"_id": 0, "user_id": 1},
            sort=[("user_id", 1)],
            limit=rows,
            batch_size=ONE_REPLY,
        )
        return list(dict.fromkeys(UserId(row["user_id"]) for row in await cursor.to_list(None)))

    async def list_of_group(
        self, group_id: GroupId, *, after: str, limit: int, prefix: str = ""
    ) -> list[Member]:
        """Members whose id starts with `prefix`, by user id, behind `after`."""
        # Uses index: _id, whose order is group, then user; group_id selects the shard.
        start = join_key(group_id, max(after, prefix))
        bounds: Document = {"$gt": start} if after >= prefix else {"$gte": start}
        bounds["$lt"] = join_key(group_id, prefix) + "\U0010ffff"
        query: Document = {"_id": bounds, "group_id": group_id}
        cursor = self._members.find(query, sort=[("_id", 1)], limit=limit)
        return [_to_member(document) for document in await cursor.to_list(None)]

    async def find_before(self, group_id: GroupId, user_id: UserId, tx: Tx) -> UserId | None:
        """The member whose id is the greatest below this one; None: there is none."""
        # Uses index: _id, whose order is group, then user; group_id selects the shard.
        key: Document = {"$gt": join_key(group_id, ""), "$lt": join_key(group_id, user_id)}
        row = await self._members.find_one(
            {"_id": key, "group_id": group_id},
            {"user_id": 1},
            sort=[("_id", -1)],
            session=tx.session,
        )
        return UserId(row["user_id"]) if row else None

    async def find_members(
        self, group_id: GroupId, user_ids: Collection[UserId]
    ) -> dict[UserId, Member]:
        """Those of the users who are members."""
        if not user_ids:
            return {}
        cursor = self._members.find(_by_id(group_id, user_ids), batch_size=ONE_REPLY)
        return _members_by_user(await cursor.to_list(None))

    async def list_of_user(self, user_id: UserId, *, after: str, limit: int) -> list[Member]:
        """The user's memberships by group id, behind `after`."""
        # Uses index: user_id_1_group_id_1_joined_seq_1
        query: Document = {"user_id": user_id, "group_id": {"$gt": after}}
        cursor = self._members.find(query, sort=[("group_id", 1)], limit=limit)
        return [_to_member(document) for document in await cursor.to_list(None)]

    async def find_of_user(
        self, user_id: UserId, group_ids: Sequence[GroupId]
    ) -> dict[GroupId, Member]:
        # Uses index: user_id_1_group_id_1_joined_seq_1
        cursor = self._members.find({"user_id": user_id, "group_id": {"$in": list(group_ids)}})
        members = [_to_member(document) for document in await cursor.to_list(None)]
        return {member.group_id: member for member in members}

    async def list_group_ids(self, user_id: UserId) -> list[GroupId]:
        """The ids of the groups the user is in; concurrent callers, as after a restart, share one query."""
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

    async def list_roles(self, user_id: UserId, tx: Tx) -> dict[GroupId, Role]:
        """The roles of the user in all their groups."""
        # Uses index: user_id_1_group_id_1_joined_seq_1
        cursor = self._members.find(
            {"user_id": user_id},
            {"group_id": 1, "role": 1},
            session=tx.session,
            batch_size=ONE_REPLY,
        )
        return {row["group_id"]: Role(row["role"]) for row in await cursor.to_list(None)}

    async def count_groups(self, user_ids: Sequence[UserId], tx: Tx) -> dict[UserId, int]:
        """In how many groups each user is by their own will, with one command for each user."""
        counts: dict[UserId, int] = {}
        for user_id in user_ids:
            of_all, of_added = (
                self.query_group_counts([user_id]),
                self.query_added_counts([user_id]),
            )
            await self._database.fetch(tx, of_all, of_added)
            counts[user_id] = of_all.result.get(user_id, 0) - of_added.result.get(user_id, 0)
        return counts

    async def agree(self, group_id: GroupId, user_id: UserId, tx: Tx) -> None:
        """Store that the user agrees to their membership; without one this changes nothing."""
        key: Document = {"_id": join_key(group_id, user_id), "group_id": group_id}
        await self._members.update_one(key, {"$unset": {"added": ""}}, session=tx.session)

    def touch(self, memberships: Collection[tuple[GroupId, UserId]], tx: Tx) -> None:
        """Write these memberships, which may be thousands, so that a transaction that ends one conflicts.

        Collected (`Tx.write`).
        """
        if memberships:
            query: Document = {
                "_id": {"$in": [join_key(group_id, user_id) for group_id, user_id in memberships]},
                "group_id": {"$in": list({group_id for group_id, _ in memberships})},
            }
            more: Document = {"$inc": {"touched": 1}}
            tx.write(self._members, UpdateMany(query, more))

    def query_group_counts_beside(
        self, group_id: GroupId, user_ids: Collection[UserId]
    ) -> BatchedQuery[dict[UserId, GroupCount]]:
        """As `query_group_counts`, and whether this group is among the groups of each user."""
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        is_this = {"$eq": ["$group_id", group_id]}
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: GroupCount(row["groups"], row["is_member"]) for row in rows},
            {"$group": _COUNT_GROUPS["$group"] | {"is_member": {"$max": is_this}}},
        )

    def insert_many(self, members: Iterable[Member], tx: Tx) -> None:
        """Insert members who are known not to exist; collected (`Tx.write`)."""
        tx.write(self._members, *(InsertOne(_to_document(member)) for member in members))

    async def insert_plain(
        self,
        group_id: GroupId,
        user_ids: Sequence[UserId],
        *,
        joined_at: datetime,
        joined_seq: int,
        muted_until: Mapping[UserId, datetime],
        tx: Tx,
    ) -> None:
        """Insert new plain members without making a `Member` for each; `muted_until` has the muted ones."""
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
        # The bare command: the driver's `insert_many` keeps a record of each document, which takes as long again as
        # encoding it. The records serve retries without a transaction and the splitting of large inserts. We have a
        # transaction, and a batch is a hundredth of that size.
        answer = await self._members.database.command(
            {"insert": self._members.name, "documents": documents}, session=tx.session
        )
        for error in answer.get("writeErrors", ()):
            kind = DuplicateKeyError if error["code"] == DUPLICATE_KEY else OperationFailure
            raise kind(error["errmsg"], error["code"], error)

    def replace(self, member: Member, changed_at: datetime, tx: Tx) -> None:
        """Store the changed member; collected (`Tx.write`). `changed_at` is the time of the change."""
        values = _to_document(member) | {"changed_at": changed_at}
        key: Document = {"_id": values.pop("_id"), "group_id": values.pop("group_id")}
        # Field by field, so that fields of a newer version stay.
        update: Document = {"$set": values}
        absent = [name for name in _OPTIONAL if name not in values]
        if absent:
            update["$unset"] = dict.fromkeys(absent, "")
        tx.write(self._members, UpdateOne(key, update))

    def delete_memberships(self, users: UsersByGroup, tx: Tx) -> None:
        """Delete the memberships of these users in several groups; collected (`Tx.write`)."""
        if users:
            tx.write(self._members, DeleteMany(match_users(users)))

    async def delete_many(
        self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx | None = None
    ) -> None:
        await self._members.delete_many(
            _by_id(group_id, user_ids), session=tx.session if tx else None
        )

    async def list_memberships(
        self, user_ids: Collection[UserId], tx: Tx | None = None, *, with_times: bool = False
    ) -> dict[UserId, dict[StreamId, MembershipRow]]:
        """The memberships of each of the users, by the group's stream."""
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
        memberships: dict[UserId, dict[StreamId, MembershipRow]] = {
            user_id: {} for user_id in user_ids
        }
        for row in await cursor.to_list(None):
            group_id = row["group_id"]
            joined_ms = milliseconds_of(row["joined_at"]) if with_times else 0
            membership = _membership_row((group_id, row["joined_seq"], joined_ms, "", 0))
            memberships[row["user_id"]][stream_of(group_id)] = membership
        return memberships

    async def find_memberships(
        self, pairs: Iterable[tuple[GroupId, UserId]], tx: Tx | None = None
    ) -> dict[tuple[GroupId, UserId], MembershipRow]:
        """The memberships that exist among these pairs, with times."""
        cursor = self._members_naive.find(
            _of_pairs(set(pairs)),
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


def _of_pairs(pairs: Collection[tuple[GroupId, UserId]]) -> Document:
    return {
        "_id": {"$in": [join_key(group_id, user_id) for group_id, user_id in pairs]},
        "group_id": {"$in": list({group_id for group_id, _ in pairs})},
    }


def _by_id(group_id: GroupId, user_ids: Iterable[UserId]) -> Document:
    """The condition that finds the memberships of these users by their `_id`s."""
    keys = [join_key(group_id, user_id) for user_id in user_ids]
    return {"_id": {"$in": keys}, "group_id": group_id}


def _to_rows(columns: Document) -> dict[StreamId, MembershipRow]:
    ids: list[GroupId] = columns["ids"]
    values = zip(ids, columns["seqs"], columns["joined_ms"], repeat(""), repeat(0), strict=False)
    return dict(zip(map(stream_of, ids), map(_membership_row, values), strict=True))


def _members_by_group(rows: list[Document]) -> dict[GroupId, dict[UserId, Member]]:
    found: dict[GroupId, dict[UserId, Member]] = {}
    for row in rows:
        found.setdefault(row["group_id"], {})[row["user_id"]] = _to_member(row)
    return found


def _members_by_user(rows: list[Document]) -> dict[UserId, Member]:
    return {row["user_id"]: _to_member(row) for row in rows}


def _known_by_user(known: list[tuple[str, Member]]) -> dict[UserId, Member]:
    return {member.user_id: member for _, member in known}


def _known_by_pair(known: list[tuple[str, Member]]) -> dict[tuple[GroupId, UserId], Member]:
    return {(member.group_id, member.user_id): member for _, member in known}


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
    if not member.has_agreed:
        document["added"] = True
    return document


def _to_member(document: Document) -> Member:
    # Without validation, which happened when it was stored: lists hold thousands.
    return Member(
        group_id=document["group_id"],
        user_id=document["user_id"],
        role=Role(document["role"]),
        joined_at=document["joined_at"],
        joined_seq=document["joined_seq"],
        muted_until=document.get("muted_until"),
        name_card=document.get("name_card", ""),
        grants=_grants_in(document) if "grants" in document else None,
        has_agreed=not document.get("added", False),
    )


def _to_keyed(document: Document) -> tuple[str, Member]:
    return document["_id"], _to_member(document)


def _grants_in(document: Document) -> frozenset[Grant]:
    # A right of a newer version is ignored here.
    known = Grant._value2member_map_
    return frozenset(Grant(name) for name in document["grants"] if name in known)
