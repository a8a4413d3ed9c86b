"""Uploads: their records, and their bytes in GridFS.

`media`: `_id` is the media id; `uses` is how many messages hold it, `expires_at` when it is thrown away while that is
none; `stored_bytes` is what it counts for in `media_usage`; `key` and `digest` (of the bytes) are there where the
caller gave an idempotency key. `blobs.files` and `blobs.chunks` (GridFS): `_id` is the media id, or `media<US>size`
of a smaller version.

No bytes without a record: it is written before them (`incoming`) and deleted after them (`doomed`). A record in either
state is seen by nobody but the sweep, which ends what a crash has left half done.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from groups.kernel.ids import UserId
from groups.kernel.mongo import (
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
)
from groups.models import Media
from groups.store.media_bytes import MediaBytes
from groups.store.media_usage import MediaUsage, MediaUsageStore, bytes_of, usage_key

_INCOMING: Final = "incoming"
_STORED: Final = "stored"
_DOOMED: Final = "doomed"
_COUNTED: Final[Document] = {"uploader_id": 1, "uses": 1, "size_bytes": 1, "stored_bytes": 1}
"""What `media_usage` needs to know of a record."""


class UploadKey(NamedTuple):
    """The caller's idempotency key, and the digest of the bytes that came with it."""

    key: str
    digest: str


class MediaStore:
    """The collection `media` and the bucket `blobs`."""

    INDEXES = (
        # A partial index, so that the sweep looks at nothing that is in use.
        Index(
            "media",
            [("expires_at", 1)],
            "uploads that nobody used in time",
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

    # --- records --------------------------------------------------------------------------------------------------

    async def begin(self, uploads: Sequence[tuple[Media, UploadKey | None]], tx: Tx) -> None:
        """Record uploads whose bytes will be stored, and count them; none is there yet, nor has a taken key."""
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

    async def find_begun(self, media_ids: Sequence[str], tx: Tx) -> set[str]:
        """Those of the uploads that are recorded, in whatever state."""
        cursor = self._media.find({"_id": {"$in": list(media_ids)}}, {"_id": 1}, session=tx.session)
        return {row["_id"] for row in await cursor.to_list(None)}

    async def is_key_taken(self, uploader_id: UserId, key: str, tx: Tx) -> bool:
        """Whether an upload of the user has the key, in whatever state."""
        # Uses index: uploader_id_1_key_1
        found = await self._media.find_one(
            {"uploader_id": uploader_id, "key": key}, {"_id": 1}, session=tx.session
        )
        return found is not None

    async def finish(self, media: Media, key: UploadKey | None) -> bool:
        """The bytes are stored; False when the record has expired meanwhile, or has lost its key to a repetition."""
        of_key = {"key": key.key} if key is not None else {}
        outcome = await self._media.update_one(
            {"_id": media.media_id, "state": _INCOMING, **of_key},
            {"$set": {"state": _STORED, "expires_at": media.expires_at}},
        )
        return bool(outcome.matched_count)

    async def find_by_key(self, uploader_id: UserId, key: str) -> tuple[Media, str] | None:
        """The upload with the caller's key, and the digest of its bytes."""
        # Uses index: uploader_id_1_key_1
        document = await self._media.find_one(
            {"uploader_id": uploader_id, "key": key, "state": _STORED}
        )
        return (_to_media(document), str(document["digest"])) if document else None

    async def give_up_key(self, uploader_id: UserId, key: str) -> None:
        """Free the key of an upload whose bytes are not stored: its process ended, or it will find the key gone."""
        # Uses index: uploader_id_1_key_1
        await self._media.update_one(
            {"uploader_id": uploader_id, "key": key, "state": {"$ne": _STORED}},
            {"$unset": {"key": ""}},
        )

    async def find(self, media_id: str) -> Media | None:
        """The upload."""
        document = await self._media.find_one({"_id": media_id, "state": _STORED})
        return _to_media(document) if document else None

    def lookup_many(self, media_ids: Iterable[str]) -> BatchedQuery[dict[str, Media]]:
        """Those of the uploads that exist."""
        return BatchedQuery(
            self._media,
            {"_id": {"$in": list(media_ids)}, "state": _STORED},
            lambda rows: {row["_id"]: _to_media(row) for row in rows},
        )

    async def find_many(self, media_ids: Iterable[str], tx: Tx) -> dict[str, Media]:
        """Those of the uploads that exist."""
        cursor = self._media.find(
            {"_id": {"$in": list(media_ids)}, "state": _STORED}, session=tx.session
        )
        return {row["_id"]: _to_media(row) for row in await cursor.to_list(None)}

    async def use(self, media_ids: Iterable[str], tx: Tx) -> None:
        """Count one more message for each mention; the sweep conflicts with this, or finds it used."""
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

    async def release(self, media_ids: Iterable[str], now: datetime, tx: Tx) -> None:
        """Count one message less for each mention; what nobody uses any more expires at once."""
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

    async def list_expired(self, now: datetime, limit: int) -> list[str]:
        """Uploads whose time is over."""
        # Uses index: expires_at_1
        cursor = self._media.find({"expires_at": {"$lte": now}}, {"_id": 1}).limit(limit)
        return [row["_id"] for row in await cursor.to_list(None)]

    async def doom(self, media_id: str, now: datetime) -> bool:
        """Hide the record if its time is over and nobody uses it, for `delete`; whether it is."""
        outcome = await self._media.update_one(
            {"_id": media_id, "expires_at": {"$lte": now}},
            {"$set": {"state": _DOOMED}, "$unset": {"key": ""}},
        )
        return bool(outcome.matched_count)

    async def give_up(self, media_id: str, now: datetime) -> None:
        """Have the sweep delete an upload that failed while its bytes were being stored."""
        await self._media.update_one(
            {"_id": media_id, "state": _INCOMING}, {"$set": {"expires_at": now}}
        )

    async def delete(self, media_id: str) -> None:
        """Delete the bytes of what `doom` has hidden; doing it again, or twice at once, changes nothing more."""
        await self.bytes.delete(media_id)

    async def forget(self, media_ids: Sequence[str], tx: Tx) -> None:
        """Delete the records of what `delete` has deleted, and count them no more."""
        wanted = {"_id": {"$in": list(media_ids)}, "state": _DOOMED}
        cursor = self._media.find(wanted, _COUNTED, session=tx.session)
        rows = await cursor.to_list(None)
        if not rows:
            return
        gone: dict[UserId, MediaUsage] = {}
        for row in rows:
            size = bytes_of(row)
            less = MediaUsage(-size, 0 if row["uses"] > 0 else -size)
            gone[row["uploader_id"]] = gone.get(row["uploader_id"], MediaUsage()) + less
        # Two who sweep the same at once conflict here, and the later one finds nothing left.
        await self._media.delete_many(
            {"_id": {"$in": [row["_id"] for row in rows]}}, session=tx.session
        )
        await self.usage.add(gone, tx)

    # --- repairs --------------------------------------------------------------------------------------------------

    async def delete_strays(self, media_id: str) -> bool:
        """Delete the bytes of an upload that has no record; whether there is none."""
        if await self._media.find_one({"_id": media_id}, {"_id": 1}) is not None:
            return False
        await self.bytes.delete(media_id)
        return True

    async def recount(
        self, media_id: str, tx: Tx, *, holders: Sequence[str] = ()
    ) -> tuple[int, int] | None:
        """Make `uses` what messages and profiles show; what it was and is, or None where it was right.

        `holders`: collections of higher packages whose documents hold a content as messages do.

        Reads all of them: of use to repairs only. An upload that nobody uses keeps the day that it has.
        """
        # Written before it is counted: whoever uses or releases it waits for us.
        record = await self._media.find_one_and_update(
            {"_id": media_id, "state": _STORED}, {"$inc": {"uses": 1}}, session=tx.session
        )
        if record is None:
            return None
        used = 0
        for holder in (self._messages, *map(self._database.collection, holders)):
            cursor = holder.aggregate(
                [
                    {"$match": {"content.media.media_id": media_id}},
                    {"$unwind": "$content.media"},
                    {"$match": {"content.media.media_id": media_id}},
                    {"$group": {"_id": None, "n": {"$sum": 1}}},
                ],
                session=tx.session,
            )
            rows = await cursor.to_list(1)
            used += int(rows[0]["n"]) if rows else 0
        shown: Document = {"face_url": {"$regex": rf"^/v1/media/{re.escape(media_id)}(\?|$)"}}
        for collection in (self._groups, self._users):
            faces = await collection.find(shown, {"_id": 1}, session=tx.session).to_list(None)
            used += len(faces)
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
    """Note how many of the uploader's bytes so many more uses make unused, or used."""
    if before is None or (before["uses"] > 0) == (before["uses"] + more > 0):
        return
    owner, size = before["uploader_id"], bytes_of(before)
    unused = size if before["uses"] > 0 else -size
    moved[owner] = moved.get(owner, MediaUsage()) + MediaUsage(0, unused)


def _to_media(document: Mapping[str, Any]) -> Media:
    values: Document = {"stored_bytes": document["size_bytes"], **document}
    values["media_id"] = values.pop("_id")
    return Media.from_stored(values)
