"""The log of one process: what gives positions, what consumes, and what reads pages."""

from collections.abc import Sequence
from typing import Final

from groups.kernel.event_bus import EventBus
from groups.kernel.event_log.consumer import Consumer, Handle, Prepare
from groups.kernel.event_log.head import LogHead
from groups.kernel.event_log.models import LogPage, LogPosition, Subject
from groups.kernel.event_log.sequencer import Sequencer
from groups.kernel.mongo import Database
from groups.kernel.mongo.event_log import LogStore
from groups.kernel.mongo.outbox import Wants


class EventLog:
    """The event log on one database. On mongomock it stays empty."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._store = LogStore(database)
        self.head: Final = LogHead(self._store)
        self.sequencer: Final = Sequencer(database, self._store, self.head)
        self._consumers: list[Consumer] = []
        bus.on_commit(self.head.committed)
        bus.on_commit(self.sequencer.committed)
        # Commits that the bus has missed need positions too.
        bus.on_resync(self.head.committed)
        bus.on_resync(self.sequencer.committed)

    @property
    def consumers(self) -> Sequence[Consumer]:
        """Those of this process, for the metrics."""
        return self._consumers

    def consumer(
        self, name: str, handle: Handle, wants: Wants, *, prepare: Prepare | None = None
    ) -> Consumer:
        """A consumer that works from `start` to `close`, whenever it is active and this process's turn.

        `prepare` is called in each transaction before `wants`.
        """
        consumer = Consumer(name, self._database, self._store, self.head, handle, wants, prepare)
        self._consumers.append(consumer)
        return consumer

    async def read(
        self, after: LogPosition, wants: Wants, *, most_read: int, most_events: int
    ) -> LogPage:
        """The wanted events after a position, of at most `most_read` transactions; nothing is remembered of it."""
        return await self._store.read_page(
            after, wants, most_read=most_read, most_events=most_events
        )

    async def read_about(
        self,
        subject: Subject,
        after: LogPosition,
        wants: Wants,
        *,
        most_looked_at: int,
        most_events: int,
    ) -> LogPage:
        """The wanted events about a subject after a position, among the next `most_looked_at` transactions.

        `lost` is 0 whatever expired: `find_oldest` tells.
        """
        return await self._store.read_about(
            subject,
            after,
            wants,
            head=await self.head.read(),
            most_looked_at=most_looked_at,
            most_events=most_events,
        )

    async def find_oldest(self) -> int:
        """The number of the first transaction that the log still holds, or of the next one where it holds none."""
        oldest = await self._store.find_oldest()
        if oldest is None:
            head = await self.head.read()
            # Again, since positions may have been given between the two queries.
            oldest = await self._store.find_oldest()
            return head + 1 if oldest is None else oldest
        return oldest

    async def fence(self) -> None:
        """After this, no consumer commits what it made of events as they were before it.

        A step of a consumer that has read its page begins again, and reads what the log says now. Waits for none but
        one that commits at this moment.
        """
        await self._store.fence([consumer.name for consumer in self._consumers])

    def start(self) -> None:
        self.sequencer.start()
        for consumer in self._consumers:
            consumer.start()

    async def close(self) -> None:
        """Stop, and let other processes take over at once."""
        for consumer in self._consumers:
            await consumer.close()
        await self.sequencer.close()
        await self.head.close()
        if self._database.transactional:
            names = [consumer.name for consumer in self._consumers]
            await self._store.release(names, self._database.turns.process_id)
