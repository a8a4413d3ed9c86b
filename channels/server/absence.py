"""What is absent and what is not yours to know are answered alike, and after the same time.

To find that somebody may not know of a channel takes the database a question or two more than to find that there is
none; a patient stranger would tell them apart by the clock. So either answer is held back until the call has taken
`ABSENT_SECONDS`, several times what both need on a database that is not overloaded.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from groups.kernel.errors import NotFound

T = TypeVar("T")

ABSENT_SECONDS: Final = 0.02


class Veil:
    """Holds back refusals that say that something is not there."""

    def __init__(self, seconds: float = ABSENT_SECONDS) -> None:
        self._seconds = seconds

    async def over(self, call: Awaitable[T], on_held: Callable[[], None] = lambda: None) -> T:
        """What the call answers; whatever it does not find takes it as long as anything else it does not find.

        `on_held` gives back, before the waiting, what the call needs no longer.
        """
        began = time.monotonic()
        try:
            return await call
        except NotFound:
            on_held()
            await asyncio.sleep(max(0.0, began + self._seconds - time.monotonic()))
            raise
