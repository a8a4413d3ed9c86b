"""How many requests of one user are worked on at once; more of them wait for each other, and for nobody else's.

Promises:
    Nobody takes it from the others: a user holds `most` places at work, however much they ask for at once.
    Fair: the requests of a user are served in the order in which they came.
    Bounded: a user has `most_waiting` requests waiting, with `WAITING_BYTES` of bodies, each for `WAITING_SECONDS`; and
    while `WAITING_IN_ALL` wait in this process, those with `FEW_WAITING` have no more. Beyond it 429 says when to come
    back.
    A client that goes away leaves the queue. A user with nothing at work takes no memory.
"""

import asyncio
from collections import deque
from typing import Final

from groups.kernel.errors import RateLimited

WAITING_SECONDS: Final = 20.0  # as long as a write waits for a database that is away
WAITING_BYTES: Final = 4 * 2**20
WAITING_IN_ALL: Final = 2_048
FEW_WAITING: Final = (
    32  # a page that asks for some thirty things at once is served, however many others wait
)


class _Line:
    """The waiting requests of one user."""

    __slots__ = ("size_bytes", "turns")

    def __init__(self) -> None:
        self.turns: deque[asyncio.Future[None]] = deque()
        self.size_bytes = 0


class UserTurns:
    """Places at work for each user; `most` 0: as many as they like."""

    def __init__(self, most: int, most_waiting: int) -> None:
        self._most = most
        self._most_waiting = most_waiting
        self._at_work: dict[str, int] = {}
        self._lines: dict[str, _Line] = {}
        self.waiting = 0
        """Requests of all users."""

    def take(self, user_id: str) -> bool:
        """Take a place of this user where one is free and nobody waits for it."""
        at_work = self._at_work.get(user_id, 0)
        if at_work >= self._most > 0:
            return False
        self._at_work[user_id] = at_work + 1
        return True

    async def wait(self, user_id: str, size_bytes: int) -> None:
        """Take a place once it is this request's turn; its body, which waits too, has so many bytes.

        Raises: RateLimited.
        """
        line = self._lines.get(user_id) or _Line()
        waiting = len(line.turns)
        if (
            waiting >= self._most_waiting
            or (waiting and line.size_bytes + size_bytes > WAITING_BYTES)
            or (waiting >= FEW_WAITING and self.waiting >= WAITING_IN_ALL)
        ):
            raise self._refusal()
        self._lines[user_id] = line
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.turns.append(turn)
        line.size_bytes += size_bytes
        self.waiting += 1
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                await turn
        except BaseException as error:
            if not turn.cancelled():
                self.give_back(user_id)  # it was given a place at the very moment at which it went
            elif turn in line.turns:
                line.turns.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._refusal() from None
            raise
        finally:
            line.size_bytes -= size_bytes
            self.waiting -= 1
            if not line.turns and self._lines.get(user_id) is line:
                del self._lines[user_id]

    def give_back(self, user_id: str) -> None:
        """Give a place back, to the user's next request where one waits."""
        line = self._lines.get(user_id) if self._lines else None
        while line is not None and line.turns:
            turn = line.turns.popleft()
            if not turn.done():  # else its request was cancelled, and has not gone yet
                turn.set_result(None)
                return
        at_work = self._at_work[user_id] - 1
        if at_work:
            self._at_work[user_id] = at_work
        else:
            del self._at_work[user_id]

    def _refusal(self) -> RateLimited:
        return RateLimited(
            f"At most {self._most} requests of one user are worked on at once, and"
            f" {self._most_waiting} wait",
            retry_after_seconds=1,
        )
