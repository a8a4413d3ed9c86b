"""A consumer of the log: sees every event from its activation on exactly once, in order, whatever crashes.

Promises:
    Exactly once: what `handle` writes, and the position after it, are committed in one transaction.
    One at a time: one process works for a consumer, by a lease; another takes over `LEASE_SECONDS` after a kill at the
        latest, and at once after a stop.
    Free while inactive: without a row, a consumer asks for the row once in `IDLE_SECONDS`, and reads no event.
    Loud: events that expired before the consumer read them are logged as an error, and counted (`lost`).
A `handle` that fails is called again with the same events, until it succeeds: nothing is skipped. `lag_seconds` tells.

What leaves the database (a webhook, a push) is not for `handle`: it writes down what is to be sent, and others send it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from groups.kernel.background import cancel
from groups.kernel.event_log.head import LogHead
from groups.kernel.event_log.models import LogEntry, end_of
from groups.kernel.mongo import Database, Tx, is_outage
from groups.kernel.mongo.event_log import ConsumerRow, LogStore
from groups.kernel.mongo.outbox import Wants

LEASE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 1.0
"""Between two looks of a process that has nothing to do for the consumer."""
FAILED_SECONDS: Final = 1.0  # after `handle` failed

Handle = Callable[[Sequence[LogEntry], Tx], Awaitable[None]]
Prepare = Callable[[Tx], Awaitable[None]]
"""Called in the transaction before it reads events, so that `wants` can decide by what is committed."""

log = logging.getLogger(__name__)


class _Step(NamedTuple):
    """What one transaction of a consumer did: whether it was this process's task, and how far it came."""

    is_ours: bool
    position: int = 0
    lost: int = 0
    is_full: bool = False
    newest: datetime | None = None


@dataclass(slots=True, eq=False)
class Consumer:
    """The consumer of this name. `handle` gets the events that it `wants`, by type and routes (`Event.routes`).

    Two consumers of one name on one database are the same one, whatever the processes.
    """

    name: str
    database: Database
    store: LogStore
    head: LogHead
    handle: Handle
    wants: Wants
    prepare: Prepare | None = None
    lost: int = field(default=0, init=False)
    """Transactions whose events expired before this process could read them."""
    _behind_since: datetime | None = field(default=None, init=False)
    _activated: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def lag_seconds(self) -> float:
        """How old the first event may be that is not consumed; 0 where this process has nothing left to do."""
        since = self._behind_since
        return max(0.0, (self.database.clock.now() - since).total_seconds()) if since else 0.0

    async def is_active(self) -> bool:
        """Whether it consumes what is committed."""
        return await self.store.find_consumer(self.name) is not None

    async def activate(self, tx: Tx) -> None:
        """Consume every event that is committed after `tx`. Changes nothing where the consumer is active.

        Some that were committed a moment before `tx` may be consumed too.
        """
        if await self.store.find_consumer(self.name, tx) is None:
            position = await self.store.find_head(tx)
            self.store.save_consumer(self.name, ConsumerRow(position=position), tx)
            self._activated.set()

    async def deactivate(self, tx: Tx) -> None:
        """Forget the position, and consume nothing any more. Idempotent."""
        await self.store.delete_consumer(self.name, tx)

    def start(self) -> None:
        """Work in the background whenever it is this process's turn. On mongomock there is no log."""
        if self._task is None and self.database.transactional:
            self._task = asyncio.create_task(self._repeat(), name=f"consumer-{self.name}")

    async def close(self) -> None:
        """Stop, and leave the rest to another process or the next start."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None

    async def catch_up(self) -> None:
        """Consume all that has a position now, if it is this process's task (tests, and the end of a process)."""
        while (await self._step()).is_full:
            pass

    async def _repeat(self) -> None:
        while True:
            try:
                step = await self._step()
            # Any error: the events are read again, since their position was not stored.
            except Exception as error:
                if not is_outage(error):
                    log.exception("the consumer %s failed", self.name)
                if self._behind_since is None:
                    self._behind_since = self.database.clock.now()
                await asyncio.sleep(FAILED_SECONDS)
                continue
            if not step.is_ours:
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._activated.wait()
                self._activated.clear()
            elif not step.is_full:
                # A part of the lease: it is renewed by the next step, also where nothing is to do.
                await self.head.wait_beyond(step.position, LEASE_SECONDS / 3)

    async def _step(self) -> _Step:
        # Without a transaction, which most processes do not need.
        if not self._is_ours(await self.store.find_consumer(self.name)):
            step = _Step(is_ours=False)
        else:
            step = await self.database.run(self._consume_some)
        self._behind_since = step.newest if step.is_full else None
        if step.lost:
            self.lost += step.lost
            log.error(
                "the consumer %s has lost the events of %d transactions, which expired before they were read:"
                " raise CHANNELS_EVENT_RETENTION_SECONDS, and see why it was away",
                self.name,
                step.lost,
            )
        return step

    def _is_ours(self, row: ConsumerRow | None) -> bool:
        if row is None:
            return False
        process_id, now = self.database.turns.process_id, self.database.clock.now()
        return row.seconds_left(process_id, now) == 0

    async def _consume_some(self, tx: Tx) -> _Step:
        process_id, now = self.database.turns.process_id, self.database.clock.now()
        row = await self.store.find_consumer(self.name, tx)
        if row is None or not self._is_ours(row):
            return _Step(is_ours=False)
        if self.prepare is not None:
            await self.prepare(tx)
        page = await self.store.read_page(end_of(row.position), self.wants, tx)
        if page.entries:
            await self.handle(page.entries, tx)
        is_moved = page.end.number != row.position
        if is_moved or row.seconds_left("", now) < LEASE_SECONDS / 2:
            until = now + timedelta(seconds=LEASE_SECONDS)
            leased = ConsumerRow(position=page.end.number, holder=process_id, leased_until=until)
            self.store.save_consumer(self.name, leased, tx)
        # Where nothing of the page was wanted, all that is known is how far it was behind before.
        newest = page.entries[-1].event.at if page.entries else self._behind_since or now
        return _Step(
            is_ours=True,
            position=page.end.number,
            lost=page.lost,
            is_full=page.is_full,
            newest=newest,
        )
