"""Missing and hidden resources return the same 404, after the same time.

A hidden channel takes a query or two more than a missing one, so a patient stranger could tell them apart by the
clock. Both responses are therefore delayed until the call has taken `NOT_FOUND_SECONDS`, several times what either
needs on a healthy database, or a multiple of it if it took longer.

The instant of the response depends only on when the call began. Event loops round timers to whole milliseconds, so a
delay computed at the end of the work would reveal its duration by the rounding. The instant is therefore a whole
millisecond of the loop's clock.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from groups.kernel.errors import NotFound

T = TypeVar("T")

NOT_FOUND_SECONDS: Final = 0.02


class NotFoundDelay:
    """Delays responses that say that something was not found."""

    def __init__(
        self, seconds: float = NOT_FOUND_SECONDS, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._milliseconds = seconds * 1000
        self._timer = timer

    async def apply(
        self,
        call: Awaitable[T],
        before_delay: Callable[[], None] = lambda: None,
        *,
        is_not_found: Callable[[T], bool] = lambda _: False,
    ) -> T:
        """Return what the call returns. Every 404 takes the same time.

        `is_not_found` says whether a result reports something as not found, as an item of a batch may. `before_delay`
        releases, before the delay, what the call no longer needs.
        """
        began = self._now()
        try:
            answer = await call
        except NotFound:
            before_delay()
            await self._delay(began)
            raise
        if is_not_found(answer):
            before_delay()
            await self._delay(began)
        return answer

    async def _delay(self, began: float) -> None:
        if not self._milliseconds:
            return
        now = self._now()
        steps = max(1, math.ceil((now - began) / self._milliseconds))
        until = math.floor(began + steps * self._milliseconds)
        await asyncio.sleep(max(0, math.ceil(until - now)) / 1000)

    def _now(self) -> float:
        return self._timer() * 1000
