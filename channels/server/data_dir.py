"""The data directory of embedded mode: who may read it, who runs on it, and the signing secret in it.

Promises: nothing of ours in the directory is open to other users, whoever made it and when; at most one server holds
its lock, and the lock goes with the process however it ends; the secret is written once, whole, and every process reads
the same one.
"""

import fcntl
import logging
import os
import pwd
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from channels.server.startup import StartupError

SECRET_BYTES: Final = 32
"""The least length of a signing secret: HS256 is as strong as its key up to 256 bits (RFC 7518, 3.2)."""

_OURS: Final = frozenset({"db", "lock", "secret", "mongod.json", "mongod.log", "mongod.log.1"})
_TEMPORARY: Final = (".secret.", ".mongod.json.")
_OF_OTHERS: Final = 0o077
"""The permissions of group and others."""

_CHOOSE_ANOTHER: Final = "Choose another with --data-dir or CHANNELS_DATA_DIR."

log = logging.getLogger(__name__)


def prepare(data_dir: Path) -> None:
    """Create the directory, closed to other users, unless it exists.

    Raises: StartupError when it cannot be created or written, or is another user's.
    """
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
    # What root makes there, the owner cannot read later; any other user would trust somebody else with the secret.
    told = f"The data directory {data_dir} belongs to another user ({_name_of(owner)})."
    if os.geteuid() != 0:
        raise StartupError(told, cure=f"Run as that user. {_CHOOSE_ANOTHER}")
    log.warning("%s They can read and replace all that is stored in it.", told)


def close_to_others(data_dir: Path) -> None:
    """Take from other users what permissions they have on our files in the directory, as older versions left them.

    The directory itself is closed where nothing but ours is in it.
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
    # Where a link leads is not ours to change.
    if is_plain and found.st_uid == os.geteuid() and found.st_mode & _OF_OTHERS:
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OF_OTHERS)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one of mode 0600 that holds the text: readers see the old or the new, never a part."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


class DirectoryLock:
    """The running server's hold on its data directory.

    The kernel's lock on an open file, so that it is gone with its holder even after `kill -9`; the file itself stays,
    since removing it would let two processes lock two files of one name.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, data_dir: Path) -> Self:
        """Hold the directory.

        Raises: StartupError naming the directory and the holder's process id when another server runs on it.
        """
        path = data_dir / "lock"
        # Python opens it non-inheritable: a mongod that outlives us must not keep the lock.
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
        """Let the directory go; once."""
        os.close(self._descriptor)


def load_or_create_secret(data_dir: Path) -> str:
    """The signing secret kept in the directory, made at the first call by whichever process comes first.

    Raises: StartupError when the directory cannot be used or the file holds no proper secret.
    """
    prepare(data_dir)
    path = data_dir / "secret"
    try:
        secret = _read_secret(path)
        if secret is None:
            _create_secret(path)
            secret = _read_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"The signing secret {path} cannot be read: {error}.") from error
    if secret is None or len(secret.encode()) < SECRET_BYTES:
        raise StartupError(
            f"The signing secret {path} is damaged: it is shorter than {SECRET_BYTES} bytes.",
            cure="Restore it, or delete it to have a new one made; tokens signed with the old one are then refused.",
        )
    return secret


def _read_secret(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                # Restored from a backup, say. Whoever can read it can be anyone.
                os.fchmod(file.fileno(), 0o600)
            return file.read().strip()
    except FileNotFoundError:
        return None


def _create_secret(path: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: it fails where another process was first, and its secret holds for both.
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
