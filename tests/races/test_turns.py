"""Several processes write one hot document: nothing is lost, nobody starves, and they seldom conflict."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

import pytest

from groups.kernel.event_bus import EventBus
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.outbox import OUTBOX
from tests.builders import connections
from tests.server.test_hub import posted

PROCESSES: Final = 3
WRITES: Final = 20  # of each process
KEY: Final = "hot"


class Process:
    """One process that writes the hot document."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.bus = EventBus(database)
        self.conflicts = 0

    def _conflicted(self) -> None:
        self.conflicts += 1

    async def write(self) -> None:
        async def work(tx: Tx) -> None:
            counters = self.database.collection("counters")
            counter = await counters.find_one({"_id": "hot"}, session=tx.session)
            assert counter is not None
            await counters.update_one(
                {"_id": "hot"}, {"$set": {"value": counter["value"] + 1}}, session=tx.session
            )
            tx.publish(posted(GroupId("@TOA#_hot"), seq=counter["value"] + 1))

        await self.database.run(work, KEY, on_conflict=self._conflicted)

    async def write_all(self) -> None:
        for _ in range(WRITES):
            await self.write()


@pytest.fixture
async def processes(mongod_uri: str) -> AsyncIterator[list[Process]]:
    """Processes on an empty database, which hear each other."""
    async with connections(mongod_uri, f"t{uuid4().hex[:12]}", ()) as connect:
        opened = [Process(await connect()) for _ in range(PROCESSES)]
        database = opened[0].database
        await database.collection("counters").insert_one({"_id": "hot", "value": 0})
        for process in opened:
            await process.bus.start()
        yield opened
        for process in opened:
            await process.bus.stop()
        await database.drop()


async def _writers(database: Database) -> list[str]:
    """The processes that committed, in order."""
    rows = await database.collection(OUTBOX).find().sort("events.message.seq", 1).to_list(None)
    assert [row["events"][0]["message"]["seq"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["by"] for row in rows]


async def test_processes_on_one_hot_document_take_turns(processes: list[Process]) -> None:
    await asyncio.gather(*(process.write_all() for process in processes))
    writers = await _writers(processes[0].database)
    assert len(writers) == PROCESSES * WRITES
    # Without turns, each write meets one conflict or more, and one process may finish before another begins.
    assert sum(process.conflicts for process in processes) < PROCESSES * WRITES / 2
    middle = writers[: PROCESSES * WRITES * 2 // 3]
    assert min(middle.count(p.database.turns.process_id) for p in processes) > WRITES / 4


async def test_the_others_go_on_when_one_hears_nothing_and_one_is_gone(
    processes: list[Process],
) -> None:
    deaf, gone, other = processes
    await asyncio.gather(*(process.write() for process in processes for _ in range(3)))
    await deaf.bus.stop()
    await gone.bus.stop()
    await asyncio.gather(deaf.write_all(), other.write_all())
    assert len(await _writers(other.database)) == PROCESSES * 3 + 2 * WRITES
