"""Locks by key: order, bounds, cancellation, and that nothing is left behind."""

import asyncio
from collections.abc import Sequence

import pytest

from groups.kernel.errors import RateLimited, Unavailable
from groups.kernel.keyed_locks import REQUEST_SLOT, KeyedLocks


class Scene:
    """Tasks that hold keys until `end`; `began` has their names in the order in which they got their keys."""

    def __init__(self, *, patience_seconds: float = 60, max_waiting: int = 1_000) -> None:
        self.locks = KeyedLocks(patience_seconds=patience_seconds, max_waiting=max_waiting)
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def enter(self, name: str, *keys: str, is_batch: bool = False) -> "asyncio.Task[None]":
        """Start a task of this name that asks for the keys."""
        end = self._ends[name] = asyncio.Event()

        async def hold() -> None:
            async with self.locks.hold(*keys, is_batch=is_batch):
                self.began.append(name)
                await end.wait()

        task = asyncio.create_task(hold())
        await turns()
        return task

    def release(self, name: str) -> None:
        """Let the task end, without waiting for it."""
        self._ends[name].set()

    async def end(self, *names: str) -> None:
        """Let the tasks end, one after the other."""
        for name in names:
            self.release(name)
            await turns()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def _all(scene: Scene, names: Sequence[str], *keys: str) -> "list[asyncio.Task[None]]":
    return [await scene.enter(name, *keys) for name in names]


async def test_a_key_has_one_holder_at_a_time_in_order_of_arrival() -> None:
    scene = Scene()
    tasks = await _all(scene, "abc", "k")
    other = await scene.enter("other", "j")
    assert scene.began == ["a", "other"]
    assert scene.locks.waiting == 2
    await scene.end("a")
    assert scene.began == ["a", "other", "b"]
    await scene.end("b", "c", "other")
    await asyncio.gather(*tasks, other)
    assert scene.began == ["a", "other", "b", "c"]
    assert (scene.locks.held, scene.locks.waiting) == (0, 0)


async def test_batches_and_single_writes_alternate() -> None:
    scene = Scene()
    tasks = await _all(scene, ["w1", "w2", "w3"], "k")
    tasks += [await scene.enter(name, "k", is_batch=True) for name in ("b1", "b2")]
    await scene.end("w1", "b1", "w2", "b2", "w3")
    await asyncio.gather(*tasks)
    assert scene.began == ["w1", "b1", "w2", "b2", "w3"]


async def test_two_keys_are_held_together() -> None:
    scene = Scene()
    both = await scene.enter("both", "k", "j")
    tasks = [await scene.enter("first", "k"), await scene.enter("second", "j")]
    assert scene.began == ["both"]
    await scene.end("both", "second", "first")
    await asyncio.gather(both, *tasks)
    assert set(scene.began) == {"both", "first", "second"}
    assert scene.locks.held == 0


async def test_one_waiter_too_many_is_refused_at_once() -> None:
    scene = Scene(max_waiting=2)
    tasks = await _all(scene, "abc", "k")
    with pytest.raises(RateLimited) as refused:
        await (await scene.enter("d", "k"))
    assert refused.value.retry_after_seconds > 0
    tasks.append(await scene.enter("e", "j"))
    await scene.end("a")
    tasks.append(await scene.enter("f", "k"))
    await scene.end("b", "c", "f", "e")
    await asyncio.gather(*tasks)
    assert scene.locks.held == 0


async def test_a_waiter_is_refused_when_patience_ends() -> None:
    scene = Scene(patience_seconds=0.01)
    holder = await scene.enter("holder", "k")
    with pytest.raises(Unavailable):
        await (await scene.enter("late", "j", "k"))
    assert scene.locks.held == 1  # the first key is free again
    await scene.end("holder")
    await holder
    assert scene.began == ["holder"]
    assert scene.locks.held == 0


async def test_a_waiter_that_goes_away_delays_nobody() -> None:
    scene = Scene()
    holder, gone, stays = await _all(scene, ["holder", "gone", "stays"], "k")
    gone.cancel()
    await turns()
    await scene.end("holder", "stays")
    await asyncio.gather(holder, stays)
    assert scene.began == ["holder", "stays"]
    assert scene.locks.held == 0


@pytest.mark.parametrize("is_cancelled_first", [True, False])
async def test_a_waiter_that_leaves_as_it_gets_the_key_passes_it_on(
    is_cancelled_first: bool,
) -> None:
    scene = Scene()
    holder, gone, stays = await _all(scene, ["holder", "gone", "stays"], "k")
    if is_cancelled_first:
        gone.cancel()
    scene.release("holder")
    if not is_cancelled_first:
        # The holder ends in this turn and passes the key on; the task that gets it has not run yet.
        await asyncio.sleep(0)
        gone.cancel()
    await turns()
    await scene.end("stays")
    await asyncio.gather(holder, stays)
    assert gone.cancelled()
    assert scene.began == ["holder", "stays"]
    assert scene.locks.held == 0


async def test_a_holder_that_fails_lets_the_next_one_in() -> None:
    scene = Scene()
    failing, stays = await _all(scene, ["failing", "stays"], "k")
    failing.cancel()
    await scene.end("stays")
    await stays
    assert scene.began == ["failing", "stays"]
    assert scene.locks.held == 0


class Place:
    """Records the calls."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def leave(self) -> None:
        self.told.append("leave")

    def come_back(self) -> None:
        self.told.append("come back")


async def test_a_waiter_gives_back_its_request_slot_until_it_has_the_key() -> None:
    scene, place = Scene(), Place()
    REQUEST_SLOT.set(place)
    holder = await scene.enter("holder", "k")
    assert place.told == []
    waiter = await scene.enter("waiter", "k")
    assert place.told == ["leave"]
    await scene.end("holder")
    assert place.told == ["leave", "come back"]
    gone = await scene.enter("gone", "k")
    gone.cancel()
    await turns()
    assert place.told == ["leave", "come back"] * 2
    await scene.end("waiter")
    await asyncio.gather(holder, waiter)
    REQUEST_SLOT.set(None)
