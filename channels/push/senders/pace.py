"""How fast a process sends: so many pushes a second, whatever the number of jobs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

BURST_SECONDS: Final = 1.0
"""What was not sent in the last second may be sent at once."""


@dataclass(slots=True)
class Pace:
    """A bucket of `per_second` pushes a second; 0: no limit. Callers are served in the order of their calls."""

    per_second: float
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _free_at: float = field(default=float("-inf"), init=False)
    """When everything that was taken so far has been paid for."""

    async def take(self, pushes: int) -> None:
        """Wait until so many pushes may be sent."""
        if self.per_second <= 0:
            return
        now = self.monotonic()
        started = max(self._free_at, now - BURST_SECONDS)
        self._free_at = started + pushes / self.per_second
        if self._free_at > now:
            await self.sleep(self._free_at - now)
