"""The bus: every committed event reaches every listener of every process, and lost events cause a resync."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument

from groups.kernel.errors import BadCursor
from groups.kernel.event_bus import EventBus
from groups.kernel.events import Event, read_event
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.outbox import Committed, events_document
from tests.builders import START, Deadline, mock_database
from tests.kernel.conftest import Connect


class Rang(Event):
    """An event of these tests."""

    type: Literal["test.rang"] = "test.rang"
    number: int


def rang(number: int) -> Rang:
    return Rang(at=START, number=number)


def committed(*events: Event) -> Committed:
    """The transaction as a process reads it."""
    return Committed(RawBSONDocument(encode({"_id": 1, **events_document(events, process_id="p")})))


async def _publish(connection: Database, *numbers: int) -> None:
    async def work(tx: Tx) -> None:
        for number in numbers:
            tx.publish(rang(number))

    await connection.run(work)


async def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = Deadline()
    while not condition():
        deadline.check(what)
        await asyncio.sleep(0.005)


async def test_every_process_gets_every_event_once_from_any_process(
    connect: Connect,
) -> None:
    connections = [await connect(), await connect()]
    buses = [EventBus(connection) for connection in connections]
    heard: list[list[Event]] = [[], []]
    for bus, events in zip(buses, heard, strict=True):
        bus.listen(events.extend)
    await asyncio.gather(*(bus.start() for bus in buses))
    for number in range(6):
        await _publish(connections[number % 2], number)
    wanted = [rang(number) for number in range(6)]
    await _until(lambda: all(len(events) >= 6 for events in heard), "six events")
    assert heard == [wanted, wanted]
    assert all(bus.is_running for bus in buses)
    await asyncio.gather(*(bus.stop() for bus in buses))
    assert not any(bus.is_running for bus in buses)


async def test_nothing_committed_after_the_start_is_missed(connect: Connect) -> None:
    connection = await connect()
    bus = EventBus(connection)
    heard: list[Event] = []
    bus.listen(heard.extend)
    await _publish(connection, 1)
    await bus.start()
    await _publish(connection, 2)
    await _until(lambda: bool(heard), "the event")
    assert heard == [rang(2)]
    await bus.stop()


async def test_the_bus_of_mongomock_is_local_and_immediate() -> None:
    connection = mock_database()
    bus = EventBus(connection)
    heard: list[Event] = []
    bus.listen(heard.extend)
    await bus.start()
    await _publish(connection, 1, 2)
    assert heard == [rang(1), rang(2)]
    assert bus.is_running
    await bus.stop()


async def test_a_failing_listener_keeps_the_events_from_nobody() -> None:
    connection = mock_database()
    bus = EventBus(connection)
    heard: list[Event] = []

    def fail(events: Sequence[Event]) -> None:
        raise RuntimeError("a defect")

    bus.listen(fail)
    bus.listen(heard.extend)
    await _publish(connection, 1, 2)
    assert heard == [rang(1), rang(2)]


async def test_events_of_a_rolled_back_transaction_are_not_delivered(connect: Connect) -> None:
    connection = await connect()
    bus = EventBus(connection)
    heard: list[Event] = []
    bus.listen(heard.extend)
    await bus.start()

    async def work(tx: Tx) -> None:
        tx.publish(rang(1))
        raise BadCursor

    with pytest.raises(BadCursor):
        await connection.run(work)
    await _publish(connection, 2)
    await _until(lambda: bool(heard), "the event")
    assert heard == [rang(2)]
    await bus.stop()


async def test_listeners_are_called_when_events_were_lost(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await connect()

    async def tail(
        _: object, *, ready: asyncio.Event, after_loss: bool, **__: object
    ) -> AsyncIterator[Committed | None]:
        assert not after_loss
        ready.set()
        yield committed(rang(1))
        yield None
        yield committed(rang(3))
        await asyncio.Event().wait()

    monkeypatch.setattr("groups.kernel.event_bus.follow", tail)
    bus = EventBus(connection)
    told: list[object] = []
    bus.listen(told.extend)
    bus.on_resync(lambda: told.append("resync"))
    await bus.start()
    await _until(lambda: len(told) >= 3, "three")
    assert told == [rang(1), "resync", rang(3)]
    await bus.stop()


async def test_a_tail_that_breaks_is_begun_again_after_a_resync(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await connect()
    tails = 0

    async def tail(
        _: object, *, ready: asyncio.Event, after_loss: bool, **__: object
    ) -> AsyncIterator[Committed | None]:
        nonlocal tails
        tails += 1
        ready.set()
        if after_loss:
            yield None
        yield committed(rang(tails))
        if tails == 1:
            raise RuntimeError("a defect")
        await asyncio.Event().wait()

    monkeypatch.setattr("groups.kernel.event_bus.follow", tail)
    bus = EventBus(connection)
    told: list[object] = []
    bus.listen(told.extend)
    bus.on_resync(lambda: told.append("resync"))
    await bus.start()
    await _until(lambda: len(told) >= 3, "the second tail")
    assert told == [rang(1), "resync", rang(2)]
    await bus.stop()


def test_an_event_is_stored_and_read_back_as_it_was() -> None:
    event = rang(7)
    assert read_event(event.model_dump(mode="python")) == event
    assert read_event({**event.model_dump(), "type": "of.tomorrow"}) is None


def test_two_kinds_of_event_never_share_a_type() -> None:
    with pytest.raises(TypeError, match="literal"):

        class Rung(Event):
            type: Literal["test.rang"] = "test.rang"

    with pytest.raises(TypeError, match="literal"):

        class Silent(Event):
            pass
