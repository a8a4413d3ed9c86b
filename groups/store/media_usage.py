"""Counters of the bytes that uploads take: one document in `media_usage` for each user, and one for the deployment.

`_id` is `user<US>` and the user id, or `deployment`. `bytes` counts every upload from before its bytes are stored until
its record is deleted; `unused_bytes` (of users only) counts those that no message or profile uses. A counter changes in
the transaction that changes the upload's record, so the two never disagree.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import UpdateOne

from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx, aggregate

DEPLOYMENT: Final = "deployment"
"""The key of the deployment's counter; a user's key is never equal to it, since it has a separator."""
STORED_BYTES: Final[Document] = {"$ifNull": ["$stored_bytes", "$size_bytes"]}
"""The bytes of an upload's record, as an expression; older records have only the size of the original."""


@dataclass(frozen=True, slots=True)
class MediaUsage:
    """Bytes of uploads: all stored ones, and those that nothing uses."""

    total: int = 0
    unused: int = 0

    def __add__(self, other: "MediaUsage") -> "MediaUsage":
        return MediaUsage(self.total + other.total, self.unused + other.unused)


def bytes_of(record: Mapping[str, Any]) -> int:
    """The bytes of an upload's record."""
    return int(record.get("stored_bytes", record["size_bytes"]))


def usage_key(user_id: UserId | None) -> str:
    """The key of a user's counters, or of the deployment's for None."""
    return DEPLOYMENT if user_id is None else join_key("user", user_id)


class MediaUsageStore:
    """The collection `media_usage`."""

    INDEXES = (Index("media_usage", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._usage = database.collection("media_usage")
        self._media = database.collection("media")

    async def read(
        self, user_ids: Collection[UserId], tx: Tx | None = None
    ) -> dict[UserId | None, MediaUsage]:
        """The counters of the users, and the deployment's under None."""
        keys = {usage_key(user_id): user_id for user_id in (*user_ids, None)}
        cursor = self._usage.find(
            {"_id": {"$in": list(keys)}}, session=tx.session if tx is not None else None
        )
        found = {keys[row["_id"]]: _to_usage(row) for row in await cursor.to_list(None)}
        return {user_id: found.get(user_id, MediaUsage()) for user_id in keys.values()}

    async def add(self, changes: Mapping[UserId, MediaUsage], tx: Tx) -> None:
        """Add to the counters of the users, and the sum to the deployment's, in one command at most."""
        await self._database.apply(self._usage, _added(changes), tx)

    def write_added(self, changes: Mapping[UserId, MediaUsage], tx: Tx) -> None:
        """Do as `add` does, with the other writes of the transaction."""
        tx.write(self._usage, *_added(changes))

    async def recount(self, key: str, tx: Tx) -> tuple[MediaUsage, MediaUsage]:
        """Set the counters to what the records say, which reads all of them; returns the old and the new values."""
        # Written before the records are read, so that a transaction that changes them conflicts with this one.
        before = await self._usage.find_one_and_update(
            {"_id": key}, {"$inc": {"bytes": 1}}, upsert=True, session=tx.session
        )
        user = key.removeprefix(usage_key(UserId("")))
        wanted: Document = {} if key == DEPLOYMENT else {"uploader_id": user}
        group = {"$group": {"_id": None, **_SUMS}}
        pipeline = [{"$match": wanted}, group]
        rows = await aggregate(self._media, pipeline, session=tx.session)
        after = _to_usage(rows[0]) if rows else MediaUsage()
        values = {"bytes": after.total}
        if key != DEPLOYMENT:
            values["unused_bytes"] = after.unused
        else:
            after = MediaUsage(after.total)
        await self._usage.update_one({"_id": key}, {"$set": values}, session=tx.session)
        return _to_usage(before or {}), after

    async def recount_all(self) -> None:
        """Count all uploads again, and overwrite the counters; no record may change meanwhile."""
        key_of_user = {"$concat": [usage_key(UserId("")), "$_id"]}
        by_user = [{"$group": {"_id": "$uploader_id", **_SUMS}}, {"$set": {"_id": key_of_user}}]
        whole = [{"$group": {"_id": DEPLOYMENT, **_SUMS}}, {"$unset": "unused_bytes"}]
        merge: Document = {"$merge": {"into": "media_usage", "whenMatched": "merge"}}
        for pipeline in (by_user, whole):
            await aggregate(self._media, [*pipeline, merge], allowDiskUse=True)


def _added(changes: Mapping[UserId, MediaUsage]) -> list[UpdateOne]:
    total = sum(change.total for change in changes.values())
    operations = [
        UpdateOne(
            {"_id": usage_key(user_id)},
            {"$inc": {"bytes": change.total, "unused_bytes": change.unused}},
            upsert=True,
        )
        for user_id, change in changes.items()
        if change != MediaUsage()
    ]
    if total:
        operations.append(UpdateOne({"_id": DEPLOYMENT}, {"$inc": {"bytes": total}}, upsert=True))
    return operations


_SUMS: Final[Document] = {
    "bytes": {"$sum": STORED_BYTES},
    "unused_bytes": {"$sum": {"$cond": [{"$gt": ["$uses", 0]}, 0, STORED_BYTES]}},
}


def _to_usage(row: Mapping[str, Any]) -> MediaUsage:
    return MediaUsage(int(row.get("bytes", 0)), int(row.get("unused_bytes", 0)))
