"""The queue of callers that wait: order, timeouts, and turns that come as a caller goes away."""

import asyncio

import pytest

from groups.kernel.wait_queue import WaitQueue


class Turns:
    """Callers that wait in one queue; `taken` has their names in the order in which they got their turn."""

    def __init__(self) -> None:
        self.queue = WaitQueue()
        self.taken: list[str] = []

    def wait(self, name: str, timeout_seconds: float | None = None) -> "asyncio.Task[None]":
        async def wait() -> None:
            await self.queue.wait(pass_on=self.queue.wake_next, timeout_seconds=timeout_seconds)
            self.taken.append(name)

        return asyncio.create_task(wait())


async def test_callers_are_woken_in_the_order_in_which_they_came() -> None:
    turns = Turns()
    tasks = [turns.wait(name) for name in "abc"]
    await asyncio.sleep(0)
    assert len(turns.queue) == 3
    for _ in tasks:
        assert turns.queue.wake_next()
    await asyncio.gather(*tasks)
    assert turns.taken == ["a", "b", "c"]


async def test_nobody_is_woken_where_nobody_waits() -> None:
    assert not WaitQueue().wake_next()


async def test_a_caller_that_waited_too_long_leaves_the_queue() -> None:
    turns = Turns()
    with pytest.raises(TimeoutError):
        await turns.wait("late", timeout_seconds=0.001)
    assert not turns.queue
    assert not turns.queue.wake_next()


async def test_a_cancelled_caller_is_skipped() -> None:
    turns = Turns()
    first, second = turns.wait("first"), turns.wait("second")
    await asyncio.sleep(0)
    first.cancel()
    assert turns.queue.wake_next()
    await asyncio.gather(first, second, return_exceptions=True)
    assert turns.taken == ["second"]
    assert not turns.queue


async def test_a_turn_that_comes_as_its_caller_is_cancelled_goes_to_the_next() -> None:
    turns = Turns()
    first, second = turns.wait("first"), turns.wait("second")
    await asyncio.sleep(0)
    assert turns.queue.wake_next()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert first.cancelled()
    assert turns.taken == ["second"]
