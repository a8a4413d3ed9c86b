"""One `mongod` process: its command line, its birth, its death, and how to recognise one left behind.

Promises: it takes clients on a Unix socket that only its own user can reach, and listens on no port; what it
acknowledges to a majority is journaled, so it survives `kill -9`; its log holds nothing of what is stored; on Linux it
ends when the process that spawned it ends, however that happens.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

REPLICA_SET: Final = "channels"

_SOCKET_NAME: Final = "mongod.sock"
_SOCKET_PATH: Final = re.compile(r"/[a-z0-9/._+-]{1,102}")
"""Paths that a socket can have: at most 103 bytes on macOS and 107 on Linux, and the same after the driver has written
them in lower case, as it does with every address that a replica set names."""

_OPLOG_MB: Final = 512
"""Enough for the change streams of this machine to fall minutes behind; the default is 5% of the disk."""
_NEVER_MS: Final = 2**31 - 1
"""How long a command must take to be logged, with all that it writes; only MongoDB Enterprise can redact logs."""
_SHUTDOWN_QUIESCE_MS: Final = 100
"""A primary told to stop waits by default 15 seconds for drivers to go elsewhere; here there is no elsewhere."""

# Run between fork and mongod, as a program of its own rather than a preexec_fn, which may deadlock a process with
# threads. What mongod creates is for its own user alone: uvloop has no `umask=`. The check of the parent closes the gap
# in which it died before prctl was called.
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


def uri_of(socket_path: Path) -> str:
    """The connection string of the embedded database.

    It names the replica set, so that after a restart the driver waits for the primary instead of asking a node that is
    not yet one.
    """
    return f"mongodb://{quote(str(socket_path), safe='')}/?replicaSet={REPLICA_SET}"


def socket_path_in(db_dir: Path, last: Path | None) -> Path:
    """Where the database takes its clients: in its own directory, which is closed to other users.

    Where that path is too long, or has characters that do not survive the driver, a new directory in `/tmp` takes its
    place, closed as well; the one of the `last` run if it is still there, so that the address stays the same.
    """
    preferred = db_dir / _SOCKET_NAME
    if _SOCKET_PATH.fullmatch(str(preferred)):
        return preferred
    if last is not None and _is_private(last.parent):
        return last
    return Path(tempfile.mkdtemp(prefix="channels-", dir="/tmp")) / _SOCKET_NAME


def _is_private(directory: Path) -> bool:
    """Whether it is a directory of this user that nobody else can enter."""
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
    """The options with which it listens on the socket and nowhere else."""
    return ["--bind_ip", str(socket_path), "--nounixsocket", "--filePermissions", "0700"]


def command_line(
    binary: Path, db_dir: Path, log_path: Path, *, listen: Sequence[str], cache_gb: float
) -> list[str]:
    """The arguments to spawn, launcher included; the process must be spawned with `start_new_session=True`.

    `listen` are the options that say where, as `on_socket` gives them.

    A session of its own keeps the terminal's Ctrl-C away from it until the server has drained. The signal at the
    parent's death is bound to the *thread* that spawns, so spawn from one that lives as long as the database should.
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
    """Whether something answers on the socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        return probe.connect_ex(str(socket_path)) == 0


def is_mongod_of(pid: int, db_dir: Path) -> bool:
    """Whether the process lives and is a `mongod` on this directory: ids are reused, so the id alone proves nothing."""
    arguments = _arguments(pid)
    try:
        return arguments[arguments.index("--dbpath") + 1] == str(db_dir)
    except (ValueError, IndexError):
        return False


def _arguments(pid: int) -> list[str]:
    try:
        # Empty for a zombie, which is as good as gone.
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        if Path("/proc/self").exists():
            return []
    # Not Linux: ps joins the arguments by spaces, so a directory with a space in its name is not recognised.
    listing = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.split()


def _is_ending(pid: int) -> bool:
    """Whether it is a `mongod` that has given up its memory, its arguments with it, but not its files yet.

    Those are the last that the kernel takes, once the last thread has ended; until then they are locked.
    """
    process = Path(f"/proc/{pid}")
    try:
        if (process / "cmdline").read_bytes() or (process / "comm").read_text() != "mongod\n":
            return False
        states = [
            # The name before the state may hold anything, brackets and spaces too.
            (thread / "stat").read_text().rpartition(")")[2].split()[0]
            for thread in (process / "task").iterdir()
        ]
    except OSError:
        return False  # gone while we looked, or not Linux
    return any(state not in "ZX" for state in states)


def pid_in_lock(db_dir: Path) -> int | None:
    """The process id that `mongod` itself left in its lock file; None after a clean stop."""
    try:
        return int((db_dir / "mongod.lock").read_text().strip())
    except (OSError, ValueError):
        return None


def stop_orphan(db_dir: Path, pid: int, *, within_seconds: float) -> bool:
    """End a `mongod` that outlived its server: gently, then by force. Blocking; False when it was not there.

    Afterwards its directory is free. It is no child of ours, so its end is seen by looking.
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
    """What the end of the log says went wrong, for a message about a `mongod` that did not start."""
    try:
        with log_path.open("rb") as file:
            file.seek(max(0, log_path.stat().st_size - 64_000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    # Lines that are not JSON are the dynamic linker's or the launcher's, and the likeliest reason of all.
    told = [sentence for line in lines[-200:] if (sentence := _error_in(line))]
    return "\n".join(f"  {sentence}" for sentence in told[-5:])


def _error_in(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip() or None
    if not isinstance(entry, dict) or entry.get("s") not in {"E", "F"}:
        return None
    attributes = entry.get("attr") or {}
    return f"{entry.get('msg', '')} {json.dumps(attributes) if attributes else ''}".strip()[:500]
