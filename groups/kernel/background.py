"""Work that a process repeats in the background.

Promises: a failure ends one run, not the repetition. It is logged, unless the database was away. Only cancelling stops
the repetition.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

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


class PeriodicTask:
    """Work that is repeated from `start` to `stop`; both may be called twice."""

    def __init__(
        self, work: Callable[[], Awaitable[object]], every_seconds: float, *, name: str
    ) -> None:
        self._work = work
        self._every_seconds = every_seconds
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first run is after a pause."""
        self._task = self._task or asyncio.create_task(
            repeat(self._work, self._every_seconds), name=self._name
        )

    async def stop(self) -> None:
        """Cancel the repetition, in the middle of a run too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
