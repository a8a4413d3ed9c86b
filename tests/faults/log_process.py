"""A process with a sequencer and a consumer of the event log, which a test kills, stops and starts.

    python -m tests.faults.log_process URI DATABASE

The consumer stores each event once under its id (a second handling of it fails for good), and what it finds wrong with
the order of the event's stream.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Final, Literal

from pymongo import UpdateOne

from groups.kernel.event_bus import EventBus
from groups.kernel.event_log.log import EventLog
from groups.kernel.event_log.models import LogEntry
from groups.kernel.events import Event
from groups.kernel.mongo import Database, Tx
from tests.mongod import DRIVER

NAME: Final = "counted"
SEEN: Final = "seen"
LAST: Final = "last"
COLLECTIONS: Final = (SEEN, LAST, "streams")


class Numbered(Event):
    """The next event of a stream, counted from 1."""

    type: Literal["test.numbered"] = "test.numbered"
    stream: str
    number: int


class Follower:
    """What the process has of the log."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.bus = EventBus(database)
        self.log = EventLog(database, self.bus)
        self.consumer = self.log.consumer(NAME, self._handle, lambda name, _: name == _TYPE)

    async def _handle(self, entries: Sequence[LogEntry], tx: Tx) -> None:
        last = self.database.collection(LAST)
        numbers = {row["_id"]: row["n"] async for row in last.find(session=tx.session)}
        rows: list[dict[str, Any]] = []
        for entry in entries:
            event = entry.event
            assert isinstance(event, Numbered), event
            expected = numbers.get(event.stream, 0) + 1
            numbers[event.stream] = event.number
            key = f"{event.stream} {event.number}"
            rows.append({"_id": key, "event_id": event.event_id, "expected": expected})
            if event.number != expected:
                rows[-1]["is_wrong"] = True
        await self.database.collection(SEEN).insert_many(rows, session=tx.session)
        tx.write(
            last,
            *(
                UpdateOne({"_id": stream}, {"$set": {"n": number}}, upsert=True)
                for stream, number in numbers.items()
            ),
        )


_TYPE: Final = "test.numbered"


async def main(uri: str, name: str) -> None:
    database = await Database.connect(uri, name, driver=DRIVER, patience_seconds=60)
    follower = Follower(database)
    await follower.bus.start()
    follower.log.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
