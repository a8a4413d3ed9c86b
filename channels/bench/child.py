"""A process beside the benchmark that gets orders through a pipe, and responds there."""

import asyncio
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

END_SECONDS = 5.0


class Child:
    """A process that runs `serve` on its end of the pipe until ours is closed; it ends with us at the latest."""

    def __init__(self, serve: Callable[[Connection], None]) -> None:
        # Spawned, not forked: it must not inherit our event loop.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    async def ask(self, order: object) -> Any:
        """Send the order. Returns the next message of the process."""
        self._pipe.send(order)
        return await self.receive()

    async def receive(self) -> Any:
        """The next message of the process."""
        return await asyncio.to_thread(self._pipe.recv)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
