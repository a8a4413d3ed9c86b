"""Gives committed events their positions in the log.

Every process has a sequencer; one works at a time, by a lease. Positions and the end of the log are committed in one
transaction, so two that work at once conflict, and no position is given twice.

A process that commits events gives positions, to its own and to those of others. One that only listens leaves this to
the others, and looks now and then whether they do it.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from groups.kernel.background import cancel
from groups.kernel.event_log.head import LogHead
from groups.kernel.mongo import Database, Tx, is_outage
from groups.kernel.mongo.event_log import MOST_SEQUENCED, ConsumerRow, LogStore

GATHER_SECONDS: Final = 0.1
"""Between two runs: what is committed meanwhile gets its positions together, which costs a hundredth as much."""
LEASE_SECONDS: Final = 5.0
"""How long another process waits for one that was killed."""
LOOK_SECONDS: Final = 60.0
"""Between two looks when this process heard of no commit."""
FAILED_SECONDS: Final = 1.0  # after a failure
OWN_SECONDS: Final = 10.0
"""How long after its last commit a process goes on to give positions to the events of others."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Sequencer:
    """Gives positions in the background. On mongomock there is no log."""

    database: Database
    store: LogStore
    head: LogHead
    _committed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _own_commit_at: float = field(default=0.0, init=False)
    _looks_soon: bool = field(default=False, init=False)
    """Whether it looks within `LEASE_SECONDS` for events of other processes that have no position by then."""
    _is_holder: bool = field(default=False, init=False)
    _waiting_since: datetime | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def waiting_seconds(self) -> float:
        """The age of the oldest event that this process found without a position and could not give one; else 0."""
        since = self._waiting_since
        return max(0.0, (self.database.clock.now() - since).total_seconds()) if since else 0.0

    def committed(self, process_id: str | None = None) -> None:
        """A process has committed events (a listener of the bus); None: it is not known which."""
        now = time.monotonic()
        if process_id == self.database.turns.process_id:
            self._own_commit_at = now
        elif process_id is not None and now - self._own_commit_at > OWN_SECONDS:
            if not self._looks_soon:
                self._looks_soon = True
                asyncio.get_running_loop().call_later(LEASE_SECONDS, self._committed.set)
            return
        self._committed.set()

    def start(self) -> None:
        """Begin; what was committed before is given its positions first."""
        if self._task is None and self.database.transactional:
            self._committed.set()
            self._task = asyncio.create_task(self._repeat(), name="sequencer")

    async def close(self) -> None:
        """Stop; another process, or the next start, goes on."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None

    async def run(self) -> float:
        """Give positions to all that waits when this is called.

        Returns 0, or for how many seconds another process does it for certain.
        """
        while True:
            done = await self.database.run(self._sequence_some)
            # Only now, since a transaction that fails leaves it as it was found.
            self._waiting_since = None
            if isinstance(done, float):
                self._is_holder = False
                return done
            self.head.reached(done.end)
            self._is_holder = self._is_holder or done.given > 0
            if done.given < MOST_SEQUENCED:
                return 0.0

    async def _repeat(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._committed.wait()
            self._committed.clear()
            self._looks_soon = False
            try:
                left = await self.run()
                await self._hand_over()
            # Any error: what has no position keeps waiting, and the next run may succeed.
            except Exception as error:
                if not is_outage(error):
                    log.exception("events get no positions")
                left = FAILED_SECONDS
            if left:
                # The other process may have been killed before it gave all that was committed their positions.
                self._committed.set()
            await asyncio.sleep(max(left, GATHER_SECONDS))

    async def _hand_over(self) -> None:
        """End the lease of a process that only listens, so that those that commit do not wait for it."""
        if self._is_holder and time.monotonic() - self._own_commit_at > OWN_SECONDS:
            await self.store.release([], self.database.turns.process_id)
            self._is_holder = False

    async def _sequence_some(self, tx: Tx) -> "_Done | float":
        process_id, now = self.database.turns.process_id, self.database.clock.now()
        row = await self.store.find_sequencer(tx) or ConsumerRow(position=0)
        left = row.seconds_left(process_id, now)
        if left > 0:
            return left
        keys, self._waiting_since = await self.store.find_unsequenced(tx)
        end = row.position + len(keys)
        if keys:
            self.store.give_positions(keys, row.position + 1, now, tx)
            until = now + timedelta(seconds=LEASE_SECONDS)
            self.store.save_sequencer(
                ConsumerRow(position=end, holder=process_id, leased_until=until), tx
            )
        return _Done(len(keys), end)


class _Done(NamedTuple):
    """How many transactions got positions, and the last position after that."""

    given: int
    end: int
