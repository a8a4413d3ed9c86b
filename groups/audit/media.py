"""Checks of stored uploads: bytes and records belong together, and counters are what records and messages say."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from groups.audit.joins import merged, union
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.store.media import MediaStore
from groups.store.media_usage import DEPLOYMENT, STORED_BYTES, usage_key
from groups.store.streams import StreamStore

_MEDIA_ID: Final[dict[str, Any]] = {
    "$arrayElemAt": [{"$split": ["$_id", SEPARATOR]}, 0],
}
"""The id of the upload that a stored file is a version of."""

_USES: Final[list[dict[str, Any]]] = [
    {"$match": {"content.media.0": {"$exists": True}}},
    {"$project": {"media": "$content.media.media_id"}},
    {"$unwind": "$media"},
    {"$group": {"_id": "$media", "used": {"$sum": 1}}},
]


_AVATARS: Final[list[dict[str, Any]]] = [
    # `/v1/media/{id}`, perhaps with `?size=`; other values are addresses elsewhere.
    {"$match": {"face_url": {"$regex": "^/v1/media/"}}},
    {"$project": {"path": {"$arrayElemAt": [{"$split": ["$face_url", "?"]}, 0]}}},
    {"$project": {"media": {"$arrayElemAt": [{"$split": ["$path", "/"]}, 3]}}},
    {"$group": {"_id": "$media", "used": {"$sum": 1}}},
]


def checks(database: Database, content_collections: Sequence[str]) -> list[Check]:
    """The checks of uploads; `content_collections` are collections whose documents have a content as messages do."""
    audit = _Audit(database, MediaStore(database), content_collections)
    return [
        Check(
            "P1",
            "stored bytes and uploads belong together",
            "uploads",
            lambda snapshot: snapshot.count("media"),
            audit.bytes,
        ),
        Check(
            "P1",
            "each upload counts the messages and profiles that use it",
            "uploads",
            lambda snapshot: snapshot.count("media"),
            audit.uses,
        ),
        Check(
            "P11",
            "each user's and the deployment's bytes of uploads are those that the records say",
            "users with uploads",
            lambda snapshot: snapshot.count("media_usage"),
            audit.usage,
        ),
        Check(
            "P11",
            "each stream counts the bytes that its messages carry",
            "streams",
            lambda snapshot: snapshot.count("streams"),
            audit.carried,
        ),
    ]


class _Audit:
    def __init__(
        self, database: Database, store: MediaStore, content_collections: Sequence[str]
    ) -> None:
        self._database = database
        self._store = store
        self._streams = StreamStore(database)
        self._content_collections = content_collections

    async def bytes(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Bytes are stored after their record and deleted before it, so there are none without a record."""
        rows = snapshot.rows(
            "media",
            [
                {"$match": {"state": "stored"}},
                {"$project": {"stored": {"$literal": 1}, "known": {"$literal": 1}}},
                union(
                    "media",
                    {"$match": {"state": {"$ne": "stored"}}},
                    {"$project": {"known": {"$literal": 1}}},
                ),
                union(
                    "blobs.files",
                    {"$project": {"_id": _MEDIA_ID, "original": {"$eq": ["$_id", _MEDIA_ID]}}},
                    {
                        "$project": {
                            "held": {"$literal": 1},
                            "whole": {"$cond": ["$original", 1, None]},
                        }
                    },
                ),
                # Covered by the index, whose two fields the condition is on: no chunk's bytes are read.
                union(
                    "blobs.chunks",
                    {"$match": {"files_id": {"$gte": ""}, "n": 0}},
                    {"$project": {"_id": "$files_id"}},
                    {"$project": {"_id": _MEDIA_ID, "held": {"$literal": 1}}},
                ),
                merged("stored", "known", "held", "whole"),
                {"$match": {"$or": [{"known": None, "held": 1}, {"stored": 1, "whole": None}]}},
            ],
        )
        async for row in rows:
            subject = f"upload {row['_id']}"
            if row["known"] is None:
                problem = "has bytes and no record"
                yield Finding("P1", subject, problem, self._deleting_bytes(row["_id"]))
            else:
                yield Finding("P1", subject, "has a record and no bytes")

    def _deleting_bytes(self, media_id: str) -> Repair:
        async def repair() -> str | None:
            deleted = await self._store.delete_orphaned_bytes(media_id)
            return "deleted the bytes" if deleted else None

        return repair

    async def uses(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Too low a count would delete an upload that a message shows; too high a count would keep it for ever."""
        rows = snapshot.rows(
            "media",
            [
                {"$match": {"state": "stored"}},
                {"$project": {"uses": 1}},
                union("messages", *_USES),
                *(union(collection, *_USES) for collection in self._content_collections),
                union("groups", *_AVATARS),
                union("users", *_AVATARS),
                {"$group": {"_id": "$_id", "uses": {"$max": "$uses"}, "used": {"$sum": "$used"}}},
                {"$match": {"$expr": {"$ne": [{"$ifNull": ["$used", 0]}, "$uses"]}}},
            ],
        )
        async for row in rows:
            subject, used = f"upload {row['_id']}", row["used"] or 0
            if row["uses"] is None:
                yield Finding("P1", subject, f"does not exist, and {used} messages show it")
            else:
                problem = f"counts {row['uses']} uses, {used} messages show it"
                yield Finding("P1", subject, problem, self._recounting(row["_id"]))

    def _recounting(self, media_id: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            changed = await self._store.recount(
                media_id, tx, content_collections=self._content_collections
            )
            return None if changed is None else f"set its uses from {changed[0]} to {changed[1]}"

        return lambda: self._database.run(work)

    async def usage(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Too low a counter would let a quota be exceeded; too high a counter would refuse uploads that have room."""
        is_used = {"$gt": ["$uses", 0]}
        in_records = {
            "recorded": {"$sum": STORED_BYTES},
            "recorded_unused": {"$sum": {"$cond": [is_used, 0, STORED_BYTES]}},
        }
        counters = ("bytes", "unused_bytes", "recorded", "recorded_unused")
        differences = [
            {"$ne": ["$bytes", "$recorded"]},
            {"$ne": ["$unused_bytes", "$recorded_unused"]},
        ]
        user = {"$concat": [usage_key(UserId("")), "$uploader_id"]}
        rows = snapshot.rows(
            "media_usage",
            [
                {"$project": {"bytes": 1, "unused_bytes": 1}},
                union("media", {"$group": {"_id": user, **in_records}}),
                union(
                    "media",
                    {"$group": {"_id": {"$literal": DEPLOYMENT}, **in_records}},
                    {"$unset": "recorded_unused"},
                ),
                {"$group": {"_id": "$_id", **{name: {"$sum": f"${name}"} for name in counters}}},
                {"$match": {"$expr": {"$or": differences}}},
            ],
        )
        async for row in rows:
            key = row["_id"]
            whose = key if key == DEPLOYMENT else f"user {key.removeprefix(usage_key(UserId('')))}"
            problem = f"counts {row['bytes']} bytes of uploads, stored are {row['recorded']}"
            if row["unused_bytes"] != row["recorded_unused"]:
                problem = (
                    f"counts {row['unused_bytes']} unused bytes of uploads,"
                    f" stored are {row['recorded_unused']}"
                )
            yield Finding("P11", whose, problem, self._counting_usage(key))

    def _counting_usage(self, key: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            before, after = await self._store.usage.recount(key, tx)
            if before == after:
                return None
            return f"set its bytes from {before.total} ({before.unused} unused) to {after.total} ({after.unused})"

        return lambda: self._database.run(work)

    async def carried(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """A stream that counts wrongly would refuse posts too early or too late."""
        sums = {name: {"$sum": f"${name}"} for name in ("counted", "carried")}
        rows = snapshot.rows(
            "streams",
            [
                {
                    "$project": {
                        "counted": {"$ifNull": ["$media_bytes", 0]},
                        "there": {"$literal": 1},
                    }
                },
                union(
                    "messages",
                    {"$match": {"content.media.0": {"$exists": True}}},
                    {"$project": {"stream_id": 1, "more": {"$sum": "$content.media.size_bytes"}}},
                    {"$group": {"_id": "$stream_id", "carried": {"$sum": "$more"}}},
                ),
                {"$group": {"_id": "$_id", "there": {"$max": "$there"}, **sums}},
                # A stream that has ended has no document any more, and its messages are being deleted.
                {"$match": {"there": 1, "$expr": {"$ne": ["$counted", "$carried"]}}},
            ],
        )
        async for row in rows:
            problem = (
                f"counts {row['counted']} bytes of uploads, its messages carry {row['carried']}"
            )
            subject = f"stream {row['_id']}"
            yield Finding("P11", subject, problem, self._counting_carried(StreamId(row["_id"])))

    def _counting_carried(self, stream_id: StreamId) -> Repair:
        async def work(tx: Tx) -> str | None:
            before, after = await self._streams.recount_media_bytes(stream_id, tx)
            return f"set its bytes from {before} to {after}" if before != after else None

        return lambda: self._database.run(work)
