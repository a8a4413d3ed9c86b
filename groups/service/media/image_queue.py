"""Turns at something that does one thing at a time, given out fairly between users."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cachetools import LRUCache

from groups.kernel.errors import Unavailable
from groups.kernel.ids import UserId
from groups.kernel.wait_queue import WaitQueue

MAX_WAITING: Final = 100
WAIT_SECONDS: Final = 60.0
_USERS_REMEMBERED: Final = 1_000  # and when each had their last turn


class FairQueue:
    """One turn at a time; of the users who wait, the one whose last turn is longest ago is next."""

    def __init__(
        self, *, max_waiting: int = MAX_WAITING, timeout_seconds: float = WAIT_SECONDS
    ) -> None:
        self._max_waiting = max_waiting
        self._timeout_seconds = timeout_seconds
        self._queues: dict[UserId, WaitQueue] = {}
        self._last_turn: LRUCache[UserId, int] = LRUCache(_USERS_REMEMBERED)
        self._turns = 0
        self._is_taken = False

    @asynccontextmanager
    async def turn(self, user_id: UserId) -> AsyncIterator[None]:
        """Wait for a turn, and hold it.

        Raises: Unavailable when too many wait, or it takes too long.
        """
        if self._is_taken:
            await self._wait(user_id)
        self._is_taken = True
        self._turns += 1
        self._last_turn[user_id] = self._turns
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, user_id: UserId) -> None:
        if sum(map(len, self._queues.values())) >= self._max_waiting:
            raise Unavailable("Too many pictures are waiting to be drawn; send it again later")
        queue = self._queues.setdefault(user_id, WaitQueue())
        try:
            await queue.wait(pass_on=self._pass_on, timeout_seconds=self._timeout_seconds)
        except TimeoutError as error:
            raise Unavailable("The picture waited too long; send it again later") from error
        finally:
            if not queue and self._queues.get(user_id) is queue:
                del self._queues[user_id]

    def _pass_on(self) -> None:
        # Of users without a turn so far, the first to come is first, since sorting keeps the order.
        for user_id in sorted(self._queues, key=lambda each: self._last_turn.get(each, 0)):
            if self._queues[user_id].wake_next():
                return
        self._is_taken = False
