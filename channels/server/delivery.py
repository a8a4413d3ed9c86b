"""Writing the same bytes to many sessions, a bounded number of them in one turn of the event loop.

Promises:
    Order: what is sent first is written first, to every session.
    No starvation: after `WRITES_A_TURN` writes, each a system call, the loop turns, so requests are answered between
    two parts of a crowd.
    What is sent to few is written at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, Protocol

from channels.server.closing import CloseCode
from groups.kernel.ids import StreamId, UserId

WRITES_A_TURN: Final = 500
"""About three milliseconds of system calls."""


class Session(Protocol):
    """One authenticated socket, as the hub knows it."""

    user_id: UserId
    streams: set[StreamId]
    watched: set[StreamId]

    opened_at: float
    """When, by the process's monotonic clock."""

    def push(self, frames: bytes) -> None:
        """Write whole frames; never waits."""
        ...

    def close_soon(self, code: CloseCode) -> None:
        """Have the session closed; never waits."""
        ...

    def end_if_revoked(self, revoked_at: datetime) -> None:
        """Have the session closed if its token was issued up to then; never waits."""
        ...


class Delivery:
    """What is still to be written, in order."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self._left: deque[tuple[bytes, Iterator[Session]]] = deque()

    def send(self, frames: bytes, audience: Collection[Session], *, frames_count: int = 1) -> None:
        """Write the frames to all of the audience as it is now."""
        self._count(frames_count * len(audience))
        if self._left:
            self._left.append((frames, iter(list(audience))))
        elif len(audience) <= WRITES_A_TURN:
            for session in audience:
                session.push(frames)
        else:
            self._left.append((frames, iter(list(audience))))
            self._turn()

    def _turn(self) -> None:
        allowed = WRITES_A_TURN
        while self._left and allowed:
            frames, sessions = self._left[0]
            written = 0
            for session in islice(sessions, allowed):
                session.push(frames)
                written += 1
            if written < allowed:
                self._left.popleft()
            allowed -= written
        if self._left:
            asyncio.get_running_loop().call_soon(self._turn)
