"""Rates over several processes: each reports what busy keys spent, and counts what the others report.

Promises:
    A client that calls many processes gets its rate over all of them: a full bucket in each for `SHARE_SECONDS`, and
    then the rate of one.
    No request waits for a report, and nothing is written while no key spends more than `MUCH` of its rate.

Smaller spending is not reported: with N processes a key may spend N times that much.
"""

from collections.abc import Sequence
from typing import Final

from channels.events import RatesSpent, Spent
from channels.server.limits.rate_limit import TokenBuckets
from groups.kernel.background import PeriodicTask
from groups.kernel.clock import Clock
from groups.kernel.events import Event
from groups.kernel.ids import mint_id
from groups.kernel.mongo import Database, Tx

SHARE_SECONDS: Final = 1.0
MUCH: Final = 0.25  # of the rate; less is not reported
MOST: Final = 1_000  # keys in one report, those that spent most first


class RateSharing:
    """Synchronises these buckets with those of other processes that have the same name."""

    def __init__(self, database: Database, clock: Clock, buckets: Sequence[TokenBuckets]) -> None:
        self._database = database
        self._clock = clock
        self._buckets = {each.quota.name: each for each in buckets}
        self._process_id = mint_id()
        self.task = PeriodicTask(self.tell, SHARE_SECONDS, name="rate-sharing")

    async def tell(self) -> None:
        """Report what busy keys spent since the last report. Publishes: RatesSpent."""
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
        """Count what was spent in other processes (a listener of the event bus)."""
        for event in events:
            if not isinstance(event, RatesSpent) or event.process_id == self._process_id:
                continue
            for spent in event.spent:
                buckets = self._buckets.get(spent.quota)
                if buckets is not None:
                    buckets.count(spent.key, spent.requests)
