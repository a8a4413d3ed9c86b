"""Group documents: `_id` is the group id; custom fields are a sub-document."""

import re
from collections.abc import Awaitable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from pymongo import UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import (
    DESCENDING,
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
    aggregate,
)
from groups.models import (
    CHANNEL_MARKER,
    Disbanded,
    Group,
    GroupType,
    Model,
    SuspensionMode,
    Visibility,
)

_MARK = f"custom.{CHANNEL_MARKER}"
_IS_MARKED: Document = {_MARK: {"$exists": True}}
_IS_SUSPENDED: Document = {"suspension.mode": {"$exists": True}}
_IS_REDATING: Document = {"redate_from": {"$exists": True}}
_HAS_MARKING: Document = {"marking.by": {"$exists": True}}

DirectorySort = Literal["popular", "new"]
_KEPT_BYTES = 2 * 2**20  # of memory: some 400 groups
_IGNORED_FIELDS = ("touched", "changed_at", "redate_from")
"""Fields that changes write and nobody reads: a group that differs only in them counts as unchanged."""
_TOUCH: Document = {"$inc": {"touched": 1}}
_UNCLAIMED: Document = {"$unset": {"holder": "", "leased_until": ""}}
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_SORT_FIELD = {"popular": "member_count", "new": "created_at"}


class GroupStore:
    """The collections `groups` and `disbanded`, the groups whose remains still exist, and imports under way."""

    INDEXES = (
        Index(
            "groups",
            [(_MARK, 1), ("member_count", DESCENDING), ("_id", 1)],
            "the directory of channels by size",
            partial=_IS_MARKED,
        ),
        Index(
            "groups",
            [(_MARK, 1), ("created_at", DESCENDING), ("_id", 1)],
            "the directory of channels by age",
            partial=_IS_MARKED,
        ),
        Index(
            "groups", [("owner_id", 1), ("_id", 1)], "the channels a user owns", partial=_IS_MARKED
        ),
        Index(
            "groups",
            [("type", 1), ("_id", 1)],
            "all groups, or those of a type, for the application's back end",
        ),
        Index("groups", [("created_by", 1), (_MARK, 1)], "the groups and channels a user created"),
        Index(
            "groups",
            [("marking.by", 1)],
            "the groups of others that a user made channels",
            partial=_HAS_MARKING,
        ),
        Index(
            "groups",
            [("suspension.mode", 1), ("_id", 1)],
            "the channels that the application suspended",
            partial=_IS_SUSPENDED,
        ),
        Index(
            "groups",
            [("redate_from", 1)],
            "the groups whose messages get another time to end at",
            partial=_IS_REDATING,
        ),
        Index("disbanded", [], "found by _id, or all of them"),
    )

    def __init__(self, database: Database) -> None:
        self._groups = database.collection("groups")
        self._disbanded = database.collection("disbanded")
        self._cache = database.decoded_cache(
            "groups",
            _to_group,
            max_bytes=_KEPT_BYTES,
            size_of=_size_of,
            ignored_fields=_IGNORED_FIELDS,
        )
        self._reader = RequestBatcher(self.find_many)

    async def insert(self, group: Group, tx: Tx) -> None:
        """Insert a group whose id is known to be free."""
        await self._groups.insert_one(_to_document(group), session=tx.session)

    def find_group(self, group_id: GroupId, tx: Tx | None = None) -> Awaitable[Group | None]:
        """The group, if it exists. Without a `tx` the query starts at once, and concurrent callers share it."""
        return self._find_in(tx, group_id) if tx is not None else self._reader.find(group_id)

    async def _find_in(self, tx: Tx, group_id: GroupId) -> Group | None:
        document = await self._groups.find_one({"_id": group_id}, session=tx.session)
        return _to_group(document) if document else None

    def query_group(self, group_id: GroupId) -> BatchedQuery[Group | None]:
        """As `find_group`, as a query to send together with others."""
        return BatchedQuery(
            self._groups,
            {"_id": group_id},
            lambda groups: groups[0] if groups else None,
            cache=self._cache,
        )

    def query_groups(self, group_ids: Collection[GroupId]) -> BatchedQuery[dict[GroupId, Group]]:
        """As `find_many`, as a query to send together with others."""
        return BatchedQuery(
            self._groups,
            {"_id": {"$in": list(group_ids)}},
            lambda groups: {group.group_id: group for group in groups},
            cache=self._cache,
        )

    async def find_many(self, group_ids: Collection[GroupId]) -> dict[GroupId, Group]:
        groups = await self._cache.find({"_id": {"$in": list(group_ids)}})
        return {group.group_id: group for group in groups}

    async def find_hiding(self, group_ids: Collection[GroupId]) -> list[Group]:
        """Those of the groups in which some members may not read all that was written (`policy.hides_history`)."""
        hides = [
            {"history_visible": False},
            {"marking.is_history_shared": False},
            {"ended_seq": {"$gt": 0}},
        ]
        # By key, with the condition beside it: nearly no group hides anything, so little is returned.
        return await self._cache.find(
            {"_id": {"$in": list(group_ids)}, "$or": hides}, hint=[("_id", 1)], batch_size=ONE_REPLY
        )

    async def update(
        self,
        group_id: GroupId,
        values: Mapping[str, object],
        tx: Tx,
        *,
        changed_at: datetime | None = None,
        joined: int = 0,
    ) -> None:
        """Set these fields, and add `joined`, which may be negative, to the member count.

        `changed_at` is the time of a change of the profile, here or in a higher package; it increments `version`.
        """
        update = _update(values, changed_at, joined)
        if update:
            await self._groups.update_one({"_id": group_id}, update, session=tx.session)

    def collect_update(
        self,
        group_id: GroupId,
        values: Mapping[str, object],
        tx: Tx,
        *,
        changed_at: datetime | None = None,
        joined: int = 0,
        is_asked: bool = False,
    ) -> None:
        """As `update`, but collected (`Tx.write`); without any change it touches the group.

        A touch makes two transactions which both write the group conflict, so that one of them runs again. `is_asked`
        notes that somebody asks to join (`Group.has_requests`), which is no change of the profile.
        """
        update = _update(values, changed_at, joined)
        if is_asked:
            update["$set"] = {**update.get("$set", {}), "has_requests": True}
        update = update or _TOUCH
        tx.write(self._groups, UpdateOne({"_id": group_id}, update))

    async def begin_redating(self, group_id: GroupId, tx: Tx) -> None:
        """Note that the messages of the group get another time to end at, from the first one on."""
        await self._groups.update_one(
            {"_id": group_id}, {"$set": {"redate_from": 0}}, session=tx.session
        )

    async def list_redating(self, limit: int) -> list[GroupId]:
        """Groups whose messages get another time to end at."""
        # Uses index: redate_from_1 (partial: those groups)
        cursor = self._groups.find(_IS_REDATING, {"_id": 1}).limit(limit)
        return [GroupId(row["_id"]) for row in await cursor.to_list(None)]

    async def find_redating(self, group_id: GroupId, tx: Tx) -> tuple[int, int] | None:
        """How many days the group keeps messages, and the seq up to which they have that time; None: all have."""
        row = await self._groups.find_one(
            {"_id": group_id, **_IS_REDATING},
            {"retention_days": 1, "redate_from": 1},
            session=tx.session,
        )
        return (row.get("retention_days", 0), row["redate_from"]) if row else None

    async def put_redating(self, group_id: GroupId, upto: int | None, tx: Tx) -> None:
        """Store up to which seq messages have their time; None: all have."""
        update: Document = (
            {"$set": {"redate_from": upto}} if upto else {"$unset": {"redate_from": 1}}
        )
        await self._groups.update_one({"_id": group_id}, update, session=tx.session)

    async def raise_ended(self, group_id: GroupId, seq: int, tx: Tx) -> None:
        """Hide the messages up to this seq from everybody."""
        await self._groups.update_one(
            {"_id": group_id},
            {"$max": {"ended_seq": seq}, "$currentDate": {"changed_at": True}},
            session=tx.session,
        )

    async def touch(self, group_ids: Iterable[GroupId], tx: Tx) -> None:
        """Write the groups' documents, so that two transactions which both do conflict and one runs again."""
        await self._groups.update_many(
            {"_id": {"$in": list(group_ids)}}, _TOUCH, session=tx.session
        )

    async def delete(self, group: Group, at: datetime, tx: Tx) -> None:
        """Delete the group; its id stays taken until its remains are deleted."""
        await self._groups.delete_one({"_id": group.group_id}, session=tx.session)
        await self._disbanded.insert_one(
            {"_id": group.group_id, "at": at, "was_channel": group.is_channel}, session=tx.session
        )

    async def is_being_cleared(self, group_id: GroupId, tx: Tx) -> bool:
        """Whether the remains of a disbanded group of this id still exist."""
        return await self.find_disbanded(group_id, tx) is not None

    async def list_disbanded(self) -> list[GroupId]:
        return [document["_id"] for document in await self._disbanded.find({}).to_list(None)]

    async def find_disbanded(self, group_id: GroupId, tx: Tx) -> Disbanded | None:
        row = await self._disbanded.find_one({"_id": group_id}, session=tx.session)
        return Disbanded(row["at"], row.get("was_channel", False)) if row else None

    async def touch_disbanded(self, group_id: GroupId, tx: Tx) -> bool:
        """Whether the remains still exist. It writes, so it conflicts with `forget_disbanded`."""
        result = await self._disbanded.update_one(
            {"_id": group_id}, {"$inc": {"steps": 1}}, session=tx.session
        )
        return result.matched_count == 1

    async def take_remains(self, group_id: GroupId, now: datetime, tx: Tx) -> bool:
        """Whether there are remains to delete: of a disbanded group, or of an import whose lease has ended.

        From then on the import has lost its claim, and writes nothing more (`claim_import`).
        """
        ended: Document = {"_id": group_id, "leased_until": {"$lte": now}}
        await self._disbanded.update_one(ended, _UNCLAIMED, session=tx.session)
        row = await self._disbanded.find_one({"_id": group_id}, session=tx.session)
        return row is not None and "holder" not in row

    async def claim_import(self, group_id: GroupId, holder: str, until: datetime, tx: Tx) -> bool:
        """Take the id for an import, whose documents are the remains of a group that ended long ago until it appears.

        Returns False where the id is taken.
        """
        taken = await self._groups.find_one({"_id": group_id}, {"_id": 1}, session=tx.session)
        if taken is not None or await self.is_being_cleared(group_id, tx):
            return False
        values = {"holder": holder, "leased_until": until, "was_channel": True}
        # So long ago that no device asks for what happened since, and learns of a group that it never saw.
        await self._disbanded.insert_one(
            {"_id": group_id, "at": _LONG_AGO, **values}, session=tx.session
        )
        return True

    async def hold_import(self, group_id: GroupId, holder: str, until: datetime, tx: Tx) -> bool:
        """Extend the claim; False where it was lost. It writes, so it conflicts with `take_remains`."""
        result = await self._disbanded.update_one(
            {"_id": group_id, "holder": holder},
            {"$set": {"leased_until": until}, "$inc": {"steps": 1}},
            session=tx.session,
        )
        return result.matched_count == 1

    async def drop_claim(self, group_id: GroupId, holder: str, tx: Tx) -> None:
        """Give up the import: what it wrote may be deleted."""
        await self._disbanded.update_one(
            {"_id": group_id, "holder": holder}, _UNCLAIMED, session=tx.session
        )

    async def finish_import(self, group_id: GroupId, holder: str, tx: Tx) -> bool:
        """End the claim: what was imported is the group's from now on. False where it was lost."""
        result = await self._disbanded.delete_one(
            {"_id": group_id, "holder": holder}, session=tx.session
        )
        return result.deleted_count == 1

    async def forget_disbanded(self, group_id: GroupId, tx: Tx) -> None:
        """Free the id: the remains are deleted."""
        await self._disbanded.delete_one({"_id": group_id}, session=tx.session)

    async def find_marked(
        self,
        *,
        words: str,
        sort: DirectorySort,
        after: tuple[int | datetime, str] | None,
        limit: int,
        with_private: bool,
    ) -> list[Group]:
        """Channels whose name, id or introduction contain `words`, behind the sort key `after`."""
        # Uses index: custom.official_account_1_<field>_-1__id_1; at most as many as a deployment has channels.
        field = _SORT_FIELD[sort]
        conditions = _listed(with_private=with_private) + _holding(words)
        if after is not None:
            value, group_id = after
            conditions.append(
                {"$or": [{field: {"$lt": value}}, {field: value, "_id": {"$gt": group_id}}]}
            )
        cursor = self._groups.find(
            {"$and": conditions}, sort=[(field, DESCENDING), ("_id", 1)], limit=limit
        )
        return [_to_group(document) for document in await cursor.to_list(None)]

    async def list_marked_ids(self, *, words: str, with_private: bool) -> list[GroupId]:
        """The ids of the channels whose name, id or introduction contain `words`."""
        # At most as many as a deployment has channels.
        conditions = _listed(with_private=with_private) + _holding(words)
        cursor = self._groups.find({"$and": conditions}, {"_id": 1})
        return [document["_id"] for document in await cursor.to_list(None)]

    async def list_by_id(
        self, types: Collection[GroupType], *, after: str, limit: int
    ) -> list[Group]:
        """The groups of these types, by id, behind `after`."""
        # Uses index: type_1__id_1, of which it merges one range for each type
        query: Document = {"type": {"$in": [one.value for one in types]}, "_id": {"$gt": after}}
        cursor = self._groups.find(query, sort=[("_id", 1)], limit=limit)
        return [_to_group(document) for document in await cursor.to_list(None)]

    async def count_created_groups(self, user_id: UserId, most: int, tx: Tx) -> int:
        """How many groups the user created that exist and are no channels; counts up to `most`."""
        # Uses index: created_by_1_custom.official_account_1
        return await self._count({"created_by": user_id, _MARK: None}, most, tx)

    async def count_created_channels(self, user_id: UserId, most: int, tx: Tx) -> int:
        """How many channels exist that the user created, or made of groups; counts up to `most`."""
        # Uses indexes: created_by_1_custom.official_account_1, and marking.by_1 (partial)
        created = {"created_by": user_id, _MARK: {"$gte": ""}, "marking.by": None}
        return await self._count({"$or": [created, {"marking.by": user_id}]}, most, tx)

    async def _count(self, query: Document, most: int, tx: Tx) -> int:
        pipeline: list[Document] = [
            {"$match": query},
            {"$limit": max(1, most)},
            {"$count": "count"},
        ]
        rows = await aggregate(self._groups, pipeline, session=tx.session)
        return int(rows[0]["count"]) if rows else 0

    async def find_owned(self, owner_id: UserId, *, after: str, limit: int) -> list[Group]:
        """The channels that the user owns, by id, behind `after`."""
        # Uses index: owner_id_1__id_1 (partial: channels)
        query: Document = {"owner_id": owner_id, "_id": {"$gt": after}, **_IS_MARKED}
        cursor = self._groups.find(query, sort=[("_id", 1)], limit=limit)
        return [_to_group(document) for document in await cursor.to_list(None)]

    async def find_suspended(self, *, after: str, limit: int) -> list[Group]:
        """The suspended channels, by id, behind `after`."""
        # Uses index: suspension.mode_1__id_1 (partial), of which it merges one range for each mode
        modes = [mode.value for mode in SuspensionMode]
        query: Document = {"suspension.mode": {"$in": modes}, "_id": {"$gt": after}}
        cursor = self._groups.find(query, sort=[("_id", 1)], limit=limit)
        return [_to_group(document) for document in await cursor.to_list(None)]

    async def list_owned_by(self, owner_ids: Collection[UserId]) -> list[Group]:
        """The channels that any of these users owns: at most as many as a deployment has channels."""
        # Uses index: owner_id_1__id_1 (partial: channels)
        return await self._cache.find({"owner_id": {"$in": list(owner_ids)}, **_IS_MARKED})


def _listed(*, with_private: bool) -> list[Document]:
    """The channels of the directory; the application, which sees the private ones, sees the hidden ones too."""
    if with_private:
        return [_IS_MARKED]
    is_shown: Document = {"suspension.mode": {"$ne": SuspensionMode.HIDDEN.value}}
    return [_IS_MARKED, {"visibility": Visibility.PUBLIC.value}, is_shown]


def _holding(words: str) -> list[Document]:
    if not words:
        return []
    # Escaped: the words are text, not a pattern.
    pattern = {"$regex": re.escape(words), "$options": "i"}
    return [{"$or": [{"name": pattern}, {"_id": pattern}, {"introduction": pattern}]}]


def _update(values: Mapping[str, object], changed_at: datetime | None, joined: int) -> Document:
    update: Document = {}
    if changed_at is not None:
        stored = {
            name: value.model_dump(mode="python") if isinstance(value, Model) else value
            for name, value in values.items()
        }
        update["$set"] = {**stored, "changed_at": changed_at}
        update["$inc"] = {"version": 1}
    if joined:
        update["$inc"] = {**update.get("$inc", {}), "member_count": joined}
    return update


def _to_document(group: Group) -> Document:
    document = group.model_dump(mode="python")
    document["_id"] = document.pop("group_id")
    return document


def _size_of(raw: bytes, group: Group) -> int:
    choice = group.reactions
    return 3 * len(raw) + 4_000 + (0 if isinstance(choice, str) else 130 * len(choice))


def _to_group(document: Document) -> Group:
    document["group_id"] = document.pop("_id")
    return Group.from_stored(document)
