"""Background work goes on after a failed run, and only a defect is logged."""

import asyncio
import logging
from contextlib import suppress

import pytest
from pymongo.errors import AutoReconnect

from groups.kernel import background
from groups.kernel.background import cancel, repeat
from groups.kernel.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "is_logged"),
    [
        (Unavailable("The database is away"), False),
        (AutoReconnect("connection closed"), False),
        (ValueError("a defect"), True),
    ],
)
async def test_a_failed_run_is_followed_by_the_next_and_only_a_defect_is_logged(
    caplog: pytest.LogCaptureFixture, error: Exception, *, is_logged: bool
) -> None:
    times = 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise error
        again.set()

    with caplog.at_level(logging.DEBUG, "groups.kernel.background"):
        repeating = asyncio.create_task(repeat(work, 0))
        async with asyncio.timeout(5):
            await again.wait()
    assert bool(caplog.records) is is_logged
    repeating.cancel()
    with suppress(asyncio.CancelledError):
        await repeating
    assert repeating.cancelled()


async def test_a_task_that_misses_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "_AGAIN_SECONDS", 0.01)
    missed = 0

    async def deaf() -> None:
        nonlocal missed
        while missed < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                missed += 1

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await cancel(*tasks)
    assert missed == 3


async def test_the_errors_of_cancelled_tasks_are_dropped() -> None:
    async def failing() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await cancel(task)
    assert task.done()
