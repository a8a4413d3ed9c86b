"""The changes for one user: of memberships, of the profiles of their groups, and departures.

A document of `departures` is the last end of a membership; its `_id` is `user<US>group`, and the database deletes it
after `expires_at`. For the dialogue with a deleted channel it is `user<US>group<US>dialogue`. `kind` is absent for
channels. This store only reads `members`, `groups` and `disbanded`, which other stores own.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Final, NamedTuple

from pymongo import UpdateOne

from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import (
    ONE_REPLY,
    BatchedQuery,
    Changed,
    Database,
    Document,
    Index,
    Tx,
    as_columns,
    columns_in,
    is_since,
    milliseconds_of,
)
from groups.models import (
    CHANNEL_MARKER,
    Departure,
    DepartureKind,
    DepartureReason,
    MembershipRow,
    SuspensionMode,
    stream_of,
)

_IS_MARKED: Final[Document] = {f"custom.{CHANNEL_MARKER}": {"$exists": True}}
_OF_CHANNELS: Final[Document] = {"kind": None}
_LAST: Final = "\U0010ffff"
_membership: Final = MembershipRow._make
"""Half the cost of a call with arguments; a user may have thousands."""


class ProfileVersion(NamedTuple):
    """The version of a group's profile, and its time (milliseconds since 1970; 0: the first version).

    `hidden_at`: when the application hid the channel; None: it is not hidden, or that was not queried.
    """

    version: int
    changed_ms: int
    hidden_at: datetime | None = None


class ChangeStore:
    """The collection `departures`, and the times of changes in other collections."""

    INDEXES = (
        Index("departures", [("expires_at", 1)], "the TTL of departures", expire_after_seconds=0),
    )

    def __init__(self, database: Database) -> None:
        self._departures = database.collection("departures")
        self._members = database.collection("members", naive_instants=True)
        self._groups = database.collection("groups", naive_instants=True)
        self._disbanded = database.collection("disbanded")

    def put_departures(self, departures: Iterable[Departure], expires_at: datetime, tx: Tx) -> None:
        """Store departures; a later departure replaces an earlier one. Collected (`Tx.write`)."""
        for departure in departures:
            values = _to_document(departure, expires_at)
            key = {name: values.pop(name) for name in ("_id", "user_id")}
            update: Document = {"$set": values}
            if "kind" not in values:  # the id may have been a chat group's before
                update["$unset"] = {"kind": ""}
            tx.write(self._departures, UpdateOne(key, update, upsert=True))

    async def put_many_departures(
        self, departures: Sequence[Departure], expires_at: datetime, tx: Tx
    ) -> None:
        """As `put_departures`, for a thousand of one channel: two commands that cost a fifth (measured)."""
        documents = [_to_document(departure, expires_at) for departure in departures]
        keys = [document["_id"] for document in documents]
        users = [document["user_id"] for document in documents]
        await self._departures.delete_many(
            {"_id": {"$in": keys}, "user_id": {"$in": users}}, session=tx.session
        )
        await self._departures.insert_many(documents, session=tx.session)

    async def list_departures(
        self, user_id: UserId, since: datetime, *, after: str, limit: int
    ) -> list[Departure]:
        """The user's departures from channels at or after the instant, by channel id, behind `after`."""
        # Uses index: _id, whose order is user, then group; user_id selects the shard.
        bounds: Document = {
            "$gt": join_key(user_id, after),
            "$lt": join_key(user_id, "") + _LAST,
        }
        query: Document = {"_id": bounds, "user_id": user_id, "at": {"$gte": since}, **_OF_CHANNELS}
        cursor = self._departures.find(query, sort=[("_id", 1)], limit=limit)
        return [_to_departure(row) for row in await cursor.to_list(None)]

    def query_departures_of_users(
        self, user_ids: Collection[UserId], since: datetime, *, limit: int
    ) -> BatchedQuery[list[Departure]]:
        """As `query_departures` of all these users together, each's in order, from the beginning."""
        # Uses index: _id, of which it reads the range of each prefix; user_id selects the shards.
        prefixes = [re.compile("^" + re.escape(join_key(user_id, ""))) for user_id in user_ids]
        return BatchedQuery(
            self._departures,
            {
                "_id": {"$in": prefixes},
                "user_id": {"$in": list(user_ids)},
                "at": {"$gte": since},
            },
            _to_departures,
            {"$sort": {"_id": 1}},
            {"$limit": limit},
        )

    def query_departures(
        self, user_id: UserId, since: datetime, *, after: str, limit: int
    ) -> BatchedQuery[list[Departure]]:
        """The user's departures of every kind at or after the instant, by `departure_key`, behind `after`."""
        # Uses index: _id, whose order is user, then group; user_id selects the shard.
        bounds: Document = {"$gt": join_key(user_id, after), "$lt": join_key(user_id, "") + _LAST}
        return BatchedQuery(
            self._departures,
            {"_id": bounds, "user_id": user_id, "at": {"$gte": since}},
            _to_departures,
            {"$sort": {"_id": 1}},
            {"$limit": limit},
        )

    def query_departures_of(
        self, user_id: UserId, keys: Collection[str], since: datetime
    ) -> BatchedQuery[list[Departure]]:
        """Those of the departures with these keys (`departure_key`) that were at or after the instant."""
        ids = [join_key(user_id, key) for key in keys]
        query: Document = {"_id": {"$in": ids}, "user_id": user_id, "at": {"$gte": since}}
        return BatchedQuery(self._departures, query, _to_departures)

    def query_departed(
        self, group_id: GroupId, user_ids: Collection[UserId]
    ) -> BatchedQuery[set[UserId]]:
        """Those of the users who left the group or were removed, as long as that is kept."""
        # Uses index: _id; user_id selects the shards.
        keys = [join_key(user_id, group_id) for user_id in user_ids]
        query: Document = {"_id": {"$in": keys}, "user_id": {"$in": list(user_ids)}}
        # An earlier group with the same id may have been deleted.
        query["reason"] = {"$ne": DepartureReason.DELETED.value}
        return BatchedQuery(
            self._departures,
            query,
            lambda rows: {UserId(row["user_id"]) for row in rows},
            {"$project": {"user_id": 1}},
        )

    def query_memberships(
        self, user_ids: Collection[UserId], since: datetime, *, with_times: bool
    ) -> BatchedQuery[dict[UserId, Changed[StreamId, MembershipRow]]]:
        """All memberships of each user by the groups' streams, and those that changed at or after the instant.

        Only these have a role and all times, unless `with_times` asks when each began.
        """
        # Uses index: user_id_1_group_id_1_joined_seq_1
        columns: Document = {"ids": "$group_id", "seqs": "$joined_seq"}
        if with_times:
            columns["joined_ms"] = {"$toLong": "$joined_at"}
        where = is_since(since, "$joined_at", "$changed_at")
        parse = _to_timed_memberships if with_times else _to_memberships
        return BatchedQuery(
            self._members,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: parse([row]) for row in rows},
            as_columns(columns, where=where, details=_AS_ROW, by="$user_id"),
        )

    def query_versions(
        self, group_ids: Collection[GroupId], since: datetime
    ) -> BatchedQuery[dict[GroupId, ProfileVersion]]:
        """The groups and channels among these whose profile changed at or after the instant."""
        return BatchedQuery(
            self._groups,
            {"_id": {"$in": list(group_ids)}, "changed_at": {"$gte": since}},
            _to_versions,
            {"$project": {"version": 1, "changed_ms": {"$toLong": "$changed_at"}}},
        )

    def query_ended(
        self, group_ids: Collection[GroupId], since: datetime
    ) -> BatchedQuery[dict[GroupId, tuple[datetime, bool]]]:
        """Those of the groups that ended at or after the instant and whose remains exist; whether it was a channel."""
        return BatchedQuery(
            self._disbanded,
            {"_id": {"$in": list(group_ids)}, "at": {"$gte": since}},
            lambda rows: {row["_id"]: (row["at"], row.get("was_channel", False)) for row in rows},
        )

    def query_hidden(
        self, group_ids: Collection[GroupId], since: datetime
    ) -> BatchedQuery[dict[GroupId, datetime]]:
        """Those of the channels that the application hid at or after the instant, and still hides; when it did."""
        return BatchedQuery(
            self._groups,
            {
                "_id": {"$in": list(group_ids)},
                "suspension.mode": SuspensionMode.HIDDEN.value,
                "suspension.at": {"$gte": since},
            },
            lambda rows: {row["_id"]: row["suspension"]["at"].replace(tzinfo=UTC) for row in rows},
            {"$project": {"suspension.at": 1}},
        )

    async def list_memberships(self, user_id: UserId) -> dict[GroupId, MembershipRow]:
        """All memberships of the user, also in disbanded groups whose remains still exist."""
        # Uses index: user_id_1_group_id_1_joined_seq_1
        return await self._find_memberships({"user_id": user_id})

    async def find_memberships(
        self, user_id: UserId, group_ids: Sequence[GroupId]
    ) -> dict[GroupId, MembershipRow]:
        """The user's memberships in those of the groups that the user is in."""
        if not group_ids:
            return {}
        keys = [join_key(group_id, user_id) for group_id in group_ids]
        return await self._find_memberships(
            {"_id": {"$in": keys}, "group_id": {"$in": list(group_ids)}}
        )

    async def _find_memberships(self, query: Document) -> dict[GroupId, MembershipRow]:
        fields: Document = dict.fromkeys(
            ("group_id", "role", "joined_at", "joined_seq", "changed_at"), 1
        )
        fields["_id"] = 0
        cursor = self._members.find(query, fields, batch_size=ONE_REPLY)
        return {row["group_id"]: _to_membership(row) for row in await cursor.to_list(None)}

    async def find_versions(
        self, group_ids: Collection[GroupId], since: datetime, also: Collection[GroupId]
    ) -> dict[GroupId, ProfileVersion]:
        """The channels among these groups whose profile changed at or after the instant, or that are in `also`."""
        changed: list[Document] = [{"changed_at": {"$gte": since}}, {"_id": {"$in": list(also)}}]
        cursor = self._groups.find(
            {"_id": {"$in": list(group_ids)}, **_IS_MARKED, "$or": changed},
            {"version": 1, "changed_at": 1, "suspension.mode": 1, "suspension.at": 1},
            batch_size=ONE_REPLY,
        )
        rows = await cursor.to_list(None)
        return {
            row["_id"]: ProfileVersion(row["version"], _changed_ms(row), _hidden_at(row))
            for row in rows
        }

    async def find_ended(
        self, group_ids: Collection[GroupId], since: datetime
    ) -> dict[GroupId, datetime]:
        """The channels among these that were deleted at or after the instant, and whose remains still exist."""
        cursor = self._disbanded.find(
            {"_id": {"$in": list(group_ids)}, "was_channel": True, "at": {"$gte": since}},
            batch_size=ONE_REPLY,
        )
        return {row["_id"]: row["at"] for row in await cursor.to_list(None)}


def departure_key(group_id: str, *, is_dialogue: bool) -> str:
    """The order of a user's departures, in which a dialogue follows the group; unique among them."""
    return join_key(group_id, DepartureKind.DIALOGUE.value) if is_dialogue else group_id


def _to_document(departure: Departure, expires_at: datetime) -> Document:
    is_dialogue = departure.kind is DepartureKind.DIALOGUE
    key = departure_key(departure.group_id, is_dialogue=is_dialogue)
    document: Document = {
        "_id": join_key(departure.user_id, key),
        "user_id": departure.user_id,
        "group_id": departure.group_id,
        "reason": departure.reason.value,
        "at": departure.at,
        "expires_at": expires_at,
    }
    if departure.kind is not DepartureKind.CHANNEL:
        document["kind"] = departure.kind.value
    return document


def _to_departure(row: Document) -> Departure:
    user_id, group_id = row["_id"].split(SEPARATOR)[:2]
    return Departure(
        GroupId(group_id),
        UserId(user_id),
        DepartureReason(row["reason"]),
        row["at"],
        DepartureKind(row.get("kind", DepartureKind.CHANNEL.value)),
    )


def _to_departures(rows: list[Document]) -> list[Departure]:
    return [_to_departure(row) for row in rows]


_AS_ROW: Final[Document] = {
    "group_id": "$group_id",
    "joined_seq": "$joined_seq",
    "joined_ms": {"$toLong": "$joined_at"},
    "role": "$role",
    # The greatest, since a process whose clock is behind may have made the later change.
    "changed_ms": {"$toLong": {"$max": ["$joined_at", "$changed_at"]}},
}
"""Instants as the database's numbers, which cost less than half to decode."""


def _to_memberships(rows: list[Document]) -> Changed[StreamId, MembershipRow]:
    (ids, seqs), details = columns_in(rows, "ids", "seqs")
    return _with_changed(ids, zip(ids, seqs, repeat(0), repeat(""), repeat(0)), details)


def _to_timed_memberships(rows: list[Document]) -> Changed[StreamId, MembershipRow]:
    (ids, seqs, joined_ms), details = columns_in(rows, "ids", "seqs", "joined_ms")
    return _with_changed(ids, zip(ids, seqs, joined_ms, repeat(""), repeat(0)), details)


def _with_changed(
    ids: list[GroupId], values: Iterable[tuple[object, ...]], details: list[Document]
) -> Changed[StreamId, MembershipRow]:
    memberships = dict(zip(map(stream_of, ids), map(_membership, values), strict=True))
    changed = {stream_of(row["group_id"]): MembershipRow(**row) for row in details}
    memberships |= changed
    return Changed(memberships, changed)


def _to_versions(rows: list[Document]) -> dict[GroupId, ProfileVersion]:
    return {row["_id"]: ProfileVersion(row["version"], row["changed_ms"]) for row in rows}


def _to_membership(row: Document) -> MembershipRow:
    joined_ms = milliseconds_of(row["joined_at"])
    changed_ms = max(joined_ms, _changed_ms(row))
    return MembershipRow(row["group_id"], row["joined_seq"], joined_ms, row["role"], changed_ms)


def _hidden_at(row: Document) -> datetime | None:
    suspension = row.get("suspension")
    if not suspension or suspension["mode"] != SuspensionMode.HIDDEN.value:
        return None
    at: datetime = suspension["at"].replace(tzinfo=UTC)
    return at


def _changed_ms(row: Document) -> int:
    changed_at = row.get("changed_at")
    return milliseconds_of(changed_at) if changed_at is not None else 0
