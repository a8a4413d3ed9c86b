"""Keeps a process's clock with its database's, for as long as the process runs."""

import asyncio
from typing import Final

from groups.kernel.background import repeat
from groups.kernel.mongo.database import Database

EVERY_SECONDS: Final = 60.0
"""A quartz drifts a few milliseconds a minute; a new primary, or a machine that was set, is found out as soon."""


class Timekeeping:
    """The background work of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Compare the clocks now and then; the connection was opened with a comparison."""
        read = repeat(self._database.read_clock, EVERY_SECONDS)
        self._task = self._task or asyncio.create_task(read, name="timekeeping")

    async def stop(self) -> None:
        """Compare them no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
