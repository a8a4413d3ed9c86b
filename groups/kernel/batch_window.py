"""Waiting for company: how long a batch stays open while more callers are on their way.

A command of the driver costs as much for one caller as for a hundred. On a busy server the next callers are already in
the sockets' buffers, a few turns of the event loop away; on an idle one nobody comes, and one turn tells.

Promises: a few callers wait for one turn of the loop in which nobody came (some ten microseconds), not for a timer; a
crowd waits for ten such turns, which take less than the command it saves. Nobody waits longer than `PATIENCE_SECONDS`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 0.010
"""What the shortest transaction takes. With a third of it 256 callers of one channel split into two halves, each of
which waited for the other's transaction: a fifth to a third fewer joins and reactions a second."""
CROWD: Final = 8  # callers; where so many came at once, more are between the turns
QUIET_TURNS: Final = 10


async def fill_batch(present: Callable[[], int], enough: int) -> None:
    """Let the loop turn while turns bring somebody new, until there are `enough` or patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before, quiet = present(), 0
    while before < enough:
        await asyncio.sleep(0)
        now = present()
        quiet = quiet + 1 if now == before else 0
        if quiet >= (QUIET_TURNS if now > CROWD else 1) or time.monotonic() >= deadline:
            return
        before = now
