"""The temporary files of uploads: written while there is room on the disk, gone with the process that wrote them.

Promises:
    A disk that is nearly full takes no upload, and one that fills up meanwhile ends it, both as `InsufficientStorage`:
    what is left of the disk is left to the others.
    Nothing stays behind: a process has a folder of its own, which it locks for as long as it lives. The kernel lets go
    of the lock however the process ends, and whoever sweeps next deletes the folder.

Files have names, and not `O_TMPFILE`, since pictures are drawn from them by path.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from groups.errors import InsufficientStorage

PREFIX: Final = "channels-uploads-"
ROOM_BYTES: Final = 256 * 2**20
"""What uploads leave free of a disk, for the database and whoever else writes there."""
ROOM_SHARE: Final = 20
"""Of a small disk they leave one part of so many instead."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: BaseException | None) -> bool:
    """Whether the system has refused to write for want of room."""
    return isinstance(error, OSError) and error.errno in _FULL


class UploadFiles:
    """The folder of this process; `disks` are other places whose disks must not fill up, such as the database's."""

    def __init__(self, disks: Sequence[Path] = (), *, parent: Path | None = None) -> None:
        self._disks = tuple(disks)
        self._parent = parent
        self._folder: Path | None = None
        self._lock: int | None = None

    @property
    def parent(self) -> Path:
        """Where the folders of all processes are."""
        return self._parent or Path(tempfile.gettempdir())

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A directory for one upload, deleted at the end.

        Raises: InsufficientStorage.
        """
        try:
            directory = tempfile.TemporaryDirectory(dir=self._own())
        except OSError as error:
            if is_full(error):
                raise InsufficientStorage from error
            raise
        with directory as path:
            yield Path(path)

    def check(self, more_bytes: int) -> None:
        """Refuse an upload for which there is no room.

        Raises: InsufficientStorage.
        """
        for place in (self.parent, *self._disks):
            try:
                disk = shutil.disk_usage(place)
            except OSError:
                continue  # it is not the room that is missing
            if disk.free - more_bytes < min(ROOM_BYTES, disk.total // ROOM_SHARE):
                raise InsufficientStorage

    def sweep(self) -> int:
        """Delete the folders of processes that have ended; how many."""
        gone = 0
        for folder in self.parent.glob(PREFIX + "*"):
            if folder == self._folder:
                continue
            try:
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            except OSError:
                continue  # somebody else's, no folder, or swept by another process
            try:
                if os.fstat(lock).st_uid != os.geteuid():
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
            except BlockingIOError:
                continue  # its process lives
            finally:
                os.close(lock)
        return gone

    def close(self) -> None:
        """Delete the folder."""
        if self._folder is not None and self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._folder = self._lock = None

    def _own(self) -> Path:
        while self._folder is None or not self._folder.is_dir():
            self.close()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self.parent))
            # A sweep between these lines takes the folder for an abandoned one: then it is made again.
            with suppress(FileNotFoundError):
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._folder, self._lock = folder, lock
        return self._folder


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """What fails in the body for want of room, as our refusal.

    Raises: InsufficientStorage.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise InsufficientStorage from error
        raise
