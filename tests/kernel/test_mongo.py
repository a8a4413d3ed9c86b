"""Transactions, retries, indexes and the outbox, on the real database."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from channels.server.embedded.process import find_mongod
from groups.kernel.background import cancel
from groups.kernel.database_options import EVENT_RETENTION_SECONDS, Driver
from groups.kernel.errors import AnswerTooLarge, BadCursor, Unavailable
from groups.kernel.events import Event
from groups.kernel.mongo import (
    Database,
    Index,
    OldServer,
    StandaloneServer,
    Tx,
    ensure_indexes,
    transactions,
)
from groups.kernel.mongo import connection as connection_module
from groups.kernel.mongo.batched_query import BatchedQuery
from groups.kernel.mongo.driver import Client, create_client, result_of
from groups.kernel.mongo.outbox import OUTBOX, follow
from tests.builders import START, Deadline, connections, mock_database
from tests.kernel.conftest import Connect
from tests.mongod import DRIVER, Mongod, accepts_connections, free_port, scratch_directory


class Noted(Event):
    """An event of these tests."""

    type: Literal["test.noted"] = "test.noted"
    number: int


def noted(number: int) -> Noted:
    return Noted(at=START, number=number)


async def _write(connection: Database, number: int) -> None:
    """One document and its event, in one transaction."""

    async def work(tx: Tx) -> None:
        await connection.collection("numbers").insert_one({"_id": number}, session=tx.session)
        tx.publish(noted(number))

    await connection.run(work)


async def _numbers(connection: Database) -> list[int]:
    rows = await connection.collection("numbers").find({}).sort([("_id", 1)]).to_list(None)
    return [row["_id"] for row in rows]


async def _outbox(connection: Database) -> list[int]:
    rows = await connection.collection("events").find({}).sort([("_id", 1)]).to_list(None)
    return [event["number"] for row in rows for event in row["events"]]


# --- transactions -----------------------------------------------------------------------------------------------------


async def test_a_write_and_its_events_are_committed_together(connect: Connect) -> None:
    one, other = await connect(), await connect()
    await _write(one, 1)
    assert await _numbers(other) == [1]
    assert await _outbox(other) == [1]


async def test_a_failure_rolls_back_the_write_and_its_events(connect: Connect) -> None:
    one = await connect()

    async def work(tx: Tx) -> None:
        await one.collection("numbers").insert_one({"_id": 1}, session=tx.session)
        tx.publish(noted(1))
        raise BadCursor

    with pytest.raises(BadCursor):
        await one.run(work)
    assert await _numbers(one) == []
    assert await _outbox(one) == []


async def test_a_cancelled_caller_leaves_when_its_transaction_has_ended(connect: Connect) -> None:
    one = await connect()
    began, may_end = asyncio.Event(), asyncio.Event()

    async def work(tx: Tx) -> None:
        await one.collection("numbers").insert_one({"_id": 1}, session=tx.session)
        began.set()
        await may_end.wait()
        tx.publish(noted(1))

    caller = asyncio.create_task(one.run(work))
    await began.wait()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert (await _numbers(one), await _outbox(one)) == ([1], [1])


async def test_callers_cancelled_at_any_moment_leave_no_transaction_open(connect: Connect) -> None:
    one = await connect()
    for number in range(40):
        caller = asyncio.create_task(_write(one, number))
        await asyncio.sleep(number / 10_000)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    # A lock that was left behind would block this for a minute.
    await asyncio.wait_for(one.collection("numbers").delete_many({}), 10)


async def test_all_events_of_a_transaction_are_one_document(connect: Connect) -> None:
    one = await connect()

    async def work(tx: Tx) -> None:
        for number in range(5):
            tx.publish(noted(number))

    await one.run(work)
    assert await one.collection("events").count_documents({}) == 1
    assert await _outbox(one) == [0, 1, 2, 3, 4]


async def test_a_transaction_without_events_writes_no_outbox(connect: Connect) -> None:
    one = await connect()

    async def work(tx: Tx) -> int:
        await one.collection("numbers").insert_one({"_id": 1}, session=tx.session)
        return 7

    assert await one.run(work) == 7
    assert await one.collection("events").count_documents({}) == 0


async def test_a_write_conflict_is_retried(connect: Connect) -> None:
    one, other = await connect(), await connect()
    await one.collection("numbers").insert_one({"_id": "n", "value": 0})
    attempts: list[int] = []

    async def work(tx: Tx) -> int:
        attempts.append(tx.attempt)
        numbers = one.collection("numbers")
        row = await numbers.find_one({"_id": "n"}, session=tx.session)
        assert row is not None
        if tx.attempt == 0:  # another transaction writes between this one's read and its write
            await other.collection("numbers").update_one({"_id": "n"}, {"$inc": {"value": 10}})
        value: int = row["value"] + 1
        await numbers.update_one({"_id": "n"}, {"$set": {"value": value}}, session=tx.session)
        return value

    assert await one.run(work) == 11
    assert attempts[:2] == [0, 1]
    assert await one.collection("numbers").find_one({}) == {"_id": "n", "value": 11}


async def test_a_retry_sees_the_key_that_another_transaction_inserted(
    connect: Connect,
) -> None:
    one, other = await connect(), await connect()

    async def work(tx: Tx) -> str:
        numbers = one.collection("numbers")
        if await numbers.find_one({"_id": 1}, session=tx.session):
            return "found"
        if tx.attempt == 0:
            await other.collection("numbers").insert_one({"_id": 1})
        await numbers.insert_one({"_id": 1}, session=tx.session)
        return "made"

    assert await one.run(work) == "found"


async def test_an_invalid_command_is_not_retried(connect: Connect) -> None:
    one = await connect()
    attempts = 0

    async def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await one.collection("numbers").update_one({}, {"$nonsense": {}}, session=tx.session)

    with pytest.raises(OperationFailure):
        await one.run(work)
    assert attempts == 1


async def test_an_outage_longer_than_patience_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await connect()
    monkeypatch.setattr(transactions, "PATIENCE_SECONDS", 0.0)

    async def work(tx: Tx) -> None:
        raise AutoReconnect("nobody there")

    with pytest.raises(Unavailable):
        await one.run(work)


async def test_an_outage_shorter_than_patience_is_not_noticed(connect: Connect) -> None:
    one = await connect()

    async def work(tx: Tx) -> int:
        if tx.attempt < 3:
            raise AutoReconnect("nobody there")
        return tx.attempt

    assert await one.run(work) == 3


async def test_more_transactions_than_run_at_once_only_wait() -> None:
    one = mock_database()
    running: list[int] = []
    gate = asyncio.Event()

    async def work(tx: Tx) -> None:
        running.append(1)
        await gate.wait()

    tasks = [
        asyncio.create_task(one.run(work)) for _ in range(transactions.CONCURRENT_TRANSACTIONS + 9)
    ]
    for _ in range(20):  # mongomock never waits, so all that may run has run by now
        await asyncio.sleep(0)
    assert len(running) == transactions.CONCURRENT_TRANSACTIONS
    gate.set()
    await asyncio.gather(*tasks)
    assert len(running) == transactions.CONCURRENT_TRANSACTIONS + 9


async def test_a_transaction_that_waits_too_long_for_a_slot_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transactions, "CONCURRENT_TRANSACTIONS", 1)
    one = mock_database()
    gate = asyncio.Event()
    done: list[str] = []

    async def work(tx: Tx) -> None:
        await gate.wait()
        done.append("work")

    under_way = asyncio.create_task(one.run(work))
    await asyncio.sleep(0)
    monkeypatch.setattr(transactions, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(Unavailable):
        await one.run(work)
    gate.set()
    await under_way
    assert done == ["work"]
    # The slot is free again.
    await one.run(work)
    assert done == ["work", "work"]


async def test_on_mongomock_events_are_delivered_after_the_work_is_done() -> None:
    connection = mock_database()
    heard: list[Event] = []
    connection.on_local_events(heard.extend)

    async def work(tx: Tx) -> None:
        tx.publish(noted(1))
        assert heard == []
        if len(tx.events) > 1:
            raise BadCursor

    await connection.run(work)
    assert heard == [noted(1)]

    async def failing(tx: Tx) -> None:
        tx.publish(noted(2))
        await work(tx)

    heard.clear()
    with pytest.raises(BadCursor):
        await connection.run(failing)
    assert heard == []


# --- connection and indexes -------------------------------------------------------------------------------------------


async def test_making_indexes_again_changes_nothing(connect: Connect) -> None:
    one, other = await connect(), await connect()
    indexes = [
        Index("numbers", [("a", 1), ("b", -1)], "a test", unique=True),
        Index("numbers", [("c", 1)], "a test", partial={"c": {"$gt": 1}}),
        Index("plain", [], "found by _id only"),
    ]
    # Two processes that start together must not fail each other.
    await asyncio.gather(ensure_indexes(one, indexes), ensure_indexes(other, indexes))
    first = await one.collection("numbers").index_information()
    await ensure_indexes(one, indexes)
    assert await one.collection("numbers").index_information() == first
    assert set(first) == {"_id_", "a_1_b_-1", "c_1"}
    assert first["a_1_b_-1"]["unique"] is True
    assert first["c_1"]["partialFilterExpression"] == {"c": {"$gt": 1}}
    outbox = await one.collection("events").index_information()
    assert outbox["at_1"]["expireAfterSeconds"] == EVENT_RETENTION_SECONDS
    # A collection without an index is created too, since creating it inside a transaction would conflict.
    assert await one.collection("plain").index_information() == {
        "_id_": {"v": 2, "key": [("_id", 1)]}
    }


async def test_ping_proves_that_the_database_takes_writes(connect: Connect) -> None:
    one = await connect()
    await one.ping()
    await one.ping()
    assert await one.collection("health").count_documents({}) == 1


async def test_a_server_that_nobody_runs_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(driver: Driver, uri: str, **options: Any) -> Client:
        return create_client(driver, uri, **{**options, "serverSelectionTimeoutMS": 50})

    monkeypatch.setattr(connection_module, "create_client", impatient)
    with pytest.raises(Unavailable, match="does not answer"):
        await Database.connect(
            f"mongodb://127.0.0.1:{free_port()}/", "x", patience_seconds=0.0, driver=DRIVER
        )


@pytest.fixture
def standalone_uri() -> Iterator[str]:
    """A `mongod` that is not a replica set."""
    directory = scratch_directory()
    port = free_port()
    process = subprocess.Popen(
        [
            *(str(find_mongod()), "--dbpath", str(directory), "--port", str(port)),
            *("--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = Deadline()
        while not accepts_connections(port):
            deadline.check("mongod")
        yield f"mongodb://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


async def test_a_standalone_server_is_refused(standalone_uri: str, mongod_uri: str) -> None:
    await (await Database.connect(mongod_uri, "x", driver=DRIVER)).close()
    with pytest.raises(StandaloneServer):
        await Database.connect(standalone_uri, "x", driver=DRIVER)


async def test_a_server_older_than_the_oldest_supported_is_refused(
    mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "OLDEST_WIRE_VERSION", 17)  # MongoDB 6.0 itself
    await (await Database.connect(mongod_uri, "x", driver=DRIVER)).close()
    monkeypatch.setattr(connection_module, "OLDEST_WIRE_VERSION", 18)
    with pytest.raises(OldServer):
        await Database.connect(mongod_uri, "x", driver=DRIVER)


# --- outbox -----------------------------------------------------------------------------------------------------------


class Tail:
    """The events that one process gets from the outbox; None where history was lost."""

    def __init__(self, connection: Database) -> None:
        self.ready = asyncio.Event()
        self.heard: list[int | None] = []
        self._connection = connection
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        outbox = self._connection.collection(OUTBOX)
        async for committed in follow(outbox, ready=self.ready):
            if committed is None:
                self.heard.append(None)
            else:
                events = committed.events()
                self.heard += [event.number for event in events if isinstance(event, Noted)]

    async def has(self, *numbers: int | None) -> None:
        """Wait until exactly these have come, in this order."""
        deadline = Deadline()
        while len(self.heard) < len(numbers):
            deadline.check(f"{numbers}, heard {self.heard}")
            await asyncio.sleep(0.005)
        assert self.heard == list(numbers)

    async def stop(self) -> None:
        await cancel(self._task)


async def test_every_process_gets_the_events_of_all_once_and_in_order(
    connect: Connect,
) -> None:
    one, other = await connect(), await connect()
    await _write(one, 0)  # before anybody listens
    tails = [Tail(one), Tail(other)]
    await asyncio.gather(*(tail.ready.wait() for tail in tails))
    for number in range(1, 7):
        await _write((one, other)[number % 2], number)
    for tail in tails:
        await tail.has(1, 2, 3, 4, 5, 6)
        await tail.stop()


async def test_an_event_of_a_newer_version_is_skipped(connect: Connect) -> None:
    one = await connect()
    tail = Tail(one)
    await tail.ready.wait()
    unknown = {"type": "of.tomorrow", "at": START, "number": 1}
    known = {"type": "test.noted", "at": START + timedelta(seconds=1), "number": 2}
    await one.collection("events").insert_one({"at": START, "events": [unknown, known]})
    await tail.has(2)
    await tail.stop()


class Breakable:
    """A change stream that a test can break, as an election does."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_broken = False
        self.with_error: Exception = AutoReconnect("connection closed")

    async def __aenter__(self) -> "Breakable":
        self._stream = await result_of(self._stream)
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stream.__aexit__(*error)

    @property
    def alive(self) -> bool:
        return bool(self._stream.alive)

    @property
    def resume_token(self) -> Any:
        return self._stream.resume_token

    async def try_next(self) -> Any:
        if self.is_broken:
            raise self.with_error
        return await self._stream.try_next()


async def test_a_stream_whose_history_is_gone_reports_it_once_and_goes_on(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await connect(), await connect()
    asked: list[object] = []
    streams: list[Breakable] = []
    kind = type(one.collection("events"))
    watch = kind.watch

    def watched(self: Any, *arguments: Any, **options: Any) -> Breakable:
        asked.append(options["resume_after"])
        if len(asked) == 3:
            raise OperationFailure("the resume point may no longer be in the oplog", 286)
        streams.append(Breakable(watch(self, *arguments, **options)))
        return streams[-1]

    monkeypatch.setattr(kind, "watch", watched)
    tail = Tail(one)
    await tail.ready.wait()
    await _write(other, 1)
    await tail.has(1)
    streams[1].is_broken = True
    await tail.has(1, None)
    # A listener that resyncs now misses nothing that is committed later.
    await _write(other, 2)
    await tail.has(1, None, 2)
    # A new stream is replaced at its first answer by one that waits; the latter is the one that broke.
    assert [place is None for place in asked] == [True, False, False, True, False]
    await tail.stop()


async def test_a_stream_that_history_overtook_resumes_where_it_was(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await connect(), await connect()
    streams: list[Breakable] = []
    kind = type(one.collection("events"))
    watch = kind.watch

    def watched(self: Any, *arguments: Any, **options: Any) -> Breakable:
        streams.append(Breakable(watch(self, *arguments, **options)))
        return streams[-1]

    monkeypatch.setattr(kind, "watch", watched)
    tail = Tail(one)
    await tail.ready.wait()
    await _write(other, 1)
    await tail.has(1)
    streams[1].with_error = OperationFailure("CollectionScan died", 136)
    streams[1].is_broken = True
    await _write(other, 2)
    # The resume token is still in the history, so nothing was lost and no resync is asked for.
    await tail.has(1, 2)
    await tail.stop()


@pytest.fixture
def own_mongod() -> Iterator[Mongod]:
    """A server of one test, to be killed."""
    directory = scratch_directory()
    mongod = Mongod(directory, cache_gb=0.25)
    try:
        yield mongod.start()
    finally:
        mongod.kill()
        shutil.rmtree(directory, ignore_errors=True)


async def test_a_stream_resumes_where_it_was_when_the_database_was_killed(
    own_mongod: Mongod,
) -> None:
    async with connections(own_mongod.uri, "x") as connect:
        one, other = await connect(), await connect()
        tail = Tail(one)
        await tail.ready.wait()
        await _write(other, 1)
        await _write(other, 2)
        await tail.has(1, 2)
        await asyncio.to_thread(own_mongod.kill)
        # The database is away; the write waits for it.
        waiting = asyncio.create_task(_write(other, 3))
        await asyncio.to_thread(own_mongod.start)
        await waiting
        await _write(other, 4)
        await tail.has(1, 2, 3, 4)
        assert await _numbers(one) == await _outbox(one) == [1, 2, 3, 4]
        await tail.stop()


async def test_an_answer_larger_than_a_document_is_a_short_error(
    database: Database,
) -> None:
    things = database.collection("things")
    await things.insert_many([{"_id": n, "text": "x" * (3 << 20)} for n in range(6)])
    first = BatchedQuery(things, {"_id": 0}, len)
    with pytest.raises(AnswerTooLarge) as caught:
        await database.fetch(None, first, BatchedQuery(things, {}, len))
    # The driver's error text repeats the whole answer; a log takes a minute to write it.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    await database.fetch(None, first, few := BatchedQuery(things, {"_id": {"$lt": 3}}, len))
    assert few.result == 3
