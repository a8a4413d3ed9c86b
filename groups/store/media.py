"""Uploads: their records, and their bytes in GridFS.

`media`: `_id` is the media id. `uses` is the number of messages and profiles that use the upload; while it is 0, the
upload is deleted at `expires_at`. `stored_bytes` is what the upload counts for in `media_usage`. `key` and `digest` (of
the bytes) are there when the caller gave an idempotency key. The bytes are in `blobs` (`media_bytes`).

No bytes without a record: the record is written before them (`incoming`) and deleted after them (`doomed`). Only the
sweep sees a record in either state; it finishes what a crash has left half done.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne

from groups.kernel.ids import UserId
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx, aggregate
from groups.models import Media
from groups.store.media_bytes import MediaBytes
from groups.store.media_usage import MediaUsage, MediaUsageStore, bytes_of, usage_key

_INCOMING: Final = "incoming"
_STORED: Final = "stored"
_DOOMED: Final = "doomed"
_COUNTED: Final[Document] = {"uploader_id": 1, "uses": 1, "size_bytes": 1, "stored_bytes": 1}
"""The fields of a record that decide what it counts for in `media_usage`."""


class UploadKey(NamedTuple):
    """The caller's idempotency key, and the digest of the bytes that came with it."""

    key: str
    digest: str


class MediaStore:
    """The collection `media` and the bucket `blobs`."""

    INDEXES = (
        # A partial index, so that the sweep does not look at uploads in use.
        Index(
            "media",
            [("expires_at", 1)],
            "uploads that nothing used in time",
            partial={"expires_at": {"$type": "date"}},
        ),
        Index(
            "media",
            [("uploader_id", 1), ("key", 1)],
            "an upload that is repeated",
            unique=True,
            partial={"key": {"$exists": True}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self.usage = MediaUsageStore(database)
        self.bytes = MediaBytes(database)
        self._media = database.collection("media")
        self._messages = database.collection("messages")
        self._groups = database.collection("groups")
        self._users = database.collection("users")
        self._database = database

    async def insert_incoming(
        self, uploads: Sequence[tuple[Media, UploadKey | None]], tx: Tx
    ) -> None:
        """Record and count uploads whose bytes are about to be stored; neither their ids nor their keys are taken."""
        documents = []
        changes: dict[UserId, MediaUsage] = {}
        for media, key in uploads:
            document = media.model_dump(mode="python") | {"state": _INCOMING}
            document["_id"] = document.pop("media_id")
            if key is not None:
                document |= {"key": key.key, "digest": key.digest}
            documents.append(document)
            more = MediaUsage(media.stored_bytes, media.stored_bytes)
            changes[media.uploader_id] = changes.get(media.uploader_id, MediaUsage()) + more
        await self._media.insert_many(documents, session=tx.session)
        await self.usage.add(changes, tx)

    async def find_recorded(self, media_ids: Sequence[str], tx: Tx) -> set[str]:
        """The ids of the recorded ones among the uploads, in any state."""
        cursor = self._media.find({"_id": {"$in": list(media_ids)}}, {"_id": 1}, session=tx.session)
        return {row["_id"] for row in await cursor.to_list(None)}

    async def is_key_taken(self, uploader_id: UserId, key: str, tx: Tx) -> bool:
        """Whether an upload of the user has the key, in any state."""
        # Uses index: uploader_id_1_key_1
        found = await self._media.find_one(
            {"uploader_id": uploader_id, "key": key}, {"_id": 1}, session=tx.session
        )
        return found is not None

    async def mark_stored(self, media: Media, key: UploadKey | None) -> bool:
        """Show the upload, whose bytes are stored; False when its record has expired or lost its key meanwhile."""
        of_key = {"key": key.key} if key is not None else {}
        query = {"_id": media.media_id, "state": _INCOMING, **of_key}
        values = {"state": _STORED, "expires_at": media.expires_at}
        return bool((await self._media.update_one(query, {"$set": values})).matched_count)

    async def find_by_key(self, uploader_id: UserId, key: str) -> tuple[Media, str] | None:
        """The stored upload with the user's key, and the digest of its bytes."""
        # Uses index: uploader_id_1_key_1
        query = {"uploader_id": uploader_id, "key": key, "state": _STORED}
        document = await self._media.find_one(query)
        return (_to_media(document), str(document["digest"])) if document else None

    async def free_key(self, uploader_id: UserId, key: str) -> None:
        """Take the key from an upload whose bytes are not stored; `mark_stored` then returns False."""
        # Uses index: uploader_id_1_key_1
        await self._media.update_one(
            {"uploader_id": uploader_id, "key": key, "state": {"$ne": _STORED}},
            {"$unset": {"key": ""}},
        )

    async def find_upload(self, media_id: str) -> Media | None:
        document = await self._media.find_one({"_id": media_id, "state": _STORED})
        return _to_media(document) if document else None

    def query_media(self, media_ids: Iterable[str]) -> BatchedQuery[dict[str, Media]]:
        """The stored ones among the uploads, by id."""
        return BatchedQuery(
            self._media,
            {"_id": {"$in": list(media_ids)}, "state": _STORED},
            lambda rows: {row["_id"]: _to_media(row) for row in rows},
        )

    async def find_uploads(self, media_ids: Iterable[str], tx: Tx) -> dict[str, Media]:
        """The stored ones among the uploads, by id."""
        cursor = self._media.find(
            {"_id": {"$in": list(media_ids)}, "state": _STORED}, session=tx.session
        )
        return {row["_id"]: _to_media(row) for row in await cursor.to_list(None)}

    async def use(self, media_ids: Iterable[str], tx: Tx) -> None:
        """Count one use more for each time an id is listed; a sweep conflicts with this, or finds the upload used."""
        moved: dict[UserId, MediaUsage] = {}
        for media_id, times in Counter(media_ids).items():
            before = await self._media.find_one_and_update(
                {"_id": media_id},
                {"$inc": {"uses": times}, "$set": {"expires_at": None}},
                _COUNTED,
                session=tx.session,
            )
            _count_uses(moved, before, times)
        await self.usage.add(moved, tx)

    def use_known(self, media_ids: Iterable[str], known: Mapping[str, Media], tx: Tx) -> None:
        """Do as `use` does, with the other writes of the transaction, which has read these uploads."""
        moved: dict[UserId, MediaUsage] = {}
        for media_id, times in Counter(media_ids).items():
            more: Document = {"$inc": {"uses": times}, "$set": {"expires_at": None}}
            tx.write(self._media, UpdateOne({"_id": media_id}, more))
            media = known[media_id]
            _count_uses(moved, media.model_dump(include=set(_COUNTED)), times)
        self.usage.write_added(moved, tx)

    async def release(self, media_ids: Iterable[str], now: datetime, tx: Tx) -> None:
        """Count one use less for each time an id is listed; an upload without uses expires at once."""
        moved: dict[UserId, MediaUsage] = {}
        for media_id, times in Counter(media_ids).items():
            left = {"$subtract": ["$uses", times]}
            expires_at = {"$cond": [{"$lte": [left, 0]}, now, "$expires_at"]}
            before = await self._media.find_one_and_update(
                {"_id": media_id},
                [{"$set": {"uses": left, "expires_at": expires_at}}],
                _COUNTED,
                session=tx.session,
            )
            _count_uses(moved, before, -times)
        await self.usage.add(moved, tx)

    async def rename_uploader(
        self, media_id: str, old: UserId, new: UserId, now: datetime, tx: Tx
    ) -> None:
        """Count the upload as another uploader's, without its idempotency key; without uses it expires at once."""
        unused = {"$lte": ["$uses", 0]}
        before = await self._media.find_one_and_update(
            {"_id": media_id, "uploader_id": old},
            [
                {
                    "$set": {
                        "uploader_id": {"$literal": new},
                        "expires_at": {"$cond": [unused, now, "$expires_at"]},
                    }
                },
                {"$unset": ["key", "digest"]},
            ],
            session=tx.session,
        )
        if before is None:
            return
        size = bytes_of(before)
        usage = MediaUsage(size, 0 if before["uses"] > 0 else size)
        less = MediaUsage(-usage.total, -usage.unused)
        await self.usage.add({old: less, new: usage}, tx)

    async def list_expired(self, now: datetime, limit: int) -> list[str]:
        # Uses index: expires_at_1
        cursor = self._media.find({"expires_at": {"$lte": now}}, {"_id": 1}).limit(limit)
        return [row["_id"] for row in await cursor.to_list(None)]

    async def mark_doomed(self, media_id: str, now: datetime) -> bool:
        """Hide the upload, for deletion, if its time is over and nothing uses it; returns whether it is hidden."""
        outcome = await self._media.update_one(
            {"_id": media_id, "expires_at": {"$lte": now}},
            {"$set": {"state": _DOOMED}, "$unset": {"key": ""}},
        )
        return bool(outcome.matched_count)

    async def expire_incoming(self, media_id: str, now: datetime) -> None:
        """Let the sweep delete an upload that failed while its bytes were being stored."""
        await self._media.update_one(
            {"_id": media_id, "state": _INCOMING}, {"$set": {"expires_at": now}}
        )

    async def delete_records(self, media_ids: Sequence[str], tx: Tx) -> None:
        """Delete the records of doomed uploads whose bytes are deleted, and count them no more."""
        wanted = {"_id": {"$in": list(media_ids)}, "state": _DOOMED}
        rows = await self._media.find(wanted, _COUNTED, session=tx.session).to_list(None)
        if not rows:
            return
        gone: dict[UserId, MediaUsage] = {}
        for row in rows:
            size = bytes_of(row)
            less = MediaUsage(-size, 0 if row["uses"] > 0 else -size)
            gone[row["uploader_id"]] = gone.get(row["uploader_id"], MediaUsage()) + less
        # Two processes that sweep the same uploads conflict here, and the later one finds nothing left.
        await self._media.delete_many(
            {"_id": {"$in": [row["_id"] for row in rows]}}, session=tx.session
        )
        await self.usage.add(gone, tx)

    async def delete_orphaned_bytes(self, media_id: str) -> bool:
        """Delete the bytes of an upload that has no record; returns whether it has none."""
        if await self._media.find_one({"_id": media_id}, {"_id": 1}) is not None:
            return False
        await self.bytes.delete(media_id)
        return True

    async def recount(
        self, media_id: str, tx: Tx, *, content_collections: Sequence[str] = ()
    ) -> tuple[int, int] | None:
        """Set `uses` to what messages and profiles use; returns the old and the new value, or None if it was right.

        `content_collections` are collections of higher packages whose documents have a content as messages do. This
        reads all documents, so it is for repairs only. An upload without uses keeps its `expires_at`.
        """
        # Written before the uses are counted, so that concurrent uses and releases wait for this transaction.
        record = await self._media.find_one_and_update(
            {"_id": media_id, "state": _STORED}, {"$inc": {"uses": 1}}, session=tx.session
        )
        if record is None:
            return None
        used = 0
        for collection in (self._messages, *map(self._database.collection, content_collections)):
            rows = await aggregate(
                collection,
                [
                    {"$match": {"content.media.media_id": media_id}},
                    {"$unwind": "$content.media"},
                    {"$match": {"content.media.media_id": media_id}},
                    {"$group": {"_id": None, "n": {"$sum": 1}}},
                ],
                session=tx.session,
            )
            used += int(rows[0]["n"]) if rows else 0
        shown: Document = {"face_url": {"$regex": rf"^/v1/media/{re.escape(media_id)}(\?|$)"}}
        for collection in (self._groups, self._users):
            avatars = await collection.find(shown, {"_id": 1}, session=tx.session).to_list(None)
            used += len(avatars)
        expires_at = None if used else record["expires_at"] or record["created_at"]
        await self._media.update_one(
            {"_id": media_id},
            {"$set": {"uses": used, "expires_at": expires_at}},
            session=tx.session,
        )
        if (used > 0) != (record["uses"] > 0):
            await self.usage.recount(usage_key(record["uploader_id"]), tx)
        return None if used == record["uses"] else (int(record["uses"]), used)


def _count_uses(
    moved: dict[UserId, MediaUsage], before: Mapping[str, Any] | None, more: int
) -> None:
    """Note in `moved` how many of the uploader's bytes become used, or unused, by so many more uses."""
    if before is None or (before["uses"] > 0) == (before["uses"] + more > 0):
        return
    owner, size = before["uploader_id"], bytes_of(before)
    unused = size if before["uses"] > 0 else -size
    moved[owner] = moved.get(owner, MediaUsage()) + MediaUsage(0, unused)


def _to_media(document: Mapping[str, Any]) -> Media:
    values: Document = {"stored_bytes": document["size_bytes"], **document}
    values["media_id"] = values.pop("_id")
    return Media.from_stored(values)
