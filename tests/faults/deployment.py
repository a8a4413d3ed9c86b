"""Servers as operators run them: real processes of `python -m channels serve`, started, killed and stopped.

The class needs no event loop, since tests act on the process from outside.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from channels.server.embedded.supervisor import MongodState
from channels.server.tokens import mint
from tests.mongod import Mongod, free_port

SECRET: Final = "faults-are-what-this-folder-is-about"
DATABASE: Final = "channels"
START_SECONDS: Final = 60.0

DEFECTS: Final = ('"defect"', "Traceback", "never retrieved", "the tail of the outbox broke")
"""Texts of unexpected errors, which no log may have, whatever was killed."""


def token(user: str, *, admin: bool = False) -> str:
    return mint(SECRET, user, admin=admin, hours=24, now=datetime.now(UTC))


class Server:
    """One server command, with the same port and data at each start; `pid` is the process that was started."""

    def __init__(
        self,
        directory: Path,
        *,
        mongodb_uri: str | None = None,
        workers: int = 1,
        name: str = "server",
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.data_dir = directory / "data"
        self.log_path = directory / f"{name}.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._workers = workers
        self.settings: dict[str, str] = {}
        """Further variables of the environment, from the next start on."""
        self._uri = mongodb_uri
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """The connection string of its database."""
        uri = self._uri or MongodState.read(self.data_dir).uri
        assert uri is not None, "the embedded database does not run"
        return uri

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def mongod_pid(self) -> int:
        """The embedded `mongod` that runs now."""
        pid = MongodState.read(self.data_dir).pid
        assert pid is not None, "the embedded database does not run"
        return pid

    @property
    def worker_pids(self) -> list[int]:
        """The worker processes, if there are several."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if b"\0serve\0" in _command_line(int(child))]

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        seen = self.begin()
        deadline = time.monotonic() + START_SECONDS
        while "\nReady." not in self.log(seen):
            if not self.runs or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{self.log(seen)}")
            time.sleep(0.02)
        return self

    def begin(self) -> int:
        """Start it without waiting; returns the position where its log begins."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CHANNELS_")
        }
        environment |= {
            "CHANNELS_SECRET": SECRET,
            "CHANNELS_LOG_FORMAT": "json",
            "CHANNELS_LIMIT_POSTS_PER_SECOND": "0",
            "CHANNELS_LIMIT_STREAM_BYTES_PER_SECOND": "0",
            "CHANNELS_LIMIT_REQUESTS_PER_SECOND": "0",
            "CHANNELS_LIMIT_WAITING_MILLISECONDS": "60000",
            "CHANNELS_LIMIT_TRANSFERS_PER_USER": "0",
            "CHANNELS_LIMIT_ADDRESS_REQUESTS_PER_SECOND": "0",
            "CHANNELS_LIMIT_CHANNELS": "1000000",
            "CHANNELS_LIMIT_CHANNELS_PER_OWNER": "1000000",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }
        if self._uri is not None:
            environment["CHANNELS_MONGODB_URI"] = self._uri
        command = [sys.executable, "-m", "channels", "serve", "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir), "--workers", str(self._workers)]
        with self.log_path.open("ab") as output:
            seen = output.tell()
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return seen

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM without waiting."""
        assert self._process is not None, "not started"
        self._process.terminate()

    def wait(self, seconds: float = 60) -> int:
        """Wait until it has ended; returns the exit code."""
        assert self._process is not None, "not started"
        return self._process.wait(seconds)

    def stop(self) -> None:
        """Terminate it, and kill it if that takes too long."""
        if self.runs:
            self.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self, since: int = 0) -> str:
        with suppress(FileNotFoundError):
            return "\n" + self.log_path.read_bytes()[since:].decode(errors="replace")
        return ""

    def defects(self) -> list[str]:
        """The lines of the log with unexpected errors."""
        lines = self.log().splitlines()
        # The end of a long line is the end of a traceback, which names the error.
        return [
            f"{line[:300]} … {line[-900:]}" for line in lines if any(w in line for w in DEFECTS)
        ]


# On Linux a mongod ends with the *thread* that started it, and the threads of an event loop's pool end with the test.
KEEPER: Final = ThreadPoolExecutor(1, "keeper")


async def restart(mongod: Mongod) -> None:
    """Start it again, without blocking the event loop."""
    await asyncio.get_running_loop().run_in_executor(KEEPER, mongod.start)


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send the signal. A process that has ended already is ignored."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() + b"\0"
    return b""
