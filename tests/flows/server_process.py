"""The server as operators run it: `python -m channels serve` in a process, on a data directory of its own."""

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import aiohttp

from channels.server.data_dir import load_or_create_secret
from channels.server.tokens import mint
from groups.kernel.clock import SystemClock
from tests.api import User

ROOT: Final = Path(__file__).parents[2]
START_SECONDS: Final = 120.0
"""Where nine others want two cores, database and server take 12 to 14. One that fails ends at once, so only one that
hangs is waited for so long."""
STOP_SECONDS: Final = 30.0


class ServerProcess:
    """One data directory and its server. `start` after `stop` or `kill` starts it with the stored data."""

    def __init__(self, data_dir: Path, http: aiohttp.ClientSession, *, cwd: Path = ROOT) -> None:
        self._data_dir = data_dir
        self._cwd = cwd
        self._log = data_dir.with_name(f"{data_dir.name}.log")
        self._http = http
        self._process: asyncio.subprocess.Process | None = None
        self.base = ""

    async def start(self, *flags: str, **settings: str) -> None:
        """Start it with these environment variables, and wait until it is ready."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self._log.open("ab") as log:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "channels", "serve", "--port", "0"),
                *("--data-dir", str(self._data_dir), *flags),
                cwd=self._cwd,
                env=kept
                | {"CHANNELS_EMBEDDED_CACHE_GB": "0.25", "CHANNELS_LOG_FORMAT": "json"}
                | settings,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert process.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while line := (await process.stdout.readline()).decode():
                    word, _, rest = line.strip().partition(" ")
                    if word == "API":
                        self.base = rest.strip().removesuffix("/v1")
                    if word == "Ready.":
                        return
        raise AssertionError(f"the server did not start:\n{self.log()}")

    def backed_up(self, name: str) -> "ServerProcess":
        """A server, not started, on a copy of the data directory; this one must be stopped."""
        assert self._process is None
        copy = self._data_dir.with_name(name)
        shutil.copytree(self._data_dir, copy)
        return ServerProcess(copy, self._http)

    async def verify(self) -> tuple[int, str]:
        """The exit code and the output of `channels verify` on the data directory."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "channels", "verify", "--data-dir", str(self._data_dir)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return await process.wait(), output.decode()

    def log(self) -> str:
        """The log so far."""
        return self._log.read_text()

    def peak_bytes(self) -> int:
        """The most memory that the server has used, without its database."""
        return self._memory("VmHWM")

    def held_bytes(self) -> int:
        """The memory that the server uses now, without its database."""
        return self._memory("VmRSS")

    def open_files(self) -> int:
        """The number of files and connections that the server has open."""
        assert self._process is not None
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def _memory(self, name: str) -> int:
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (found,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(found.split()[1]) * 1024

    async def stop(self) -> int:
        """Stop it as an operator does. Returns its exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """`kill -9`."""
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it stand still, with all its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def _end(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)  # one that stands still hears nothing else
        self._process = None
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await process.wait()
        finally:
            # The database of a killed server holds the other end a moment longer, perhaps than the event loop lives.
            process._transport.close()  # type: ignore[attr-defined]  # no public way

    def user_of(self, name: str, *, admin: bool = False) -> User:
        """The user of this name, with a token of this deployment."""
        secret = load_or_create_secret(self._data_dir)
        token = mint(secret, name, admin=admin, hours=1, now=SystemClock().now())
        return User(self._http, self.base, name, token)
