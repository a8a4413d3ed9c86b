"""The bytes of uploads, in GridFS: stored whole, read a chunk at a time, deleted in all their versions.

`blobs.files` and `blobs.chunks`: `_id` is the media id, or `media<US>size` of a smaller version. Whether there is an
upload says its record (`media`), which is there before its bytes and after them.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

from groups.kernel.byte_cache import ByteCache
from groups.kernel.ids import join_key
from groups.kernel.mongo import Bucket, Database, NoFile
from groups.models import MediaSize

CHUNK_BYTES: Final = 512 * 1024  # of one GridFS document; also what a download holds at once
KEPT_BYTES: Final = 8 * 1024 * 1024
"""Of chunks of which only a part was asked for, and of short files: what is asked for once is asked for again soon."""

_ENTRY_BYTES: Final = 250  # of a key and a value, apart from the bytes themselves


class StoredFile(NamedTuple):
    """Stored bytes: under which id, how many, and how many a chunk holds."""

    blob: str
    length: int
    chunk_bytes: int


class MediaBytes:
    """The bucket `blobs`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files = database.collection("blobs.files")
        self._chunks = database.collection("blobs.chunks")
        # The bytes of an id never change, and whether there are any is asked of its record.
        self._parts: ByteCache[tuple[str, int], bytes] = ByteCache(
            "file parts", KEPT_BYTES, lambda _, data: len(data) + _ENTRY_BYTES
        )
        # Made with the first upload: on mongomock there is no GridFS.
        self._made: Bucket | None = None

    @property
    def _bucket(self) -> Bucket:
        if self._made is None:
            self._made = self._database.bucket("blobs", chunk_bytes=CHUNK_BYTES)
        return self._made

    async def put(self, media_id: str, size: MediaSize, source: Path) -> None:
        """Store what the file holds."""
        with source.open("rb") as file:
            await self._bucket.upload_from_stream_with_id(_blob(media_id, size), media_id, file)

    async def find_file(self, media_id: str, size: MediaSize) -> StoredFile | None:
        """What is stored of the bytes; None where there are none."""
        row = await self._files.find_one(
            {"_id": _blob(media_id, size)}, {"length": 1, "chunkSize": 1}
        )
        return StoredFile(row["_id"], int(row["length"]), int(row["chunkSize"])) if row else None

    async def read(self, file: StoredFile, start: int, length: int) -> AsyncIterator[bytes]:
        """So many of the bytes, from `start`, a chunk at a time; they end early where the file is deleted meanwhile."""
        while length > 0:
            number, begin = divmod(start, file.chunk_bytes)
            end = min(begin + length, file.chunk_bytes)
            is_part = end - begin < file.chunk_bytes
            data = await self._chunk(file.blob, number, keeps=is_part)
            piece = data[begin:end] if is_part else data
            if not piece:
                return
            start += len(piece)
            length -= len(piece)
            yield piece

    async def _chunk(self, blob: str, number: int, *, keeps: bool) -> bytes:
        known: bytes | None = self._parts.get((blob, number))
        if known is not None:
            return known
        # One chunk by its key. A cursor over the rest of the file would fetch 16 MB ahead, for a single byte too.
        row = await self._chunks.find_one({"files_id": blob, "n": number}, {"data": 1})
        data = bytes(row["data"]) if row else b""
        if keeps and data:
            self._parts.put((blob, number), data)
        return data

    async def delete(self, media_id: str) -> None:
        """Delete all versions; doing it again, or twice at once, changes nothing more."""
        for size in MediaSize:
            try:
                await self._bucket.delete(_blob(media_id, size))
            # It deletes chunks of which no file knows, too: those of an upload that a crash cut off.
            except NoFile:
                continue


def _blob(media_id: str, size: MediaSize) -> str:
    return media_id if size is MediaSize.ORIGINAL else join_key(media_id, size.value)
