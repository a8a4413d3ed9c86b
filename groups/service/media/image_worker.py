"""One worker process, as the server sees it."""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from typing import Any, Final

from groups.images.job import Job
from groups.kernel.errors import Unavailable

IDLE_SECONDS: Final = 60.0
_START: Final = "import sys; sys.path[:] = {}; from groups.images.worker import main; main({}, {})"


class WorkerEnded(Exception):
    """The worker ended while it drew; `is_late`: since the picture took more processor time than allowed."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.is_late = status == -signal.SIGPROF


class Worker:
    """One worker process: started when it is needed, ended when it is not, replaced when it has died.

    One job at a time, which the caller sees to.
    """

    def __init__(
        self, memory_bytes: int, file_bytes: int, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._start = _START.format(sys.path, memory_bytes, file_bytes)
        self._idle_seconds = idle_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._retiring: asyncio.Task[None] | None = None
        self._is_closed = False
        self.deaths = 0

    @property
    def pid(self) -> int | None:
        """The process, where there is one now."""
        return self._process.pid if self._process is not None else None

    async def run(self, job: Job) -> dict[str, Any]:
        """Have the job done.

        Raises: WorkerEnded; Unavailable when it takes too long though it has not used up its processor time.
        """
        if self._retiring is not None:
            self._retiring.cancel()
        process = await self._started()
        assert process.stdin is not None  # asked for when it was started
        assert process.stdout is not None
        try:
            # A machine may be too busy, a disk may hang; neither counts as processor time.
            async with asyncio.timeout(10 + 5 * job.seconds):
                with suppress(ConnectionError):  # it has died, which reading shows
                    process.stdin.write(job.encode())
                    await process.stdin.drain()
                line = await process.stdout.readline()
        except BaseException as error:
            # Left alone, it would answer the next job with this one's picture.
            await self._end()
            if isinstance(error, TimeoutError):
                raise Unavailable("Drawing the picture took too long; try again") from error
            raise
        if not line.endswith(b"\n"):
            self.deaths += 1
            raise WorkerEnded(await self._end())
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            await self._end()
        else:
            self._retiring = asyncio.create_task(self._retire(), name="picture-worker-idle")
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._is_closed:
            raise Unavailable
        if self._process is not None and self._process.returncode is not None:
            await self._end()
        if self._process is None:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-c",
                    self._start,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    # Nothing of the server's environment, which holds its secret. These settings of the C library
                    # return the memory of a large picture to the system as soon as it is drawn.
                    env={"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"},
                    # Ctrl-C in a terminal is for the server, which lets the picture be finished.
                    start_new_session=True,
                )
            except OSError as error:
                raise Unavailable("No picture can be drawn now; try again") from error
        return self._process

    async def _retire(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        await self._end()

    async def _end(self) -> int:
        """End the process, where there is one, and return its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(ProcessLookupError):
            process.kill()
        return await asyncio.shield(process.wait())

    async def close(self) -> None:
        """End the process for good."""
        self._is_closed = True
        if self._retiring is not None:
            self._retiring.cancel()
        await self._end()
