"""The bytes of uploads, in GridFS: stored whole, read a chunk at a time, deleted in all their versions.

`blobs.files` and `blobs.chunks`: `_id` is the media id, or `media<US>size` of a smaller version. Whether an upload
exists is decided by its record (`media`), which is there before its bytes and after them.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from groups.kernel.byte_cache import ByteCache
from groups.kernel.ids import join_key
from groups.kernel.mongo import Database, GridFSBucket, NoFile
from groups.models import MediaSize

CHUNK_BYTES: Final = 512 * 1024  # of one GridFS document; also what a download holds at once
KEPT_BYTES: Final = 8 * 1024 * 1024
"""Of chunks of which only a part was read, and of short files: what is read once is often read again soon."""

_ENTRY_BYTES: Final = 250  # of a key and a value, apart from the bytes themselves


class StoredFile(NamedTuple):
    """A stored file: its id in the bucket, its length, and the length of its chunks, in bytes."""

    blob: str
    length: int
    chunk_bytes: int


class MediaBytes:
    """The bucket `blobs`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files = database.collection("blobs.files")
        self._chunks = database.collection("blobs.chunks")
        # Never stale: the bytes of an id never change, and whether an upload exists is read from its record.
        self._cache: ByteCache[tuple[str, int], bytes] = ByteCache(
            "file parts", KEPT_BYTES, lambda _, data: len(data) + _ENTRY_BYTES
        )

    @cached_property
    def _bucket(self) -> GridFSBucket:
        # Made with the first upload: on mongomock there is no GridFS.
        return self._database.bucket("blobs", chunk_bytes=CHUNK_BYTES)

    async def put(self, media_id: str, size: MediaSize, source: Path) -> None:
        with source.open("rb") as file:
            await self._bucket.upload_from_stream_with_id(_blob(media_id, size), media_id, file)

    async def find_file(self, media_id: str, size: MediaSize) -> StoredFile | None:
        query = {"_id": _blob(media_id, size)}
        row = await self._files.find_one(query, {"length": 1, "chunkSize": 1})
        return StoredFile(row["_id"], int(row["length"]), int(row["chunkSize"])) if row else None

    async def read(self, file: StoredFile, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from `start`, a chunk at a time; they end early where the file is deleted meanwhile."""
        while length > 0:
            number, begin = divmod(start, file.chunk_bytes)
            end = min(begin + length, file.chunk_bytes)
            is_part = end - begin < file.chunk_bytes
            data = await self.read_chunk(file.blob, number, keep=is_part)
            piece = data[begin:end] if is_part else data
            if not piece:
                return
            start += len(piece)
            length -= len(piece)
            yield piece

    async def read_chunk(self, blob: str, number: int, *, keep: bool) -> bytes:
        """One chunk of a stored file, empty where it is deleted; `keep` caches it."""
        cached: bytes | None = self._cache.get((blob, number))
        if cached is not None:
            return cached
        # One chunk by its key. A cursor over the rest of the file would fetch 16 MB ahead, for a single byte too.
        row = await self._chunks.find_one({"files_id": blob, "n": number}, {"data": 1})
        data = bytes(row["data"]) if row else b""
        if keep and data:
            self._cache.put((blob, number), data)
        return data

    async def delete(self, media_id: str) -> None:
        """Delete all versions; doing it again, or twice at once, changes nothing more."""
        for size in MediaSize:
            # Also where there is no file: the driver deletes chunks without one, of an upload that a crash cut off.
            with suppress(NoFile):
                await self._bucket.delete(_blob(media_id, size))


def _blob(media_id: str, size: MediaSize) -> str:
    return media_id if size is MediaSize.ORIGINAL else join_key(media_id, size.value)
