"""The bytes of uploads as they come: written to temporary files while there is room, deleted with their process.

Promises:
    A disk that is nearly full takes no upload, and a disk that fills up meanwhile ends it, both as
    `InsufficientStorage`: the rest of the disk is left to the database and to other programs.
    No leftovers: a process has a folder of its own, which it locks while it lives. The kernel releases the lock however
    the process ends, and the next `sweep` deletes the folder.
    Known by its bytes: the first `SNIFFED_BYTES` decide what kind of file it is, and so its size limit. A file that is
    too large is refused as soon as it has passed its limit.

Files have names, and not `O_TMPFILE`, since images are drawn from them by path.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import filetype  # type: ignore[import-untyped]  # ships no types

from groups.errors import BadMedia, InsufficientStorage, MediaTooLarge
from groups.limits import GroupLimits
from groups.models import MediaKind
from groups.service.media.image_workers import FORMATS
from groups.service.media.tracks import type_by_tracks

PREFIX: Final = "channels-uploads-"
ROOM_BYTES: Final = 256 * 2**20
"""The room that uploads leave free on a disk."""
ROOM_SHARE: Final = 20
"""Of a small disk they leave one part of so many instead."""
SNIFFED_BYTES: Final = 8_192
_UNKNOWN_TYPE: Final = "application/octet-stream"
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Turn errors of a full disk in the body into a refusal. Raises: InsufficientStorage."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise InsufficientStorage from error
        raise


class UploadFiles:
    """The folder of this process. `disks` are other places whose disks must not fill up, such as the database's."""

    def __init__(self, disks: Sequence[Path] = (), *, parent: Path | None = None) -> None:
        self._disks = tuple(disks)
        self._parent = parent
        self._folder: Path | None = None
        self._lock: int | None = None

    @property
    def parent(self) -> Path:
        """The directory with the folders of all processes."""
        return self._parent or Path(tempfile.gettempdir())

    @contextmanager
    def directory(self) -> Iterator[Path]:
        """A directory for one upload, deleted at the end. Raises: InsufficientStorage."""
        with full_disk_refused():
            directory = tempfile.TemporaryDirectory(dir=self._own_folder())
        with directory as path:
            yield Path(path)

    def check_room(self, more_bytes: int) -> None:
        """Refuse an upload for which there is no room. Raises: InsufficientStorage."""
        for place in (self.parent, *self._disks):
            try:
                disk = shutil.disk_usage(place)
            except OSError:
                continue  # another problem than a full disk
            if disk.free - more_bytes < min(ROOM_BYTES, disk.total // ROOM_SHARE):
                raise InsufficientStorage

    def sweep(self) -> int:
        """Delete the folders of processes that have ended; returns how many."""
        deleted = 0
        for folder in self.parent.glob(PREFIX + "*"):
            if folder == self._folder:
                continue
            try:
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            except OSError:
                continue  # another user's, no folder, or swept by another process
            try:
                if os.fstat(lock).st_uid != os.geteuid():
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                deleted += 1
            except BlockingIOError:
                continue  # its process lives
            finally:
                os.close(lock)
        return deleted

    def close(self) -> None:
        """Delete the folder."""
        if self._folder is not None and self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._folder = self._lock = None

    def _own_folder(self) -> Path:
        while self._folder is None or not self._folder.is_dir():
            self.close()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self.parent))
            # A sweep between these lines takes the folder for an abandoned one and deletes it; then it is made again.
            with suppress(FileNotFoundError):
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._folder, self._lock = folder, lock
        return self._folder


@dataclass(frozen=True, slots=True)
class UploadReceiver:
    """Writes uploads to files."""

    files: UploadFiles
    limits: GroupLimits

    async def receive(
        self, chunks: AsyncIterator[bytes], target: Path, length: int | None
    ) -> tuple[MediaKind, str, int]:
        """Write the chunks to `target` as they come; returns the kind, the content type and the size in bytes."""
        head = b""
        size = 0
        known: tuple[MediaKind, str] | None = None

        def write(file: BinaryIO, chunk: bytes) -> None:
            self.files.check_room(len(chunk))
            file.write(chunk)

        with full_disk_refused(), target.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                await asyncio.to_thread(write, file, chunk)
                if known is None:
                    head += chunk[: SNIFFED_BYTES - len(head)]
                    if len(head) == SNIFFED_BYTES:
                        known = kind_of(head)
                        self._check_size(known[0], length or 0)
                if known is not None:
                    self._check_size(known[0], size)
        if not size:
            raise BadMedia("The upload is empty")
        known = known or kind_of(head)
        self._check_size(known[0], size)
        return *known, size

    def _check_size(self, kind: MediaKind, size_bytes: int) -> None:
        limit = limits_of(self.limits)[kind]
        if size_bytes > limit:
            detail = f"At most {limit} bytes, for an upload of kind {kind.value}"
            raise MediaTooLarge(detail, limit_bytes=limit)


def limits_of(limits: GroupLimits) -> Mapping[MediaKind, int]:
    """The most bytes that an upload of each kind may have."""
    return {
        MediaKind.IMAGE: limits.image_bytes,
        MediaKind.VIDEO: limits.video_bytes,
        MediaKind.AUDIO: limits.audio_bytes,
        MediaKind.FILE: limits.file_bytes,
    }


def digest_of(path: Path) -> str:
    """The SHA-256 of the file, which tells a repeated upload from another one."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kind_of(head: bytes) -> tuple[MediaKind, str]:
    """The kind and the content type of a file with these first `SNIFFED_BYTES`."""
    found = filetype.guess(head)
    content_type = found.mime if found is not None else _UNKNOWN_TYPE
    if content_type in FORMATS:
        return MediaKind.IMAGE, content_type
    content_type = type_by_tracks(content_type, head)
    if content_type.startswith("video/"):
        return MediaKind.VIDEO, content_type
    if content_type.startswith("audio/"):
        return MediaKind.AUDIO, content_type
    return MediaKind.FILE, content_type
