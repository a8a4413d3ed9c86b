"""Turns on contended keys: who goes next, for how long others are waited for, and what is forgotten."""

import asyncio

import pytest

from groups.kernel.mongo.turns import CONTENDED_SECONDS, LONGEST_SLOT_SECONDS, MAX_CONTENDED, Turns
from tests.builders import Deadline

KEY = ["group a"]
OTHER = ["group b"]


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def turns() -> Turns:
    # Its slots do not end by themselves, however slow the machine is.
    return Turns("me", Clock())


def conflict(turns: Turns) -> None:
    turns.conflicted(KEY, turns.heard_of(KEY))


async def starts_waiting(turns: Turns) -> asyncio.Task[None]:
    task = asyncio.create_task(turns.wait(KEY))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def goes_on(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(5):
        await task


async def test_without_a_conflict_nobody_waits_and_nothing_is_remembered(turns: Turns) -> None:
    turns.heard("ann", KEY)
    turns.committed(KEY)
    await turns.wait(KEY)
    assert not turns.is_any_contended
    assert not turns.are_contended(KEY)
    assert turns.heard_of(KEY) == {}


async def test_after_a_conflict_the_other_process_goes_first(turns: Turns) -> None:
    conflict(turns)
    assert turns.are_contended(KEY)
    assert not turns.are_contended(OTHER)
    task = await starts_waiting(turns)
    turns.heard("ann", OTHER)
    await asyncio.sleep(0)
    assert not task.done()
    turns.heard("ann", KEY)
    await goes_on(task)


async def test_a_commit_that_was_heard_before_the_conflict_is_not_awaited(turns: Turns) -> None:
    conflict(turns)
    turns.heard("ann", KEY)
    await turns.wait(KEY)
    heard = turns.heard_of(KEY)
    turns.heard("ann", KEY)  # during the attempt
    turns.conflicted(KEY, heard)
    await turns.wait(KEY)


async def test_who_committed_goes_behind_all_others(turns: Turns) -> None:
    conflict(turns)
    turns.heard("ann", KEY)
    turns.heard("bob", KEY)
    turns.committed(KEY)
    for _ in range(3):
        task = await starts_waiting(turns)
        turns.heard("ann", KEY)
        await asyncio.sleep(0)
        assert not task.done()
        turns.heard("bob", KEY)
        await goes_on(task)
        turns.committed(KEY)


async def test_a_process_that_others_overtake_keeps_its_place(turns: Turns) -> None:
    conflict(turns)
    turns.heard("ann", KEY)
    turns.heard("bob", KEY)
    task = await starts_waiting(turns)
    turns.heard("bob", KEY)  # Ann did not use her turn, so she is not waited for
    await goes_on(task)
    turns.heard("cat", KEY)
    await turns.wait(KEY)  # still before the others' next commits


async def test_a_process_that_is_gone_is_waited_for_once() -> None:
    turns = Turns("me")
    conflict(turns)
    turns.heard("gone", KEY)
    turns.heard("ann", KEY)
    turns.committed(KEY)
    started = asyncio.get_running_loop().time()
    await turns.wait(KEY)
    assert asyncio.get_running_loop().time() - started < 2.5 * LONGEST_SLOT_SECONDS + 2
    task = await _ready(turns)
    assert task.done()
    turns.heard("ann", KEY)
    turns.committed(KEY)
    waiting = await starts_waiting(turns)
    turns.heard("ann", KEY)
    await goes_on(waiting)


async def _ready(turns: Turns) -> asyncio.Task[None]:
    task = asyncio.create_task(turns.wait(KEY))
    deadline = Deadline()
    while not task.done():
        deadline.check("its turn")
        await asyncio.sleep(0)
    return task


async def test_a_key_without_news_is_forgotten() -> None:
    clock = Clock()
    turns = Turns("me", clock)
    conflict(turns)
    turns.heard("ann", KEY)
    turns.committed(KEY)
    clock.now += CONTENDED_SECONDS
    assert not turns.is_any_contended
    await turns.wait(KEY)
    assert turns.heard_of(KEY) == {}


def test_no_more_keys_than_allowed_have_turns(turns: Turns) -> None:
    keys = [f"group {number}" for number in range(MAX_CONTENDED + 1)]
    for key in keys:
        turns.conflicted([key], {})
    assert [turns.are_contended([key]) for key in (keys[0], keys[1], keys[-1])] == [
        False,
        True,
        True,
    ]
