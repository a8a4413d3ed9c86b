"""Callers that wait in line for something which one of them gets at a time.

Locks, queues for a worker and places at work have this in common; what a turn is, and who may wait, is theirs to say.

Promises:
    Fair: waiters are woken in the order in which they came.
    No turn is lost: a waiter that is cancelled, or times out, at the moment at which it is woken passes its turn on.
    A waiter that goes away leaves the queue and affects nobody else.
"""

import asyncio
from collections import deque
from collections.abc import Callable


class WaitQueue:
    """The callers that wait for one thing."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    async def wait(
        self, *, pass_on: Callable[[], object], timeout_seconds: float | None = None
    ) -> None:
        """Wait until `wake_next` reaches this caller; it has the turn then.

        `pass_on` gives the turn to the next caller; it is called where the turn came as this caller went away.
        Raises: TimeoutError after `timeout_seconds`.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(turn)
        try:
            async with asyncio.timeout(timeout_seconds):
                await turn
        except BaseException:
            if not turn.cancelled():
                pass_on()
            elif turn in self._waiters:
                self._waiters.remove(turn)
            raise

    def wake_next(self) -> bool:
        """Give the turn to the caller that waits longest; False: nobody waits."""
        while self._waiters:
            turn = self._waiters.popleft()
            if not turn.done():  # else its caller was cancelled, and its task has not run yet
                turn.set_result(None)
                return True
        return False
