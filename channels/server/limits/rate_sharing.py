"""Rates over several processes: each tells the others who has spent much with it, and counts what they tell.

Promises:
    Whoever asks many processes at once gets his rate over them all, not from each: for the length of `SHARE_SECONDS` a
    bucket in each, from then on what all of them together may give.
    No request waits for it, and nothing is written while nobody spends more than `MUCH` of a rate with one process.

What is spent below that is not told: with N processes one may have N times that much, where it is more than his rate.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from channels.events import RatesSpent, Spent
from channels.server.limits.rate_limit import Buckets
from groups.kernel.background import repeat
from groups.kernel.clock import Clock
from groups.kernel.events import Event
from groups.kernel.ids import mint_id
from groups.kernel.mongo import Database, Tx

SHARE_SECONDS: Final = 1.0
MUCH: Final = 0.25  # of a second's rate
MOST: Final = 1_000  # keys told at once, the greatest spenders first


class RateSharing:
    """Keeps these buckets in step with those of the same names in other processes."""

    def __init__(self, database: Database, clock: Clock, buckets: Sequence[Buckets]) -> None:
        self._database = database
        self._clock = clock
        self._buckets = {each.quota.name: each for each in buckets}
        self._process_id = mint_id()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell."""
        if self._buckets:
            self._task = asyncio.create_task(repeat(self.tell, SHARE_SECONDS), name="rate-sharing")

    async def stop(self) -> None:
        """Tell no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def tell(self) -> None:
        """Tell what was spent since the last time, where it was much. Publishes: RatesSpent."""
        spent: list[Spent] = []
        for name, buckets in self._buckets.items():
            least = buckets.quota.per_second * MUCH
            for key, requests in buckets.collect().most_common(MOST):
                if requests <= least:
                    break
                spent.append(Spent(quota=name, key=key, requests=requests))
        if not spent:
            return

        async def work(tx: Tx) -> None:
            tx.publish(
                RatesSpent(at=self._clock.now(), process_id=self._process_id, spent=tuple(spent))
            )

        await self._database.run(work)

    def on_events(self, events: Sequence[Event]) -> None:
        """Count what was spent elsewhere (a listener of the bus)."""
        for event in events:
            if not isinstance(event, RatesSpent) or event.process_id == self._process_id:
                continue
            for spent in event.spent:
                buckets = self._buckets.get(spent.quota)
                if buckets is not None:
                    buckets.count(spent.key, spent.requests)
