"""Concurrent reads share a query, and their callers do not notice."""

import asyncio
from collections.abc import Collection

import pytest

from groups.kernel.batching.requests import MAX_KEYS, RequestBatcher


class Shelf:
    """Reads many keys behind a gate, and records its calls."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.stored = {"a": 1, "b": 2}
        self.failure: Exception | None = None

    async def read_many(self, keys: Collection[str]) -> dict[str, int]:
        self.asked.append(sorted(keys))
        found = {key: self.stored[key] for key in keys if key in self.stored}
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return found


async def test_a_lone_caller_gets_a_query_at_once() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    assert await reader.find("a") == 1
    assert await reader.find("none") is None
    assert shelf.asked == [["a"], ["none"]]


async def test_callers_that_ask_while_a_query_runs_share_the_next_one() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    shelf.gate.clear()
    first = asyncio.ensure_future(reader.find("a"))
    while not shelf.asked:
        await asyncio.sleep(0)
    later = [asyncio.ensure_future(reader.find(key)) for key in ("a", "b", "b", "c")]
    await asyncio.sleep(0)
    shelf.gate.set()
    assert await first == 1
    assert [await task for task in later] == [1, 2, 2, None]
    assert shelf.asked == [["a"], ["a", "b", "c"]]


async def test_a_caller_sees_what_was_stored_before_its_call() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    shelf.gate.clear()
    first = asyncio.ensure_future(reader.find("a"))
    while not shelf.asked:
        await asyncio.sleep(0)
    shelf.stored["a"] = 10
    second = asyncio.ensure_future(reader.find("a"))
    await asyncio.sleep(0)
    shelf.gate.set()
    assert await first == 1
    assert await second == 10


async def test_a_caller_that_goes_away_cancels_no_other_read() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    shelf.gate.clear()
    gone = asyncio.ensure_future(reader.find("a"))
    stays = asyncio.ensure_future(reader.find("a"))
    while not shelf.asked:
        await asyncio.sleep(0)
    gone.cancel()
    shelf.gate.set()
    assert await stays == 1
    assert gone.cancelled() or gone.cancelling()


async def test_a_failed_query_fails_its_own_callers_and_no_later_ones() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    shelf.failure = ConnectionError("away")
    answers = await asyncio.gather(reader.find("a"), reader.find("b"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    shelf.failure = None
    assert await reader.find("a") == 1


async def test_a_cancelled_query_leaves_nobody_waiting() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    shelf.gate.clear()
    waiting = asyncio.ensure_future(reader.find("a"))
    while not shelf.asked:
        await asyncio.sleep(0)
    (query,) = [task for task in asyncio.all_tasks() if task.get_name() == "batched-read"]
    query.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)
    shelf.gate.set()
    assert await reader.find("b") == 2


async def test_a_query_has_a_bounded_number_of_keys_in_order_of_arrival() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many, max_keys=2)
    await asyncio.gather(*(reader.find(str(number)) for number in range(5)))
    assert shelf.asked == [["0", "1"], ["2", "3"], ["4"]]


async def test_a_query_has_a_thousand_keys_by_default() -> None:
    shelf = Shelf()
    reader = RequestBatcher(shelf.read_many)
    await asyncio.gather(*(reader.find(str(number)) for number in range(MAX_KEYS + 1)))
    assert [len(keys) for keys in shelf.asked] == [MAX_KEYS, 1]
