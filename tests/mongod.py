"""A real `mongod` for tests, which can be started, killed and restarted without an event loop.

It is the same program with the same options as the embedded database, but it listens on a loopback port, like a
database of the user's own. Its files are in memory instead of on disk where there is enough memory.
"""

import asyncio
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from channels.server.embedded.process import (
    REPLICA_SET,
    command_line,
    find_mongod,
    last_errors,
)
from channels.server.settings import bare_environment
from groups.kernel.mongo import Driver
from groups.kernel.mongo.replica_set import ensure_single_node

HOST: Final = "127.0.0.1"
DRIVER: Final = Driver(os.environ.get("CHANNELS_DRIVER", Driver.MOTOR))
"""The driver that is tested; servers that a test starts read the same variable."""

_PORTS: Final = (20_000, 32_000)
_PORT_TRIES: Final = 100
_PREFIX: Final = "channels-tests-"
_MEMORY: Final = Path("/dev/shm")
_ENOUGH_BYTES: Final = 1 << 30
_START_SECONDS: Final = 60
_FEW_OPEN_FILES: Final = (
    *(
        "--wiredTigerEngineConfigString",
        "file_manager=(close_idle_time=10,close_handle_minimum=250)",
    ),
    *("--setParameter", "minSnapshotHistoryWindowInSeconds=2"),
)
"""Closes the files of finished tests soon. By default 2,000 files of unused tables stay open, and those of dropped
tables stay open for five minutes, so that the past can be read."""
_CHECKPOINT_SECONDS: Final = 5
"""Until a checkpoint, dropped tables keep their files, and the history keeps its length; the default is a minute."""


class Mongod:
    """One process on one data directory. `start` after `kill` brings back everything that was acknowledged.

    `forgets_after_mb` bounds the history from which change streams resume.
    """

    def __init__(
        self, directory: Path, *, cache_gb: float = 0.5, forgets_after_mb: int | None = None
    ) -> None:
        self._directory = directory
        self._cache_gb = cache_gb
        self._forgets_after_mb = forgets_after_mb
        self._log = directory / "mongod.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def uri(self) -> str:
        return f"mongodb://{HOST}:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Start it, on the same port each time, and wait until it is a writable primary."""
        self.spawn()
        _run_apart(self.port)
        return self

    def spawn(self) -> None:
        """Start it and wait until it accepts connections. Its replica set is not changed."""
        self.begin()
        self.listens()

    def begin(self) -> None:
        """Start it without waiting."""
        db_dir = self._directory / "db"
        db_dir.mkdir(exist_ok=True)
        listen = ["--bind_ip", HOST, "--port", str(self.port), "--nounixsocket"]
        command = command_line(
            find_mongod(), db_dir, self._log, listen=listen, cache_gb=self._cache_gb
        )
        checkpoint_seconds = _CHECKPOINT_SECONDS
        if self._forgets_after_mb is not None:
            # A checkpoint cuts off the history beyond the bound.
            command[command.index("--oplogSize") + 1] = str(self._forgets_after_mb)
            checkpoint_seconds = 1
        command += ["--syncdelay", str(checkpoint_seconds)]
        command += _FEW_OPEN_FILES
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env=bare_environment(),
                start_new_session=True,
            )

    def listens(self) -> None:
        """Wait until it accepts connections."""
        assert self._process is not None, "not started"
        deadline = time.monotonic() + _START_SECONDS
        while not accepts_connections(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mongod did not start:\n{last_errors(self._log)}")
            time.sleep(0.02)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def death(self) -> str:
        """How it ended, with the end of its log."""
        assert self._process is not None, "not started"
        code = self._process.returncode
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"mongod (process {self.pid}) ended {how}:\n{last_errors(self._log)}".rstrip()

    def kill(self) -> None:
        """`kill -9`, as in a crash.

        Tests that delete the data afterwards use it too: a gentle stop takes a second.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A loopback port on which nothing listens now.

    It is below the range from which the system takes ports for outgoing connections (Linux: 32768 and up). Otherwise a
    connection could take the port while its process restarts.
    """
    for _ in range(_PORT_TRIES):
        port = random.randrange(*_PORTS)
        with socket.socket() as probe:
            # Connections of the last run in TIME_WAIT do not occupy the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise AssertionError(f"no free port found in {_PORT_TRIES} tries")


def accepts_connections(port: int) -> bool:
    """Whether a process listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _run_apart(port: int) -> None:
    """Initiate the replica set in a thread, so that no event loop of the test run is involved."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(ensure_single_node(f"{HOST}:{port}"))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def scratch_directory() -> Path:
    """A new directory for a database: in memory if more than a gigabyte is free there, else on disk."""
    base = Path(tempfile.gettempdir())
    with suppress(OSError):
        if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
            base = _MEMORY
    for left_behind in base.glob(f"{_PREFIX}*"):
        if not _lives(left_behind):
            shutil.rmtree(left_behind, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


def _lives(directory: Path) -> bool:
    """Whether the test run that made the directory still runs. A killed run could not remove it."""
    pid = directory.name.removeprefix(_PREFIX).split("-")[0]
    if not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
