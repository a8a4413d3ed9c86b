"""The background counter: each event that is committed is added up once, in order, whatever crashes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

import pytest
from pymongo.errors import AutoReconnect

from groups.kernel.background_counter import BackgroundCounter
from groups.kernel.event_bus import EventBus
from groups.kernel.events import Event
from groups.kernel.mongo import Database, Tx, ensure_indexes
from groups.kernel.mongo.outbox import OUTBOX
from tests.kernel.conftest import Connect

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Told(Event):
    type: Literal["test.told"] = "test.told"


class Counted(Event):
    is_counted: ClassVar[bool] = True

    type: Literal["test.counted"] = "test.counted"
    name: str
    number: int = 1
    turn: int = 0


class CountedByNewer(Event):
    is_counted: ClassVar[bool] = True

    type: Literal["test.counted_by_newer"] = "test.counted_by_newer"


class Totals:
    """Adds the numbers up by name in the collection `totals`, and keeps the last turn of each."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.transactions: list[int] = []
        self.failures = 0

    async def add_up(self, counted: Sequence[Counted], tx: Tx) -> None:
        if self.failures:
            self.failures -= 1
            raise ValueError("cannot add up")
        self.transactions.append(len(counted))
        for one in counted:
            await self.database.collection("totals").update_one(
                {"_id": one.name},
                {"$inc": {"total": one.number}, "$set": {"turn": one.turn}},
                upsert=True,
                session=tx.session,
            )

    async def of(self, name: str) -> int:
        row = await self.database.collection("totals").find_one({"_id": name})
        return int(row["total"]) if row else 0


async def opened(connect: Connect) -> tuple[BackgroundCounter, Totals]:
    database = await connect()
    await ensure_indexes(database, ())
    totals = Totals(database)
    return BackgroundCounter(database, {Counted: totals.add_up}), totals


async def publish(database: Database, *events: Event) -> None:
    async def work(tx: Tx) -> None:
        for event in events:
            tx.publish(event)

    await database.run(work)


async def count(database: Database, *names: str) -> None:
    await publish(database, *(Counted(at=AT, name=name) for name in names))


async def waiting(database: Database) -> int:
    return await database.collection(OUTBOX).count_documents({"uncounted": {"$exists": True}})


async def test_what_a_transaction_counted_is_added_up_once(connect: Connect) -> None:
    counter, totals = await opened(connect)
    await count(totals.database, "a", "b", "a")
    await count(totals.database, "a")
    assert await totals.of("a") == 0
    for _ in range(2):
        await counter.catch_up()
        assert (await totals.of("a"), await totals.of("b")) == (3, 1)
    assert totals.transactions == [4]
    assert counter.waiting_seconds == 0


async def test_a_transaction_that_fails_counts_nothing(connect: Connect) -> None:
    counter, totals = await opened(connect)

    async def work(tx: Tx) -> None:
        tx.publish(Counted(at=AT, name="a"))
        raise KeyError

    with suppress(KeyError):
        await totals.database.run(work)
    await counter.catch_up()
    assert totals.transactions == []
    assert await totals.database.collection(OUTBOX).count_documents({}) == 0


async def test_counted_documents_expire_and_those_that_wait_do_not(connect: Connect) -> None:
    counter, totals = await opened(connect)
    outbox = totals.database.collection(OUTBOX)
    await count(totals.database, "a")
    (row,) = await outbox.find({}).to_list(None)
    assert "at" not in row
    waited = datetime.now(UTC) - row["uncounted"].as_datetime()
    assert timedelta(seconds=-1) < waited < timedelta(minutes=1)
    await counter.catch_up()
    (row,) = await outbox.find({}).to_list(None)
    assert abs(row["at"] - totals.database.clock.now()) < timedelta(minutes=1)
    assert "uncounted" not in row


async def test_listeners_receive_events_and_no_counts(connect: Connect) -> None:
    database = await connect()
    await ensure_indexes(database, ())
    bus, heard = EventBus(database), list[list[str]]()
    bus.listen(lambda events: heard.append([event.type for event in events]))
    await bus.start()
    try:
        await count(database, "a")
        await publish(database, Counted(at=AT, name="a"), Told(at=AT))
        async with asyncio.timeout(20):
            while not heard:
                await asyncio.sleep(0.01)
    finally:
        await bus.stop()
    assert heard == [["test.told"]]
    assert await waiting(database) == 2


@pytest.mark.parametrize("limit", ["MOST_DOCUMENTS", "MOST_COUNTS"])
async def test_a_transaction_takes_a_limited_part(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    counter, totals = await opened(connect)
    monkeypatch.setattr(f"groups.kernel.mongo.uncounted.{limit}", 2)
    for number in range(4):
        for _ in range(number):
            await count(totals.database, "a")
        totals.transactions.clear()
        await counter.catch_up()
        # Where exactly as many wait as one transaction takes, it cannot know that no more do.
        assert totals.transactions == {0: [], 1: [1], 2: [2], 3: [2, 1]}[number]
    assert await totals.of("a") == 6


async def test_catching_up_ends_although_more_is_counted_meanwhile(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, totals = await opened(connect)
    monkeypatch.setattr("groups.kernel.mongo.uncounted.MOST_DOCUMENTS", 1)
    add_up = totals.add_up

    async def add_up_and_count(counted: Sequence[Counted], tx: Tx) -> None:
        await add_up(counted, tx)
        await count(totals.database, "a")

    counter.add_up = {Counted: add_up_and_count}
    for _ in range(3):
        await count(totals.database, "a")
    await counter.catch_up()
    assert await totals.of("a") == 3
    assert await waiting(totals.database) == 3


async def test_counters_of_two_processes_count_each_event_once_and_in_order(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = [await opened(connect) for _ in range(2)]
    monkeypatch.setattr("groups.kernel.mongo.uncounted.MOST_DOCUMENTS", 7)
    turns = counters[0][1].database.collection("turns")
    await turns.insert_one({"_id": "a", "turn": 0})
    is_over = False

    async def take_turns(database: Database) -> None:
        async def work(tx: Tx) -> None:
            row = await turns_of.find_one_and_update(
                {"_id": "a"}, {"$inc": {"turn": 1}}, return_document=True, session=tx.session
            )
            assert row is not None
            tx.publish(Counted(at=AT, name="a", turn=row["turn"]))

        turns_of = database.collection("turns")
        for _ in range(25):
            await database.run(work)

    async def keep_counting(counter: BackgroundCounter) -> None:
        while not is_over:
            await counter.catch_up()

    counting = [asyncio.create_task(keep_counting(counter)) for counter, _ in counters]
    await asyncio.gather(*(take_turns(totals.database) for _, totals in counters))
    is_over = True
    await asyncio.gather(*counting)
    await counters[0][0].catch_up()
    row = await counters[1][1].database.collection("totals").find_one({"_id": "a"})
    assert row is not None
    assert (row["total"], row["turn"]) == (50, 50)
    assert await waiting(counters[0][1].database) == 0


async def test_a_commit_that_was_not_heard_of_is_not_counted_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, totals = await opened(connect)
    await count(totals.database, "a")
    transaction, lost = totals.database.transaction, [True]

    @asynccontextmanager
    async def lossy(attempt: int = 0) -> AsyncIterator[Tx]:
        async with transaction(attempt) as tx:
            yield tx
        if lost:
            lost.clear()
            raise AutoReconnect("connection closed")

    monkeypatch.setattr(totals.database, "transaction", lossy)
    await counter.catch_up()
    assert not lost
    assert await totals.of("a") == 1


async def test_a_count_that_cannot_be_added_up_waits_and_its_age_shows(connect: Connect) -> None:
    counter, totals = await opened(connect)
    await count(totals.database, "a")
    totals.failures = 1
    with pytest.raises(ValueError, match="cannot add up"):
        await counter.catch_up()
    assert await waiting(totals.database) == 1
    assert counter.waiting_seconds > 0
    await counter.catch_up()
    assert counter.waiting_seconds == 0
    assert await totals.of("a") == 1


async def test_counts_of_a_newer_version_are_left_to_its_processes(connect: Connect) -> None:
    counter, totals = await opened(connect)
    await publish(totals.database, Counted(at=AT, name="a"), CountedByNewer(at=AT))
    await count(totals.database, "a")
    await counter.catch_up()
    assert (await totals.of("a"), await waiting(totals.database)) == (1, 1)


async def test_discarded_counts_are_not_added_up(connect: Connect) -> None:
    counter, totals = await opened(connect)
    await count(totals.database, "a", "b")
    await count(totals.database, "a")
    await count(totals.database, "b")

    async def discard() -> int:
        return await totals.database.run(lambda tx: counter.discard(Counted, tx, limit=1, name="a"))

    assert [await discard() for _ in range(3)] == [1, 1, 0]
    await counter.catch_up()
    assert (await totals.of("a"), await totals.of("b")) == (0, 2)


async def test_a_process_counts_what_it_commits_and_what_others_left(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groups.kernel.background_counter.GATHER_SECONDS", 0.01)
    monkeypatch.setattr("groups.kernel.background_counter.FAILED_SECONDS", 0.01)
    counter, totals = await opened(connect)
    await count(await connect(), "a")

    async def shown(total: int) -> None:
        async with asyncio.timeout(20):
            while await totals.of("a") != total:
                await asyncio.sleep(0.01)

    counter.start()
    await shown(1)
    await count(totals.database, "a")
    await shown(2)
    totals.failures = 1
    await count(totals.database, "a")
    await shown(3)
    # It learns of its own commits only, and looks now and then for those of others.
    monkeypatch.setattr("groups.kernel.background_counter.LOOK_SECONDS", 0.01)
    await count(totals.database, "a")
    await shown(4)
    await count(await connect(), "a")
    await shown(5)
    await counter.close()


async def test_stopping_counts_what_is_left(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, totals = await opened(connect)
    monkeypatch.setattr("groups.kernel.background_counter.GATHER_SECONDS", 3600)
    counter.start()
    await count(totals.database, "a")
    await counter.close()
    assert await totals.of("a") == 1
    # Nothing is left to count, so it asks nothing.
    await count(await connect(), "a")
    await counter.close()
    assert await waiting(totals.database) == 1


async def test_stopping_waits_a_limited_time(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, totals = await opened(connect)
    monkeypatch.setattr("groups.kernel.background_counter.STOP_SECONDS", 0.01)
    may_go_on = asyncio.Event()

    async def wait(counted: Sequence[Counted], tx: Tx) -> None:
        await may_go_on.wait()
        await totals.add_up(counted, tx)

    counter.add_up = {Counted: wait}
    await count(totals.database, "a")
    async with asyncio.timeout(20):
        await counter.close()
    assert await totals.of("a") == 0
    may_go_on.set()
    await counter.catch_up()
    assert await totals.of("a") == 1
