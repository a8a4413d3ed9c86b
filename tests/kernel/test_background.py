"""Background work goes on after a failed run, and only a defect is logged."""

import asyncio
import logging
from contextlib import suppress

import pytest
from pymongo.errors import AutoReconnect

from groups.kernel.background import repeat
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
