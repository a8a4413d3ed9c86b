"""A real `mongod` for tests, without an event loop: started, killed and restarted from anywhere.

The same program with the same options as the embedded database, on memory instead of disk where there is enough of it.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from channels.server.embedded.binary import find_mongod
from channels.server.embedded.process import (
    HOST,
    accepts_connections,
    command_line,
    free_port,
    last_errors,
    uri_of,
)
from groups.kernel.mongo.replica_set import ensure_single_node

_PREFIX: Final = "channels-tests-"
_MEMORY: Final = Path("/dev/shm")
_ENOUGH_BYTES: Final = 1 << 30
_START_SECONDS: Final = 60


class Mongod:
    """One process on one data directory; `start` again after `kill` brings back what was acknowledged.

    With `forgets_after_mb` the history that change streams are resumed from is no longer than that.
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
        return uri_of(self.port)

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it is a writable primary; on the same port each time."""
        self.spawn()
        _run_apart(self.port)
        return self

    def spawn(self) -> None:
        """Start it and wait until it takes connections; whatever replica set it belongs to is left alone."""
        self.begin()
        self.listens()

    def begin(self) -> None:
        """Start it and do not wait."""
        db_dir = self._directory / "db"
        db_dir.mkdir(exist_ok=True)
        command = command_line(
            find_mongod(), db_dir, self._log, port=self.port, cache_gb=self._cache_gb
        )
        if self._forgets_after_mb is not None:
            # What history is over is cut off at a checkpoint, which comes once a minute by default.
            command[command.index("--oplogSize") + 1] = str(self._forgets_after_mb)
            command += ["--syncdelay", "1"]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )

    def listens(self) -> None:
        """Return when it takes connections."""
        assert self._process is not None, "not started"
        deadline = time.monotonic() + _START_SECONDS
        while not accepts_connections(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mongod did not start:\n{last_errors(self._log)}")
            time.sleep(0.02)

    def kill(self) -> None:
        """`kill -9`: what a crash of the machine's worst day looks like to its clients.

        Also the end of one whose data goes with it: a gentle stop takes a second.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _run_apart(port: int) -> None:
    """In a thread of its own, so that no event loop of the test run is touched."""
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
    """A new directory for a database: in memory where more than a gigabyte is free, else on disk."""
    base = Path(tempfile.gettempdir())
    with suppress(OSError):
        if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
            base = _MEMORY
    for left_behind in base.glob(f"{_PREFIX}*"):
        if not _lives(left_behind):
            shutil.rmtree(left_behind, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


def _lives(directory: Path) -> bool:
    """Whether the test run that made the directory still runs; one that was killed could not remove it."""
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
