"""Folds days that are over: what counted each post on its own becomes one document of the channel's day.

Every process does it once an hour; several may at once, since each step is a transaction that adds up and deletes.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import Final

from channels.analytics.store.days import DayStore
from groups.kernel.background import repeat
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database

LOOK_SECONDS: Final = 3_600.0
STEP: Final = 1_000  # documents a transaction
LATE: Final = timedelta(hours=1)
"""How long after its end a day is left alone: a batch that began in it may still be on its way."""


@dataclass(kw_only=True, slots=True)
class Rollup:
    """The background work of this process."""

    database: Database
    days: DayStore
    clock: Clock
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def roll_up(self) -> None:
        """Fold every day that is over; doing it again changes nothing.

        Raises: Unavailable.
        """
        before = (self.clock.now() - LATE).astimezone(UTC).date()
        while (found := await self.days.find_day_to_roll_up(before)) is not None:
            await self._roll_up_day(*found)

    async def _roll_up_day(self, channel_id: GroupId, day: date) -> None:
        await self.database.run(lambda tx: self.days.roll_up_some(channel_id, day, STEP, tx))

    def start(self) -> None:
        """Fold now and then, until stopped."""
        self._task = self._task or asyncio.create_task(
            repeat(self.roll_up, LOOK_SECONDS), name="fold-days"
        )

    async def stop(self) -> None:
        """Stop folding."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
