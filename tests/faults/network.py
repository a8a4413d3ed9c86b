"""A TCP proxy that delays, stalls, and resets connections in the middle of a request.

It runs on the event loop of the test. A reset is a real RST, as from a balancer or a router that lost the connection:
the next read fails with an error.
"""

import asyncio
import socket
import struct
from collections import Counter, deque
from types import TracebackType
from typing import Final, Literal, Self

from tests.mongod import HOST

Break = Literal["half", "unanswered"]
"""`half`: half of the request arrives. `unanswered`: all of it arrives, and its answer is lost."""
_CHUNK: Final = 1 << 16
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Wire:
    """Listens on a port of its own, and forwards to `port`."""

    def __init__(self, port: int) -> None:
        self.target = port
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._breaks: deque[Break] = deque()
        self.delay_seconds = 0.0
        """The delay of each piece of an answer."""
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0
        self.resets: Counter[Break] = Counter()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    # --- faults ---------------------------------------------------------------------------------------------------

    def break_next(self, *breaks: Break) -> None:
        """Reset the connections of the next requests, one for each break."""
        self._breaks.extend(breaks)

    @property
    def has_broken_all(self) -> bool:
        """Whether all of these resets have happened."""
        return not self._breaks

    def cut(self) -> None:
        """Reset every open connection."""
        for writer in list(self._writers):
            _reset(writer)

    def stall(self) -> None:
        """Keep all connections, and hold everything back in both directions."""
        self._flows.clear()

    def flow(self) -> None:
        """End a stall, and forward everything that was held back."""
        self._flows.set()

    # --- pipes ----------------------------------------------------------------------------------------------------

    async def _accept(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        task.add_done_callback(self._pipes.discard)
        try:
            far, far_out = await asyncio.open_connection(HOST, self.target)
        except OSError:
            _reset(near_out)
            return
        self._writers |= {near_out, far_out}
        doomed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._requests(near, far_out, doomed))
                both.create_task(self._answers(far, near_out, doomed))
        except* (_Reset, OSError):
            pass
        finally:
            self._writers -= {near_out, far_out}
            _reset(near_out)
            _reset(far_out)

    async def _requests(
        self, near: asyncio.StreamReader, far_out: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while chunk := await near.read(_CHUNK):
            await self._flows.wait()
            if self._breaks and not doomed.is_set():
                how = self._breaks.popleft()
                self.resets[how] += 1
                if how == "half":
                    far_out.write(chunk[: len(chunk) // 2])
                    await far_out.drain()
                    raise _Reset
                doomed.set()
            far_out.write(chunk)
            await far_out.drain()
        raise _Reset

    async def _answers(
        self, far: asyncio.StreamReader, near_out: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while chunk := await far.read(_CHUNK):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await self._flows.wait()
            if doomed.is_set():
                raise _Reset
            near_out.write(chunk)
            await near_out.drain()
        raise _Reset


class _Reset(Exception):
    """Ends a connection in both directions."""


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
