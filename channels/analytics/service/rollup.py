"""Merges the documents of past days that count one post each into one document of the channel's day.

Only processes of version 0.1 write such documents. Every process merges them once an hour. Several may do it at the
same time, since each step is a transaction that adds up and deletes.
"""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Final

from channels.analytics.store import DayStore
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database

STEP: Final = 1_000  # documents a transaction
LATE: Final = timedelta(hours=1)
"""How long after its end a day is not merged yet: a batch that began on it may not be committed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollup:
    """Merges past days."""

    database: Database
    days: DayStore
    clock: Clock

    async def roll_up(self) -> None:
        """Merge the documents of all past days. Repeating it changes nothing."""
        before = (self.clock.now() - LATE).astimezone(UTC).date()
        while (found := await self.days.find_day_to_roll_up(before)) is not None:
            await self._roll_up_day(*found)

    async def _roll_up_day(self, channel_id: GroupId, day: date) -> None:
        await self.database.run(lambda tx: self.days.roll_up_some(channel_id, day, STEP, tx))
