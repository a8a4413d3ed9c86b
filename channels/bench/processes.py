"""The processes that the benchmark starts: servers, baselines, an MQTT broker."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
HOST: Final = "127.0.0.1"


class StartFailed(Exception):
    """Raised by `server`, `baseline` and `broker` if the process did not start. The message holds its last output."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """The database and the secret of the servers that are measured."""

    mongodb_uri: str
    database: str
    secret: str
    inherited: Mapping[str, str]
    """The environment of the benchmark itself."""
    server: str | None = None
    """The address of a server that is already running, if one was given."""

    def environment(self, *, sheds_load: bool = False) -> dict[str, str]:
        """The environment of a server, without the limits that would refuse the load of a few users and one address.

        With `sheds_load` it refuses what it cannot serve in time, as it is delivered; else everything waits.
        """
        patience = {} if sheds_load else {"CHANNELS_LIMIT_WAITING_MILLISECONDS": "60000"}
        return {
            **self.inherited,
            **patience,
            "CHANNELS_MONGODB_URI": self.mongodb_uri,
            "CHANNELS_DATABASE": self.database,
            "CHANNELS_SECRET": self.secret,
            "CHANNELS_LOG_FORMAT": "json",
            "CHANNELS_LIMIT_REQUESTS_PER_SECOND": "0",
            "CHANNELS_LIMIT_ADDRESS_CONNECTIONS": "0",
            "CHANNELS_LIMIT_TRANSFERS_PER_USER": "0",
            "CHANNELS_LIMIT_POSTS_PER_SECOND": "0",
            "CHANNELS_LIMIT_STREAM_BYTES_PER_SECOND": "0",
            "CHANNELS_LIMIT_REQUESTS_AT_WORK_PER_BACK_END": "0",
            "CHANNELS_LIMIT_CHANNELS": "5000",
            "CHANNELS_LIMIT_CHANNELS_PER_OWNER": "5000",
            "CHANNELS_LIMIT_GROUPS_PER_OWNER": "10000",
        }


def usable_cores() -> int:
    """The cores that this process may use. Systems other than Linux report only how many there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Server(Address):
    """A running server and its process; `pid` is None for a given server, which may run on another machine."""

    pid: int | None

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the process; 0 for a given server."""
        if self.pid is None:
            return 0
        # Kilobytes, on Linux and macOS alike.
        command = ["ps", "-o", "rss=", "-p", str(self.pid)]
        return int(subprocess.check_output(command, text=True)) * 1024


@asynccontextmanager
async def server(
    deployment: Deployment, *, workers: int = 1, sheds_load: bool = False
) -> AsyncIterator[Server]:
    """A server that runs until the body ends, or the given server. `sheds_load`: see `Deployment.environment`."""
    if deployment.server is not None:
        parts = urlsplit(deployment.server)
        yield Server(parts.hostname or HOST, parts.port or 80, None)
        return
    command = [sys.executable, "-m", "channels", "serve"]
    command += ["--host", HOST, "--port", "0", "--workers", str(workers)]
    environment = deployment.environment(sheds_load=sheds_load)
    async with _process(command, "Ready", environment) as (process, printed):
        found = re.search(r"API +http://([^:]+):(\d+)/", printed)
        if found is None:
            raise StartFailed(f"the server did not print where it listens: {printed}")
        yield Server(found[1], int(found[2]), process.pid)


@asynccontextmanager
async def baseline(name: str) -> AsyncIterator[Address]:
    """A module of `channels.bench.baselines` in a process of its own."""
    port = _free_port()
    command = [sys.executable, "-m", f"channels.bench.baselines.{name}", str(port)]
    async with _process(command, "Ready"):
        yield Address(HOST, port)


def find_broker() -> str | None:
    """The program `mosquitto`, if it is installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def broker(program: str) -> AsyncIterator[Address]:
    """An MQTT broker with its defaults, without the limits that would make it drop messages."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="channels-bench-") as directory:
        config = Path(directory) / "mosquitto.conf"
        config.write_text(
            f"listener {port} {HOST}\nallow_anonymous true\npersistence false\n"
            "max_queued_messages 0\nlog_dest none\n"
        )
        async with _process([program, "-c", str(config)], ""):
            await _until_it_listens(port)
            yield Address(HOST, port)


async def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise StartFailed(f"nothing listens on port {port}")


@asynccontextmanager
async def _process(
    command: list[str], sign: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches only the benchmark, which ends the process
    )
    assert process.stdout is not None  # asked for above
    reading: asyncio.Task[bytes] | None = None
    try:
        printed = ""
        try:
            async with asyncio.timeout(START_SECONDS):
                while sign not in printed:
                    line = await process.stdout.readline()
                    if not line:
                        raise StartFailed(f"{command[0]} ended at once: {printed.strip()}")
                    printed += line.decode(errors="replace")
        except TimeoutError:
            raise StartFailed(f"{command[0]} did not start: {printed.strip()}") from None
        # So that the process never waits for a reader. It prints little more; servers log to stderr.
        reading = asyncio.create_task(process.stdout.read())
        yield process, printed
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        if reading is not None:
            reading.cancel()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
