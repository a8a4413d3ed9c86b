"""Turns at something that does one thing at a time, given out fairly between users."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cachetools import LRUCache

from groups.kernel.errors import Unavailable
from groups.kernel.ids import UserId

MOST_WAITING: Final = 100
WAIT_SECONDS: Final = 60.0
_USERS_REMEMBERED: Final = 1_000  # and when each had their last turn


class FairQueue:
    """One turn at a time; of the users who wait, the one whose last turn is longest ago is next."""

    def __init__(self, most: int = MOST_WAITING, seconds: float = WAIT_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._waiting: dict[UserId, deque[asyncio.Future[None]]] = {}
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
        if sum(map(len, self._waiting.values())) >= self._most:
            raise Unavailable("Too many pictures are waiting to be drawn; send it again later")
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(place)
        try:
            async with asyncio.timeout(self._seconds):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._pass_on()  # the turn came in the moment in which the wait ended
            else:
                self._withdraw(user_id, place)
            if isinstance(error, TimeoutError):
                raise Unavailable("The picture waited too long; send it again later") from error
            raise

    def _pass_on(self) -> None:
        # Of users without a turn so far, the first to come is first, since sorting keeps the order.
        for user_id in sorted(self._waiting, key=lambda each: self._last_turn.get(each, 0)):
            for place in self._waiting[user_id]:
                # One that was given up a moment ago stays in line until its task runs.
                if not place.done():
                    self._withdraw(user_id, place)
                    place.set_result(None)
                    return
        self._is_taken = False

    def _withdraw(self, user_id: UserId, place: asyncio.Future[None]) -> None:
        self._waiting[user_id].remove(place)
        if not self._waiting[user_id]:
            del self._waiting[user_id]
