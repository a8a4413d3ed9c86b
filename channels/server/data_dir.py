"""The data directory of embedded mode: its permissions, its lock, and the keys in it.

Promises: none of our files in the directory is open to other users, even when an older version made it; at most one
server holds the lock, which ends with its process; each key is written once, whole, and all processes read the same.
"""

import fcntl
import logging
import os
import pwd
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from channels.server.startup import StartupError

SECRET_BYTES: Final = 32
"""The least length of a signing secret: HS256 is as strong as its key up to 256 bits (RFC 7518, 3.2)."""

_OURS: Final = frozenset(
    {"db", "lock", "secret", "vapid", "mongod.json", "mongod.log", "mongod.log.1"}
)
_TEMPORARY: Final = (".secret.", ".vapid.", ".mongod.json.")
_OF_OTHERS: Final = 0o077
"""The permissions of group and others."""

_CHOOSE_ANOTHER: Final = "Choose another with --data-dir or CHANNELS_DATA_DIR."

log = logging.getLogger(__name__)


def prepare(data_dir: Path) -> None:
    """Create the directory, closed to other users, unless it exists."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(
            f"The data directory {data_dir} cannot be created: {error.strerror}.",
            cure=_CHOOSE_ANOTHER,
        ) from error
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise StartupError(f"The data directory {data_dir} is not writable.", cure=_CHOOSE_ANOTHER)
    owner = data_dir.stat().st_uid
    if owner == os.geteuid():
        return
    # Root would create files that the owner cannot read; any other user would share the secret with the owner.
    problem = f"The data directory {data_dir} belongs to another user ({_name_of(owner)})."
    if os.geteuid() != 0:
        raise StartupError(problem, cure=f"Run as that user. {_CHOOSE_ANOTHER}")
    log.warning("%s They can read and replace all that is stored in it.", problem)


def close_to_others(data_dir: Path) -> None:
    """Remove the permissions of other users on our files in the directory, which older versions left there.

    The directory itself is closed too, if it holds only our files.
    """
    entries = {entry.name: entry for entry in os.scandir(data_dir)}
    for name in entries.keys() & _OURS:
        _close(Path(entries[name].path))
    for folder, folders, files in os.walk(data_dir / "db"):
        for name in (*folders, *files):
            _close(Path(folder, name))
    if all(name in _OURS or name.startswith(_TEMPORARY) for name in entries):
        _close(data_dir)
    elif data_dir.stat().st_mode & 0o022:
        log.warning(
            "Other users can write to the data directory %s; close it: chmod go-w", data_dir
        )


def _close(path: Path) -> None:
    found = path.lstat()
    is_plain = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    # A link may lead to a file that is not ours.
    if is_plain and found.st_uid == os.geteuid() and found.st_mode & _OF_OTHERS:
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OF_OTHERS)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one of mode 0600 that holds the text: readers see the old or the new, never a part."""
    with _temporary(path, text) as temporary:
        os.replace(temporary, path)


@contextmanager
def _temporary(path: Path, text: str) -> Iterator[str]:
    """A file of mode 0600 beside `path` that holds the text, removed at the end unless it was moved."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


@dataclass(frozen=True, slots=True)
class DirectoryLock:
    """A running server's lock on its data directory.

    It is the kernel's lock on an open file, so it ends with its process, even after `kill -9`. The file stays:
    removing it would let two processes lock two files of one name.
    """

    descriptor: int

    @classmethod
    def acquire(cls, data_dir: Path) -> Self:
        path = data_dir / "lock"
        # Python opens it non-inheritable, so a mongod that outlives us does not keep the lock.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StartupError(
                f"Another server (process {holder or 'unknown'}) is running on the data directory {data_dir}.",
                cure="Stop it first, or give this one a directory of its own with --data-dir. Several server processes"
                " on one database: serve --workers N, or a MongoDB of your own in CHANNELS_MONGODB_URI.",
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StartupError(
                f"The data directory {data_dir} cannot be locked: {error.strerror}.",
                cure="Put it on a local file system. " + _CHOOSE_ANOTHER,
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        os.close(self.descriptor)


def load_or_create_secret(data_dir: Path) -> str:
    """The signing secret in the directory; the first process that asks for it creates it."""
    prepare(data_dir)
    path = data_dir / "secret"
    try:
        secret = _read_secret(path)
        if secret is None:
            _create(path, secrets.token_urlsafe(SECRET_BYTES))
            secret = _read_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"The signing secret {path} cannot be read: {error}.") from error
    if secret is None or len(secret.encode()) < SECRET_BYTES:
        raise StartupError(
            f"The signing secret {path} is damaged: it is shorter than {SECRET_BYTES} bytes.",
            cure="Restore it, or delete it to create a new one; tokens signed with the old one are then refused.",
        )
    return secret


def load_or_create_vapid_key(data_dir: Path, make: Callable[[], str]) -> str:
    """The private key of Web Push in the directory; the first process that asks for it has it made."""
    prepare(data_dir)
    path = data_dir / "vapid"
    try:
        key = _read_secret(path)
        if key is None:
            _create(path, make())
            key = _read_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"The key of Web Push {path} cannot be read: {error}.") from error
    return key or ""


def _read_secret(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & _OF_OTHERS:
                # After a restore from a backup, for example. A reader of the secret can sign in as anyone.
                os.fchmod(file.fileno(), 0o600)
            return file.read().strip()
    except FileNotFoundError:
        return None


def _create(path: Path, secret: str) -> None:
    # A link fails if another process was first, whose secret then counts. A rename would replace it.
    with _temporary(path, secret) as temporary, suppress(FileExistsError):
        os.link(temporary, path)
