"""Merges the documents of past days: those that count one post each become one document of the channel's day.

Every process does it once an hour. Several may do it at the same time, since each step is a transaction that adds up
and deletes.
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
"""How long after its end a day is not merged yet: a batch that began on it may not be committed."""


@dataclass(kw_only=True, slots=True)
class Rollup:
    """The background task of this process."""

    database: Database
    days: DayStore
    clock: Clock
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def roll_up(self) -> None:
        """Merge the documents of all past days. Repeating it changes nothing.

        Raises: Unavailable.
        """
        before = (self.clock.now() - LATE).astimezone(UTC).date()
        while (found := await self.days.find_day_to_roll_up(before)) is not None:
            await self._roll_up_day(*found)

    async def _roll_up_day(self, channel_id: GroupId, day: date) -> None:
        await self.database.run(lambda tx: self.days.roll_up_some(channel_id, day, STEP, tx))

    def start(self) -> None:
        self._task = self._task or asyncio.create_task(
            repeat(self.roll_up, LOOK_SECONDS), name="rollup"
        )

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
