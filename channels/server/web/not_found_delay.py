"""What is absent and what is not yours to know are answered alike, and after the same time.

To find that somebody may not know of a channel takes the database a question or two more than to find that there is
none; a patient stranger would tell them apart by the clock. So either answer is held back until the call has taken
`ABSENT_SECONDS`, several times what both need on a database that is not overloaded, or a multiple of that where it
took longer.

The instant of the answer depends on when the call began and on nothing else. Event loops count their timers in whole
milliseconds, so a delay that is computed when the work ends would tell by its rounding how long the work took: the
instant is a whole millisecond of the clock that those timers run on.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from groups.kernel.errors import NotFound

T = TypeVar("T")

ABSENT_SECONDS: Final = 0.02


class NotFoundDelay:
    """Holds back answers that say that something is not there."""

    def __init__(
        self, seconds: float = ABSENT_SECONDS, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._milliseconds = seconds * 1000
        self._timer = timer

    async def over(
        self,
        call: Awaitable[T],
        on_held: Callable[[], None] = lambda: None,
        *,
        is_held: Callable[[T], bool] = lambda _: False,
    ) -> T:
        """What the call answers; whatever it does not find takes it as long as anything else it does not find.

        `is_held` says of an answer whether it tells of something that was not found, as an item of a batch does.
        `on_held` gives back, before the waiting, what the call needs no longer.
        """
        began = self._now()
        try:
            answer = await call
        except NotFound:
            on_held()
            await self._hold(began)
            raise
        if is_held(answer):
            on_held()
            await self._hold(began)
        return answer

    async def _hold(self, began: float) -> None:
        if not self._milliseconds:
            return
        now = self._now()
        steps = max(1, math.ceil((now - began) / self._milliseconds))
        until = math.floor(began + steps * self._milliseconds)
        await asyncio.sleep(max(0, math.ceil(until - now)) / 1000)

    def _now(self) -> float:
        return self._timer() * 1000
