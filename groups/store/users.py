"""User documents; `_id` is the user id. A user needs no document: everyone with a token is a user.

They hold the profile, the keys by which its name is found (`NameKey`), and when it changed; `revoked_at`, until when
the user's tokens are revoked; and `account_kind`, with `account_kind_at` once it has changed. Without an
`account_kind`, nobody said what the user is: a person, so far.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from pymongo import UpdateOne

from groups.kernel.ids import UserId
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx
from groups.kernel.mongo.driver import Operation
from groups.kernel.text.bounded import folded
from groups.models import AccountKind, User

_HAS_PROFILE: Final[Document] = {
    "$or": [
        {"name": {"$exists": True}},
        {"face_url": {"$exists": True}},
        {"account_kind": AccountKind.BUSINESS.value},
    ]
}
"""A document without these fields was only touched, or holds only a revocation."""
_WITH_CHANGE: Final[Document] = {
    "$project": {
        "name": 1,
        "face_url": 1,
        "account_kind": 1,
        "changed_ms": {"$toLong": "$changed_at"},
    }
}


_LAST_CHARACTER: Final = "\U0010ffff"
_KEYED_AT_ONCE: Final = 1_000


class NameKey(StrEnum):
    """The fields by which a name is found: what it begins with, and what its last word begins with, both folded.

    Two fields, and not one that holds every word: an index on an array cannot give pages in the order of its keys.
    """

    WHOLE = "name_key"
    LAST_WORD = "last_word_key"


class NamedUser(NamedTuple):
    """A user by the key of their name; the order of a search."""

    key: str
    user_id: UserId


def name_keys(name: str) -> dict[NameKey, str]:
    """The keys of a name. `LAST_WORD` is empty where the name is one word, so that a search finds nobody twice."""
    whole = folded(name)
    first, _, last = whole.rpartition(" ")
    return {NameKey.WHOLE: whole, NameKey.LAST_WORD: last if first else ""}


class UserStore:
    """The `users` collection."""

    INDEXES = (
        # Written with each change of a name: 40 to 90 bytes in each index.
        *(
            Index(
                "users",
                [(key.value, 1), ("_id", 1)],
                f"users by {key.value}, of those who have one",
                partial={key.value: {"$gt": ""}},
            )
            for key in NameKey
        ),
        Index(
            "users",
            [("revoked_at", 1)],
            "the users with revoked tokens, at the start of a process",
            partial={"revoked_at": {"$type": "date"}},
        ),
        Index(
            "users",
            [("account_kind_at", 1)],
            "the business accounts, at the start of a process",
            partial={"account_kind_at": {"$type": "date"}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database.collection("users")

    async def find_many(self, user_ids: Iterable[UserId]) -> dict[UserId, User]:
        """The profiles of those of the users who have one. A business account always has."""
        cursor = self._users.find({"_id": {"$in": list(user_ids)}, **_HAS_PROFILE})
        return {row["_id"]: _to_user(row) for row in await cursor.to_list(None)}

    def query_many(self, user_ids: Iterable[UserId]) -> BatchedQuery[dict[UserId, User]]:
        """As `find_many`, as a query to send together with others."""
        return BatchedQuery(
            self._users,
            {"_id": {"$in": list(user_ids)}, **_HAS_PROFILE},
            lambda rows: {row["_id"]: _to_user(row) for row in rows},
        )

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

    async def find_face_urls(self, user_ids: Collection[UserId], tx: Tx) -> dict[UserId, str]:
        """The addresses of the avatars of those of the users who have one."""
        cursor = self._users.find(
            {"_id": {"$in": list(user_ids)}, "face_url": {"$exists": True}},
            {"face_url": 1},
            session=tx.session,
        )
        return {row["_id"]: row["face_url"] for row in await cursor.to_list(None)}

    async def put_many(
        self, values: Mapping[UserId, Document], at: datetime | None, tx: Tx
    ) -> None:
        """Set these fields of each of the users, in one command; `at` is when their profiles changed, if they did."""
        changed: Document = {} if at is None else {"changed_at": at}
        operations: list[Operation] = [
            UpdateOne({"_id": user_id}, {"$set": {**_with_keys(fields), **changed}}, upsert=True)
            for user_id, fields in values.items()
        ]
        await self._database.apply(self._users, operations, tx)

    async def list_by_name(
        self, key: NameKey, prefix: str, *, after: NamedUser | None, limit: int
    ) -> list[NamedUser]:
        """Users whose key begins with `prefix`, which is folded and not empty, in the order of the key, then the id."""
        # Uses index: <key>_1__id_1 (partial). It asks every shard; the order of the keys is that of the whole.
        end = prefix + _LAST_CHARACTER
        query: Document = {key.value: {"$gte": prefix, "$lt": end}}
        if after is not None:
            query = {
                "$or": [
                    {key.value: after.key, "_id": {"$gt": after.user_id}},
                    {key.value: {"$gt": after.key, "$lt": end}},
                ]
            }
        cursor = self._users.find(
            query, {key.value: 1}, sort=[(key.value, 1), ("_id", 1)], limit=limit
        )
        return [NamedUser(row[key.value], row["_id"]) for row in await cursor.to_list(None)]

    async def list_ids(self, *, after: str, limit: int) -> list[UserId]:
        """A page of the users with a document, by id, behind `after`."""
        # Uses index: _id (covered). In the background: it asks every shard.
        cursor = self._users.find(
            {"_id": {"$gt": after}},
            {"_id": 1},
            sort=[("_id", 1)],
            limit=limit,
            batch_size=ONE_REPLY,
        )
        return [UserId(row["_id"]) for row in await cursor.to_list(None)]

    async def key_all_names(self) -> None:
        """Add the keys to the users whose names an older version stored; repeating it changes nothing."""
        after = ""
        while rows := await self._named_after(after):
            # Only where the name is still the same: a process that changes it writes its keys.
            operations: list[Operation] = [
                UpdateOne({"_id": row["_id"], "name": row["name"]}, {"$set": _with_keys(row)})
                for row in rows
            ]
            await self._users.bulk_write(operations, ordered=False)
            after = rows[-1]["_id"]

    async def _named_after(self, user_id: str) -> list[Document]:
        cursor = self._users.find(
            {"_id": {"$gt": user_id}, "name": {"$exists": True}},
            {"name": 1},
            sort=[("_id", 1)],
            limit=_KEYED_AT_ONCE,
        )
        return await cursor.to_list(None)

    async def find_account_kinds(
        self, user_ids: Collection[UserId], tx: Tx
    ) -> dict[UserId, AccountKind]:
        """What was said of those of the users of whom anything was."""
        cursor = self._users.find(
            {"_id": {"$in": list(user_ids)}, "account_kind": {"$exists": True}},
            {"account_kind": 1},
            session=tx.session,
        )
        return {row["_id"]: AccountKind(row["account_kind"]) for row in await cursor.to_list(None)}

    async def set_account_kinds(
        self, kinds: Mapping[UserId, AccountKind], at: datetime | None, tx: Tx
    ) -> None:
        """Set the kinds of these users; `at` is when they changed, None where they were such before."""
        changed: Document = {} if at is None else {"account_kind_at": at}
        await self.put_many(
            {user_id: {"account_kind": kind.value, **changed} for user_id, kind in kinds.items()},
            at,
            tx,
        )

    async def list_account_kinds(self) -> dict[UserId, tuple[datetime, AccountKind]]:
        """All users whose kind changed once: when it last did, and what they are since."""
        # Uses index: account_kind_at_1
        cursor = self._users.find(
            {"account_kind_at": {"$type": "date"}}, {"account_kind": 1, "account_kind_at": 1}
        )
        return {
            UserId(row["_id"]): (row["account_kind_at"], AccountKind(row["account_kind"]))
            for row in await cursor.to_list(None)
        }

    def touch_many(self, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Write the users' documents, so that two transactions which both do conflict and one runs again.

        Collected (`Tx.write`).
        """
        more: Document = {"$inc": {"touched": 1}}
        tx.write(
            self._users, *(UpdateOne({"_id": user_id}, more, upsert=True) for user_id in user_ids)
        )

    async def revoke(self, user_id: UserId, at: datetime, tx: Tx) -> None:
        """Revoke the tokens that were issued to the user until then."""
        await self._users.update_one(
            {"_id": user_id}, {"$max": {"revoked_at": at}}, upsert=True, session=tx.session
        )

    async def find_revoked(self, user_id: UserId, tx: Tx) -> datetime | None:
        """Until when the user's tokens are revoked; None: none is."""
        row = await self._users.find_one({"_id": user_id}, {"revoked_at": 1}, session=tx.session)
        return row.get("revoked_at") if row else None

    async def list_revoked(self) -> dict[UserId, datetime]:
        """All users with revoked tokens, and until when."""
        # Uses index: revoked_at_1
        cursor = self._users.find({"revoked_at": {"$type": "date"}}, {"revoked_at": 1})
        return {UserId(row["_id"]): row["revoked_at"] for row in await cursor.to_list(None)}


def _with_keys(fields: Document) -> Document:
    if "name" not in fields:
        return fields
    return {**fields, **{key.value: value for key, value in name_keys(fields["name"]).items()}}


def _to_user(row: Document) -> User:
    return User(
        user_id=row["_id"],
        name=row.get("name", ""),
        face_url=row.get("face_url", ""),
        account_kind=row.get("account_kind", AccountKind.PERSON),
    )
