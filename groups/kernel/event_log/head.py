"""The end of the log, as this process knows it, for those who wait until it grows."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from groups.kernel.background import cancel
from groups.kernel.mongo.event_log import LogStore

LOOK_SECONDS: Final = 0.05
"""Between two looks for positions that another process gives, soon after a commit."""
IDLE_SECONDS: Final = 1.0
"""Between two looks when nothing was committed lately."""
_LATELY_SECONDS: Final = 2.0


@dataclass(slots=True, eq=False)
class LogHead:
    """The last position of the log that this process has seen. One reader asks the database for all who wait."""

    store: LogStore
    position: int = 0
    _grown: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _looking: asyncio.Task[None] | None = field(default=None, init=False)
    _waiting: int = field(default=0, init=False)
    _committed_at: float = field(default=0.0, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def committed(self, _: str | None = None) -> None:
        """Some process has committed events, which get their positions soon (a listener of the bus)."""
        self._committed_at = time.monotonic()
        self._woken.set()

    def reached(self, position: int) -> None:
        """The log has this position."""
        if position > self.position:
            self.position = position
            self._grown.set()
            self._grown = asyncio.Event()

    async def read(self) -> int:
        """The last position now. Raises: PyMongoError."""
        self.reached(await self.store.find_head())
        return self.position

    async def close(self) -> None:
        """Stop asking the database. Those who still wait learn of no new position."""
        if self._looking is not None:
            await cancel(self._looking)

    async def wait_beyond(self, position: int, seconds: float) -> bool:
        """Wait until the log has a higher position than this; False after `seconds`."""
        deadline = time.monotonic() + seconds
        self._waiting += 1
        try:
            while self.position <= position:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                if self._looking is None:
                    self._looking = asyncio.create_task(self._look(), name="log-head")
                try:
                    await asyncio.wait_for(self._grown.wait(), left)
                except TimeoutError:
                    return False
            return True
        finally:
            self._waiting -= 1

    async def _look(self) -> None:
        try:
            while self._waiting:
                try:
                    await self.read()
                # Any error: the waiting time of those who wait ends, and the next look may succeed.
                except Exception:
                    await asyncio.sleep(IDLE_SECONDS)
                if time.monotonic() - self._committed_at < _LATELY_SECONDS:
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                self._woken.clear()
                try:
                    await asyncio.wait_for(self._woken.wait(), IDLE_SECONDS)
                except TimeoutError:
                    continue
        finally:
            self._looking = None
