"""What an event costs a process where nobody listens to it: a look at its head, and no answer of its own."""

import asyncio
import time
from collections.abc import Callable

from bson import encode
from bson.raw_bson import RawBSONDocument

from groups.kernel.events import Event
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.outbox import OUTBOX, Committed, events_document, follow
from tests.builders import Deadline
from tests.server.test_hub import posted

EVENTS = 256  # of one transaction, each of another channel


def _cpu_seconds(work: Callable[[], object]) -> float:
    """The least of a few attempts, since other processes disturb the caches."""

    def once() -> float:
        began = time.thread_time()
        for _ in range(20):
            work()
        return time.thread_time() - began

    return min(once() for _ in range(5))


def test_events_that_nobody_wants_cost_a_fraction_of_those_that_are_decoded() -> None:
    events: list[Event] = [posted(GroupId(f"@TOA#_{number}")) for number in range(EVENTS)]
    stored = encode({"_id": 1, **events_document(events, process_id="p")})

    def read(*, is_wanted: bool) -> list[Event]:
        return Committed(RawBSONDocument(stored)).events(lambda _, __: is_wanted)

    assert len(read(is_wanted=True)) == EVENTS
    skipped = _cpu_seconds(lambda: read(is_wanted=False))
    decoded = _cpu_seconds(lambda: read(is_wanted=True))
    # About 0.1: 1 us for each event on an idle machine, where decoding takes 10 us, and rendering as much again.
    assert skipped < 0.35 * decoded


async def test_what_is_committed_during_a_pause_comes_in_one_answer(database: Database) -> None:
    ready, goes_on = asyncio.Event(), asyncio.Event()
    answers: list[list[Event]] = [[]]

    async def pause() -> None:
        await goes_on.wait()
        answers.append([])

    async def listen() -> None:
        async for committed in follow(database.collection(OUTBOX), ready=ready, pause=pause):
            assert committed is not None
            answers[-1] += committed.events()

    async def publish(seq: int) -> None:
        async def work(tx: Tx) -> None:
            tx.publish(posted(seq=seq))

        await database.run(work)

    listening = asyncio.create_task(listen())
    await ready.wait()
    await publish(1)
    deadline = Deadline()
    while not answers[0]:
        deadline.check("the first event")
        await asyncio.sleep(0.005)
    for seq in range(2, 8):
        await publish(seq)
    assert answers == [[posted(seq=1)]]
    goes_on.set()
    while len(answers) < 3:
        deadline.check("the others")
        await asyncio.sleep(0.005)
    assert answers == [[posted(seq=1)], [posted(seq=seq) for seq in range(2, 8)], []]
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
