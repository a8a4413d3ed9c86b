"""Several server processes behind one port: how a parent runs its workers, and what a worker does for its parent.

A worker is the same command with `CHANNELS_IS_WORKER`. It prints `ready` when it serves, and stops when its standard
input ends, so that no worker outlives a killed parent.
"""

import asyncio
import sys
from typing import Final

import structlog

from channels.server.startup import StartupError

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
RESTART_SECONDS: Final = 1.0  # between the death of a worker and its replacement

_READY: Final = "ready"

log = structlog.get_logger("channels.workers")


class WorkerPool:
    """The workers of a parent. A worker that dies is replaced."""

    def __init__(self, size: int, environment: dict[str, str]) -> None:
        self._size = size
        self._environment = environment
        self._keepers: list[asyncio.Task[None]] = []
        self._processes: set[asyncio.subprocess.Process] = set()

    async def start(self) -> None:
        """Start all workers. Returns when all of them serve. Raises: StartupError when one of them cannot."""
        try:
            first = await asyncio.gather(*(self._launch() for _ in range(self._size)))
        except BaseException:
            await self.stop()
            raise
        self._keepers = [asyncio.create_task(self._keep(process)) for process in first]

    async def stop(self) -> None:
        """Stop all workers, and wait until they have ended."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(self._end(process) for process in list(self._processes)))

    async def _launch(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "channels",
            "serve",
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C in a terminal must reach the parent only, which then stops the workers.
            start_new_session=True,
        )
        self._processes.add(process)
        assert process.stdout is not None  # asked for above
        try:
            said = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        except TimeoutError:
            # Otherwise it might serve later, unsupervised, beside its replacement.
            await self._end(process)
            self._processes.discard(process)
            raise
        if said.decode().strip() != _READY:
            self._processes.discard(process)
            raise StartupError(
                f"A worker ended with exit code {await process.wait()} before it was ready.",
                cure="Its messages are above.",
            )
        return process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        while True:
            code = await process.wait()
            self._processes.discard(process)
            log.error("a worker died; starting another", pid=process.pid, exit_code=code)
            process = await self._replace()

    async def _replace(self) -> asyncio.subprocess.Process:
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            try:
                return await self._launch()
            except (StartupError, TimeoutError) as error:
                log.error("the new worker did not start either; trying again", reason=str(error))

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def tell_parent_ready() -> None:
    """Report that this worker serves."""
    sys.stdout.write(_READY + "\n")
    sys.stdout.flush()


async def stop_with_parent(stop: asyncio.Event) -> None:
    """Set `stop` when the parent has ended."""

    class Watcher(asyncio.Protocol):
        def eof_received(self) -> None:
            stop.set()

        def connection_lost(self, exc: Exception | None) -> None:
            stop.set()

    await asyncio.get_running_loop().connect_read_pipe(Watcher, sys.stdin)
