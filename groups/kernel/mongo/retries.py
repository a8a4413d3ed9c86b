"""Attempts at a transaction, until one is known to have happened: after a conflict, a lost primary, a killed neighbour.

Promises: what a process runs at once is bounded; an attempt that began is seen to its end, whoever is cancelled
meanwhile; who found no place for `PATIENCE_SECONDS`, or was tried for so long, is told so.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from pymongo.errors import DuplicateKeyError, PyMongoError

from groups.kernel.errors import Unavailable
from groups.kernel.mongo.error_classes import PATIENCE_SECONDS, is_outage, is_transient
from groups.kernel.mongo.stale_transactions import StaleTransactions

T = TypeVar("T")
CONFLICT_SECONDS: Final = 1.0
"""Conflicts for longer than this are no race any more: somebody died in the middle of a transaction."""
_PAUSE_SECONDS: Final = 0.5  # the longest between two attempts while the database is away
_CONFLICT_PAUSE_SECONDS: Final = 0.04
"""The longest behind another process's transaction: twice as long as one takes on a busy machine."""
CONCURRENT_TRANSACTIONS: Final = 64
"""Transactions one process runs at once; more only wait here instead of in the driver's pool."""

log = logging.getLogger(__name__)


async def _uninterrupted(attempt: Coroutine[Any, Any, T]) -> T:
    """The attempt's outcome; a caller who is cancelled meanwhile goes only when it has ended.

    The driver's commands run in threads, which cancelling does not stop: a transaction aborted beside its own command
    may be begun again by it on the server, and would hold its locks for a minute.
    """
    task = asyncio.create_task(attempt)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: whoever wanted to know is gone
        raise


class Retries:
    """The attempts of one process on one database."""

    def __init__(self, orphans: StaleTransactions) -> None:
        self._orphans = orphans
        self._slots = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)

    async def run(self, attempt_at: Callable[[int], Coroutine[Any, Any, T]]) -> T:
        """What an attempt returns that is known to have happened; each is told its number, 0 at first.

        Raises: what an attempt raises, when it is neither a conflict nor an outage; Unavailable when no attempt ended
            within `PATIENCE_SECONDS`.
        """
        started = time.monotonic()
        attempt = 0
        async with self._slot():
            while True:
                try:
                    result = await _uninterrupted(attempt_at(attempt))
                except PyMongoError as error:
                    attempt += 1
                    if not (is_transient(error) or is_outage(error)) or (
                        isinstance(error, DuplicateKeyError) and attempt > 5
                    ):
                        raise
                    lasted = time.monotonic() - started
                    if lasted >= PATIENCE_SECONDS:
                        log.warning("gave up after %d attempts: %r", attempt, error)
                        raise Unavailable from error
                    if lasted >= CONFLICT_SECONDS and not is_outage(error):
                        await self._orphans.end()
                    longest = _PAUSE_SECONDS if is_outage(error) else _CONFLICT_PAUSE_SECONDS
                    # Full jitter: colliding processes must not collide again in step.
                    await asyncio.sleep(
                        random.uniform(0, min(longest, 0.002 * 2 ** min(attempt, 9)))
                    )
                else:
                    return result

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        # Or, while the database is away, those who wait for a slot would wait for one round of patience after another.
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Nothing of it was stored") from None
        try:
            yield
        finally:
            self._slots.release()
