"""The event log: each event has one position, in order, and each consumer handles it once, whatever crashes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import pytest

from groups.kernel.event_bus import EventBus
from groups.kernel.event_log import consumer as consumer_module
from groups.kernel.event_log import sequencer as sequencer_module
from groups.kernel.event_log.audit import checks
from groups.kernel.event_log.log import EventLog
from groups.kernel.event_log.models import LogEntry, LogPage, LogPosition, end_of
from groups.kernel.events import Event
from groups.kernel.mongo import Database, Tx, ensure_indexes
from groups.kernel.mongo import event_log as store_module
from groups.kernel.mongo.event_log import CONSUMERS, LogStore
from groups.kernel.mongo.outbox import OUTBOX
from groups.kernel.mongo.snapshot import Snapshot
from groups.kernel.mongo.uncounted import UncountedStore
from tests.kernel.conftest import Connect

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
START = end_of(0)


class Noted(Event):
    type: Literal["test.log_noted"] = "test.log_noted"
    number: int


class Other(Event):
    type: Literal["test.log_other"] = "test.log_other"


class Counted(Event):
    is_counted: ClassVar[bool] = True

    type: Literal["test.log_counted"] = "test.log_counted"


def everything(event_type: str, _: Sequence[str]) -> bool:
    return True


def noted_only(event_type: str, _: Sequence[str]) -> bool:
    return event_type == "test.log_noted"


def numbers_of(events: Sequence[Event]) -> list[int]:
    return [event.number for event in events if isinstance(event, Noted)]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; fail after a while."""
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


class Process:
    """What a server process has of the log. A consumer inserts the numbers of its events into the collection `seen`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.bus = EventBus(database)
        self.log = EventLog(database, self.bus)
        self.failures = 0
        self.consumer = self.log.consumer("test", self.handle, noted_only)

    async def handle(self, entries: Sequence[LogEntry], tx: Tx) -> None:
        numbers = numbers_of([entry.event for entry in entries])
        rows = [{"_id": number, "by": self.database.turns.process_id} for number in numbers]
        # A second handling of an event would insert a duplicate, and fail for good.
        await self.database.collection("seen").insert_many(rows, session=tx.session)
        if self.failures:
            self.failures -= 1
            raise ValueError("cannot handle")

    async def publish(self, *events: Event) -> None:
        async def work(tx: Tx) -> None:
            for event in events:
                tx.publish(event)

        await self.database.run(work)

    async def note(self, *numbers: int) -> None:
        """Publish each number in a transaction of its own."""
        for number in numbers:
            await self.publish(Noted(at=AT, number=number))

    async def activate(self) -> None:
        await self.database.run(self.consumer.activate)

    async def read(self, after: LogPosition = START, *, most_events: int = 1_000) -> LogPage:
        return await self.log.read(after, everything, most_read=200, most_events=most_events)

    async def store_row(self) -> Any:
        """The row of the sequencer."""
        return await self.database.collection("consumers").find_one({"_id": "log"})

    async def seen(self) -> list[int]:
        rows = await self.database.collection("seen").find().sort("_id", 1).to_list(None)
        return [row["_id"] for row in rows]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.bus.start()
        self.log.start()
        try:
            yield
        finally:
            await self.log.close()
            await self.bus.stop()


async def opened(connect: Connect) -> Process:
    database = await connect()
    await ensure_indexes(database, ())
    await database.collection("seen").insert_one({"_id": -1})
    await database.collection("seen").delete_one({"_id": -1})
    return Process(database)


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(consumer_module, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(sequencer_module, "LEASE_SECONDS", 0.4)


# --- positions --------------------------------------------------------------------------------------------------------


async def test_each_transaction_gets_the_next_position_in_the_order_of_commits(
    connect: Connect,
) -> None:
    process = await opened(connect)
    await process.note(1, 2)
    await process.publish(Noted(at=AT, number=3), Other(at=AT), Noted(at=AT, number=4))
    assert (await process.read()).entries == []
    await process.log.sequencer.run()
    page = await process.read()
    assert [entry.position for entry in page.entries] == [(1, 0), (2, 0), (3, 0), (3, 1), (3, 2)]
    assert numbers_of([entry.event for entry in page.entries]) == [1, 2, 3, 4]
    assert (page.end, page.lost, page.is_full) == (end_of(3), 0, False)
    assert process.log.head.position == 3


async def test_writes_of_one_document_by_two_processes_have_positions_in_the_order_of_the_writes(
    connect: Connect,
) -> None:
    one, other = await opened(connect), await opened(connect)
    await one.database.collection("seen").insert_one({"_id": 0, "n": 0})

    async def count(process: Process) -> None:
        async def work(tx: Tx) -> None:
            row: Any = await process.database.collection("seen").find_one_and_update(
                {"_id": 0}, {"$inc": {"n": 1}}, session=tx.session
            )
            tx.publish(Noted(at=AT, number=row["n"]))

        for _ in range(15):
            await process.database.run(work)

    async with one.running(), other.running():
        await asyncio.gather(count(one), count(other), count(one), count(other))

        async def is_complete() -> bool:
            return await one.log.head.read() == 60

        await eventually(is_complete)
    page = await one.read()
    assert numbers_of([entry.event for entry in page.entries]) == list(range(60))
    assert [entry.position.number for entry in page.entries] == list(range(1, 61))


async def test_an_event_expires_only_after_it_has_a_position(connect: Connect) -> None:
    process = await opened(connect)
    await process.note(1)
    outbox = process.database.collection(OUTBOX)
    [row] = await outbox.find().to_list(None)
    assert "stored" in row
    assert "at" not in row
    await process.log.sequencer.run()
    [row] = await outbox.find().to_list(None)
    assert "stored" not in row
    assert row["position"] == 1
    assert abs((row["at"] - process.database.clock.now()).total_seconds()) < 60


async def test_a_part_at_a_time_gets_positions(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (store_module, sequencer_module):
        monkeypatch.setattr(module, "MOST_SEQUENCED", 2)
    process = await opened(connect)
    await process.note(1, 2, 3, 4, 5)
    await process.log.sequencer.run()
    assert numbers_of([entry.event for entry in (await process.read()).entries]) == [1, 2, 3, 4, 5]


async def test_another_process_gives_positions_when_the_first_one_has_died(
    connect: Connect, short_leases: None
) -> None:
    dead, living = await opened(connect), await opened(connect)
    await dead.note(1)
    await dead.log.sequencer.run()
    async with living.running():
        await dead.note(2)
        assert await living.log.head.wait_beyond(1, 10)
    assert await living.log.sequencer.run() == 0


async def test_a_process_that_only_listens_leaves_positions_to_those_that_commit(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer_module, "OWN_SECONDS", 0.0)
    monkeypatch.setattr(sequencer_module, "GATHER_SECONDS", 0.01)
    listener, writer = await opened(connect), await opened(connect)
    async with listener.running(), writer.running():
        for number in range(1, 6):
            await writer.note(number)
            assert await writer.log.head.wait_beyond(number - 1, 10)
        row = await listener.store_row()
        assert row["holder"] in (writer.database.turns.process_id, None)


async def test_an_event_has_the_same_id_on_the_bus_and_in_the_log(connect: Connect) -> None:
    process = await opened(connect)
    heard: list[Event] = []
    process.bus.listen(heard.extend)
    async with process.running():
        await process.publish(Noted(at=AT, number=1), Other(at=AT))
        assert await process.log.head.wait_beyond(0, 10)

        async def are_heard() -> bool:
            return len(heard) == 2

        await eventually(are_heard)
    entries = (await process.read()).entries
    ids = [entry.event.event_id for entry in entries]
    assert ids == [event.event_id for event in heard]
    assert len(set(ids)) == 2
    assert all(ids)


async def test_the_retention_time_can_be_changed(connect: Connect) -> None:
    database = await connect()
    await ensure_indexes(database, (), event_retention_seconds=3_600)
    await ensure_indexes(database, (), event_retention_seconds=7_200)
    indexes = await database.collection(OUTBOX).index_information()
    assert indexes["at_1"]["expireAfterSeconds"] == 7_200


async def test_what_the_bus_has_missed_gets_positions_too(connect: Connect) -> None:
    process = await opened(connect)
    async with process.running():

        async def is_given() -> bool:
            return await process.log.head.read() == 1

        # As after a history that was cut: the commit is not passed on, and a resync is.
        process.log.sequencer._committed.clear()
        process.bus._commit_listeners.clear()
        await process.note(1)
        for listener in process.bus._resync_listeners:
            listener()
        await eventually(is_given)


async def test_an_event_that_is_counted_late_expires_by_the_time_of_its_position(
    connect: Connect,
) -> None:
    process = await opened(connect)
    counted_at = datetime(2030, 1, 1, tzinfo=UTC)
    await process.publish(Noted(at=AT, number=1), Counted(at=AT))
    await process.publish(Noted(at=AT, number=2))
    outbox = process.database.collection(OUTBOX)
    await process.log.sequencer.run()
    [late, other] = await outbox.find().sort("position", 1).to_list(None)
    assert "at" not in late
    uncounted = UncountedStore(outbox)
    newest = await uncounted.find_newest()
    assert newest is not None

    async def count(tx: Tx) -> None:
        await uncounted.take_some([Counted], newest, counted_at, tx)

    await process.database.run(count)
    [late] = await outbox.find({"position": 1}).to_list(None)
    # Events expire in the order of the log, whatever waits for being counted.
    assert late["at"] == other["at"] < counted_at
    assert "sequenced_at" not in late


async def test_the_sequencer_tells_how_long_events_have_waited(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await opened(connect)
    await process.note(1)

    def fail(*_: object) -> None:
        raise ValueError("cannot give positions")

    with monkeypatch.context() as patched:
        patched.setattr(LogStore, "give_positions", fail)
        with pytest.raises(ValueError, match="cannot give"):
            await process.log.sequencer.run()
        # To the second, which is what the database's time tells.
        await asyncio.sleep(1.1)
        assert process.log.sequencer.waiting_seconds > 0
    await process.log.sequencer.run()
    assert process.log.sequencer.waiting_seconds == 0


# --- checks -----------------------------------------------------------------------------------------------------------


async def findings_of(database: Database) -> list[str]:
    found: list[str] = []
    for check in checks():
        async with Snapshot(database) as snapshot:
            found += [f"{each.subject} {each.problem}" async for each in check.find(snapshot)]
            await check.count(snapshot)
    return found


async def test_verify_finds_holes_doubles_and_consumers_ahead(connect: Connect) -> None:
    process = await opened(connect)
    assert await findings_of(process.database) == []
    await process.activate()
    await process.note(*range(1, 9))
    await process.log.sequencer.run()
    await process.consumer.catch_up()
    await process.note(9)
    outbox = process.database.collection(OUTBOX)
    # What expired, and what has no position for a moment, is no finding.
    await outbox.delete_many({"position": {"$lte": 2}})
    assert await findings_of(process.database) == []
    await outbox.delete_many({"position": {"$in": [4, 5]}})
    await outbox.update_one({"position": 8}, {"$set": {"position": 7}})
    rows = process.database.collection(CONSUMERS)
    await rows.update_one({"_id": "log"}, {"$set": {"position": 6}})
    newer = datetime.now(UTC) + timedelta(hours=1)
    await outbox.update_many({"position": 7}, {"$set": {"at": newer}})
    [waiting] = await outbox.find({"stored": {"$exists": True}}).to_list(None)
    assert await findings_of(process.database) == [
        "event log positions 4 to 5 are missing",
        "event log position 7 is given twice",
        "event log ends at position 6, and holds events up to 7",
        "consumer test has come to position 8, and the log ends at 6",
        f"event {waiting['_id']} has no position, and later ones were given long after it",
    ]


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_a_reader_goes_on_inside_of_a_transaction(connect: Connect) -> None:
    process = await opened(connect)
    await process.publish(*(Noted(at=AT, number=number) for number in range(5)))
    await process.note(5)
    await process.log.sequencer.run()
    after, read = START, []
    while True:
        page = await process.read(after, most_events=2)
        read.append(numbers_of([entry.event for entry in page.entries]))
        after = page.end
        if not page.is_full:
            break
    assert read == [[0, 1], [2, 3], [4, 5]]
    assert after == end_of(2)


async def test_a_reader_is_told_what_expired(connect: Connect) -> None:
    process = await opened(connect)
    await process.note(1, 2, 3, 4)
    await process.log.sequencer.run()
    await process.database.collection(OUTBOX).delete_many({"position": {"$in": [1, 2]}})
    page = await process.read()
    assert page.lost == 2
    assert numbers_of([entry.event for entry in page.entries]) == [3, 4]
    assert await process.log.find_oldest() == 3
    assert (await process.read(end_of(2))).lost == 0


# --- consumers --------------------------------------------------------------------------------------------------------


async def test_a_consumer_handles_what_is_committed_after_its_activation(connect: Connect) -> None:
    process = await opened(connect)
    async with process.running():
        await process.note(1)
        assert await process.log.head.wait_beyond(0, 10)
        await process.activate()
        await process.note(2)
        await process.publish(Other(at=AT))
        await process.activate()
        await process.note(3)

        async def are_seen() -> bool:
            return await process.seen() == [2, 3]

        await eventually(are_seen)
    assert process.consumer.lag_seconds == 0
    assert process.consumer.lost == 0


async def test_a_deactivated_consumer_handles_nothing_and_begins_anew(connect: Connect) -> None:
    process = await opened(connect)
    await process.activate()
    await process.database.run(process.consumer.deactivate)
    await process.note(1)
    await process.log.sequencer.run()
    await process.consumer.catch_up()
    await process.activate()
    await process.note(2)
    await process.log.sequencer.run()
    await process.consumer.catch_up()
    assert await process.seen() == [2]


async def test_effects_and_position_are_committed_together(
    connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "FAILED_SECONDS", 0.01)
    process = await opened(connect)
    await process.activate()
    process.failures = 2
    async with process.running():
        await process.note(1, 2, 3)

        async def are_seen() -> bool:
            return await process.seen() == [1, 2, 3]

        await eventually(are_seen)
    assert process.failures == 0
    assert "the consumer test failed" in caplog.text


async def test_a_consumer_takes_a_part_at_a_time(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await opened(connect)
    await process.activate()
    await process.note(*range(5))
    await process.log.sequencer.run()
    read_page = LogStore.read_page

    async def read_little(self: LogStore, after: LogPosition, wants: object, tx: Tx) -> LogPage:
        return await read_page(self, after, everything, tx, most_read=2)

    monkeypatch.setattr(LogStore, "read_page", read_little)
    step = await process.consumer._step()
    assert (step.is_full, step.position) == (True, 2)
    assert process.consumer.lag_seconds > 0
    await process.consumer.catch_up()
    assert await process.seen() == [0, 1, 2, 3, 4]
    assert process.consumer.lag_seconds == 0


async def test_one_process_at_a_time_works_for_a_consumer_and_another_takes_over(
    connect: Connect, short_leases: None
) -> None:
    dead, living = await opened(connect), await opened(connect)
    await dead.activate()
    await dead.note(1)
    await dead.log.sequencer.run()
    await dead.consumer.catch_up()
    await dead.note(2)
    await dead.log.sequencer.run()
    # The other one holds the lease, and is not heard of again.
    await living.consumer.catch_up()
    assert await living.seen() == [1]
    async with living.running():

        async def are_seen() -> bool:
            return await living.seen() == [1, 2]

        await eventually(are_seen)
    rows = await living.database.collection("seen").find().sort("_id", 1).to_list(None)
    assert [row["by"] for row in rows] == [
        dead.database.turns.process_id,
        living.database.turns.process_id,
    ]


async def test_a_process_that_stops_hands_its_consumers_over_at_once(connect: Connect) -> None:
    first, second = await opened(connect), await opened(connect)
    await first.activate()
    await first.note(1)
    await first.log.sequencer.run()
    await first.consumer.catch_up()
    await first.log.close()
    await second.note(2)
    assert await second.log.sequencer.run() == 0
    await second.consumer.catch_up()
    assert await second.seen() == [1, 2]


async def test_two_processes_handle_each_event_once_between_them(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, short_leases: None
) -> None:
    # Leases that end at once: both work at the same time, and only their transactions keep them apart.
    monkeypatch.setattr(consumer_module, "LEASE_SECONDS", 0.0)
    monkeypatch.setattr(sequencer_module, "LEASE_SECONDS", 0.0)
    one, other = await opened(connect), await opened(connect)
    await one.activate()
    async with one.running(), other.running():
        await asyncio.gather(one.note(*range(30)), other.note(*range(30, 60)))

        async def are_seen() -> bool:
            return await one.seen() == list(range(60))

        await eventually(are_seen)


async def test_a_consumer_says_loudly_that_it_lost_events_and_goes_on(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    process = await opened(connect)
    await process.activate()
    await process.note(1, 2, 3)
    await process.log.sequencer.run()
    await process.database.collection(OUTBOX).delete_many({"position": {"$lt": 3}})
    with caplog.at_level(logging.ERROR):
        await process.consumer.catch_up()
    assert await process.seen() == [3]
    assert process.consumer.lost == 2
    assert "the consumer test has lost the events of 2 transactions" in caplog.text
