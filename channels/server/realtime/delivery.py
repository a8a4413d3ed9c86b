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
from typing import Final, NamedTuple, Protocol

from channels.server.realtime.close_codes import CloseCode
from groups.kernel.ids import StreamId, UserId

WRITES_A_TURN: Final = 500
"""About three milliseconds of system calls."""


class Detail(NamedTuple):
    """Whose detail some frames are: a slow session may be told instead to read the conversation on.

    `head_seq` is the newest message among them; None where they tell of none.
    """

    conversation_id: str
    head_seq: int | None


class Session(Protocol):
    """One authenticated socket, as the hub knows it."""

    user_id: UserId
    streams: set[StreamId]
    watched: set[StreamId]

    opened_at: float
    """When, by the process's monotonic clock."""

    def push(self, frames: bytes, detail: Detail | None = None) -> None:
        """Write whole frames, or note that this detail was left out; never waits."""
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
        self._left: deque[tuple[bytes, Detail | None, Iterator[Session]]] = deque()

    def send(
        self,
        frames: bytes,
        audience: Collection[Session],
        *,
        frames_count: int = 1,
        detail: Detail | None = None,
    ) -> None:
        """Write the frames to all of the audience as it is now."""
        self._count(frames_count * len(audience))
        if self._left:
            self._left.append((frames, detail, iter(list(audience))))
        elif len(audience) <= WRITES_A_TURN:
            for session in audience:
                session.push(frames, detail)
        else:
            self._left.append((frames, detail, iter(list(audience))))
            self._turn()

    def _turn(self) -> None:
        allowed = WRITES_A_TURN
        while self._left and allowed:
            frames, detail, sessions = self._left[0]
            written = 0
            for session in islice(sessions, allowed):
                session.push(frames, detail)
                written += 1
            if written < allowed:
                self._left.popleft()
            allowed -= written
        if self._left:
            asyncio.get_running_loop().call_soon(self._turn)
