"""How long a batch stays open for more callers.

A command of the driver costs as much for a hundred callers as for one. On a busy server the next callers are already in
the sockets' buffers, a few turns of the event loop away. On an idle server nobody comes, and one turn shows it.

Promises: a lone caller waits for one turn of the loop in which nobody came (some ten microseconds), not for a timer.
Several wait for ten such turns, which take less than the command that they save. Nobody waits longer than
`PATIENCE_SECONDS`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 0.010
"""The duration of the shortest transaction. With a third of it, 256 callers of one channel split into two halves, each
of which waited for the other's transaction: a fifth to a third fewer joins and reactions a second."""
CROWD: Final = 1
"""Callers. Where more came at once, others follow with gaps of a few turns between them. With 8 instead of 1, 16
callers of one channel subscribed a fifth slower, since their batches were smaller."""
QUIET_TURNS: Final = 10


async def fill_batch(count: Callable[[], int], max_size: int) -> None:
    """Let the event loop turn while turns bring more callers, until `count` reaches `max_size` or patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before, quiet = count(), 0
    while before < max_size:
        await asyncio.sleep(0)
        now = count()
        quiet = quiet + 1 if now == before else 0
        if quiet >= (QUIET_TURNS if now > CROWD else 1) or time.monotonic() >= deadline:
            return
        before = now
