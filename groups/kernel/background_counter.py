"""Adds up, in the background, what transactions have counted: a hot write stores its counts and goes on.

An event whose class has `is_counted` is stored by `Tx.publish` with the others, in the same document
(`mongo.uncounted`), and reaches no listener. A counter takes such events, and hands them to the function that adds them
up, in one transaction: each is added once, whatever crashes, and however many processes count. Every process has a
counter. It counts within about `GATHER_SECONDS` of a commit of its own, and looks now and then for what processes that
died have left.

Promises:
    Exactly once: an event is added up if and only if the transaction that published it is committed.
    In order: of two transactions that write the same document, the events of the earlier one are added first.
    Fresh on demand: after `catch_up`, all that was committed before the call is added up.
    Bounded: a transaction takes a part of what waits (`MOST_DOCUMENTS`), and `catch_up` what waited when it began.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from groups.kernel.background import cancel
from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.events import Event
from groups.kernel.mongo import Database, Tx, is_outage
from groups.kernel.mongo.outbox import OUTBOX
from groups.kernel.mongo.uncounted import StoredTime, UncountedStore

GATHER_SECONDS: Final = 1.0
"""At most, from a commit until it is counted: a thousand commits of a second are added up together."""
LOOK_SECONDS: Final = 60.0
"""At most, between two looks for what other processes have left uncounted."""
FAILED_SECONDS: Final = 5.0  # after counting failed
STOP_SECONDS: Final = 2.0
"""How long a process that stops counts what is left; another process, or the next start, counts the rest."""

AddUp = Callable[[Sequence[Any], Tx], Awaitable[None]]
"""Adds up events of one type in a transaction; called with as many as there are, in order."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class BackgroundCounter:
    """Counts the events of these types; the functions add them up. On mongomock there is nothing to count."""

    database: Database
    add_up: Mapping[type[Event], AddUp]
    _store: UncountedStore = field(init=False)
    _runs: RequestBatcher[None, None] = field(init=False)
    _is_running: bool = field(default=False, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set while something may wait that this process has committed, or failed to count."""
    _waiting_since: datetime | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._store = UncountedStore(self.database.collection(OUTBOX))
        self._runs = RequestBatcher(self._run)
        self.database.on_counts(self._woken.set)

    @property
    def waiting_seconds(self) -> float:
        """The age of the oldest event that this process has found and not counted; 0 where there is none."""
        since = self._waiting_since
        return (self.database.clock.now() - since).total_seconds() if since else 0.0

    async def catch_up(self) -> None:
        """Count all that any process committed before this call. Raises: Unavailable; what `add_up` raises."""
        if self.database.transactional:
            # All callers of a process share one run after the other, since two at once would conflict.
            await self._runs.find(None)

    async def discard(self, kind: type[Event], tx: Tx, *, limit: int, **match: Any) -> int:
        """Remove uncounted events with these fields, of up to `limit` transactions. Returns how many had any.

        Once it returns 0 and `tx` is committed, no such event that was committed before is counted any more.
        """
        return await self._store.discard_some(kind, match, limit, tx)

    def start(self) -> None:
        """Count in the background from now on, beginning with what earlier processes left."""
        if self._task is None:
            self._woken.set()
            self._task = asyncio.create_task(self._repeat(), name="counter")

    async def close(self) -> None:
        """Stop, and count what this process has committed, for `STOP_SECONDS` at most."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None
        if not self._woken.is_set() and not self._is_running:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.catch_up()
        except TimeoutError:
            log.info("some counts are left to another process or the next start")
        # Any error: they are counted later, and the stop must go on.
        except Exception as error:
            _report(error)

    async def _repeat(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS * random.uniform(0.5, 1)):
                    await self._woken.wait()
            # Of several processes, whose pauses differ, the first counts for all, and the others find nothing.
            await asyncio.sleep(GATHER_SECONDS * random.uniform(0.5, 1))
            try:
                await self.catch_up()
            # Any error: what is not counted stays, and the next run may succeed.
            except Exception as error:
                _report(error)
                await asyncio.sleep(FAILED_SECONDS)

    async def _run(self, _: Collection[None]) -> Mapping[None, None]:
        self._is_running = True
        self._woken.clear()
        is_done = False
        try:
            # Up to what waits now: under load there is always more.
            upto = await self._store.find_newest()
            while upto is not None and await self._count_some(upto):
                pass
            is_done = True
        finally:
            self._is_running = False
            if not is_done:
                self._woken.set()
        self._waiting_since = None
        return {}

    async def _count_some(self, upto: StoredTime) -> bool:
        """Count a part of what was committed up to this time. Returns whether more of it may wait."""

        async def work(tx: Tx) -> bool:
            # A commit that was not heard of leaves nothing to take for the next attempt.
            taken = await self._store.take_some(
                self.add_up.keys(), upto, self.database.clock.now(), tx
            )
            self._waiting_since = taken.since
            for kind, add_up in self.add_up.items():
                of_kind = [event for event in taken.counts if isinstance(event, kind)]
                if of_kind:
                    await add_up(of_kind, tx)
            return taken.is_full

        return await self.database.run(work)


def _report(error: Exception) -> None:
    if not is_outage(error):
        log.error("counting failed", exc_info=error)
