"""Work that a process repeats in the background.

Promises: a failure ends one run, not the repetition. It is logged, unless the database was away. Only cancelling stops
the repetition.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from groups.kernel.mongo import is_outage

log = logging.getLogger(__name__)


async def repeat(work: Callable[[], Awaitable[object]], every_seconds: float) -> None:
    """Run the work again and again, with a pause of `every_seconds` before each run."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await work()
        # Any error: the next run may succeed, and work that stopped for good would pile up.
        except Exception as error:
            if not is_outage(error):
                log.exception("%s failed", getattr(work, "__qualname__", work))


@dataclass(slots=True, eq=False)
class PeriodicTask:
    """Work that is repeated from `start` to `stop`; both may be called twice."""

    work: Callable[[], Awaitable[object]]
    every_seconds: float
    name: str
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin; the first run is after a pause."""
        if self._task is None:
            self._task = asyncio.create_task(repeat(self.work, self.every_seconds), name=self.name)

    async def stop(self) -> None:
        """Cancel the repetition, in the middle of a run too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
