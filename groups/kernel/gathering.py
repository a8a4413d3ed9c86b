"""Waiting for company: how long a batch stays open while more callers are on their way.

A command of the driver costs as much for one caller as for a hundred. On a busy server the next callers are already in
the sockets' buffers, a few turns of the event loop away; on an idle one nobody comes, and one turn tells.

Promises: a lone caller waits for one turn of the loop (some ten microseconds), not for a timer. Nobody waits longer
than `PATIENCE_SECONDS`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 0.003
"""A third of what the shortest transaction takes."""


async def gather_company(present: Callable[[], int], enough: int) -> None:
    """Let the loop turn while each turn brings somebody new, until there are `enough` or patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before = present()
    while before < enough:
        await asyncio.sleep(0)
        now = present()
        if now == before or time.monotonic() >= deadline:
            return
        before = now
