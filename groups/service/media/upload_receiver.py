"""An upload's bytes as they come: written down piece by piece, known by the first of them, refused once too many."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

import filetype  # type: ignore[import-untyped]  # ships no types

from groups.errors import BadMedia, MediaTooLarge
from groups.limits import GroupLimits
from groups.models import MediaKind
from groups.service.media.image_workers import FORMATS
from groups.service.media.upload_files import UploadFiles, full_disk_refused

SNIFFED_BYTES: Final = 8_192  # of the beginning, by which the kind is known
_UNKNOWN_TYPE: Final = "application/octet-stream"


class UploadReceiver:
    """Takes in the files of uploads."""

    def __init__(self, files: UploadFiles, limits: GroupLimits) -> None:
        self._files = files
        self._limits = limits

    async def receive(
        self, chunks: AsyncIterator[bytes], target: Path, length: int | None
    ) -> tuple[MediaKind, str, int]:
        """Write the file down as it comes: what it is, and how long.

        Raises: MediaTooLarge; BadMedia; InsufficientStorage.
        """
        head = b""
        size = 0
        known: tuple[MediaKind, str] | None = None

        def write(file: BinaryIO, chunk: bytes) -> None:
            self._files.check(len(chunk))
            file.write(chunk)

        with full_disk_refused(), target.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                await asyncio.to_thread(write, file, chunk)
                if known is None:
                    head += chunk[: SNIFFED_BYTES - len(head)]
                    if len(head) == SNIFFED_BYTES:
                        known = _kind_of(head)
                        self._check_size(known[0], length or 0)
                if known is not None:
                    self._check_size(known[0], size)
        if not size:
            raise BadMedia("The upload is empty")
        known = known or _kind_of(head)
        self._check_size(known[0], size)
        return *known, size

    def _check_size(self, kind: MediaKind, size_bytes: int) -> None:
        limit = {
            MediaKind.IMAGE: self._limits.image_bytes,
            MediaKind.VIDEO: self._limits.video_bytes,
            MediaKind.FILE: self._limits.file_bytes,
        }[kind]
        if size_bytes > limit:
            raise MediaTooLarge(f"At most {limit} bytes, for {kind.value}s", limit_bytes=limit)


def digest_of(path: Path) -> str:
    """What tells this file's bytes from others."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kind_of(head: bytes) -> tuple[MediaKind, str]:
    found = filetype.guess(head)
    content_type = found.mime if found is not None else _UNKNOWN_TYPE
    if content_type in FORMATS:
        return MediaKind.IMAGE, content_type
    if content_type.startswith(("video/", "audio/")):
        return MediaKind.VIDEO, content_type
    return MediaKind.FILE, content_type
