"""Work that a process repeats in the background.

Promises: a failure ends one run, not the repetition. It is logged, unless the database was away. Only cancelling stops
the repetition.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from groups.kernel.mongo import is_outage

_AGAIN_SECONDS: Final = 1.0

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


async def cancel(*tasks: asyncio.Future[Any]) -> None:
    """Cancel the tasks and return when all have ended; their errors are dropped.

    A task may miss a cancellation: on Python 3.11 `asyncio.wait_for`, on which a driver stands, drops one that comes
    together with the result. So a task that has not ended after `_AGAIN_SECONDS` is cancelled again.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)  # or asyncio would log the errors


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
            await cancel(self._task)
