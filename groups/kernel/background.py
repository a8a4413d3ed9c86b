"""What a process does again and again in the background, whatever befalls it once.

Promises: a failure ends one time, not the repeating; the log tells of it, unless the database was away. Only being
cancelled ends it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from groups.kernel.mongo import is_outage

log = logging.getLogger(__name__)


async def repeat(work: Callable[[], Awaitable[object]], every_seconds: float) -> None:
    """Do the work, for the first time after `every_seconds`, and then so long after each time."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await work()
        # Whatever it was, the next time may succeed; one that ended for good would let its work pile up.
        except Exception as error:
            if not is_outage(error):
                log.exception("%s failed", getattr(work, "__qualname__", work))
