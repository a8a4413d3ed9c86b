"""Writing the same bytes to many sessions, a bounded number of writes in one turn of the event loop.

Promises:
    Order: every session receives what was sent first, first.
    No starvation: after `WRITES_A_TURN` writes, each a system call, the loop turns, so requests run in between.
    A small audience is written to at once.
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


class Skippable(NamedTuple):
    """The conversation of frames that a slow session may skip: it then reads the conversation over REST."""

    conversation_id: str
    head_seq: int | None  # of the newest message among the frames


class Session(Protocol):
    """One authenticated socket, as the hub knows it."""

    user_id: UserId
    streams: set[StreamId]
    watched: set[StreamId]

    opened_at: float
    """By the process's monotonic clock."""

    def push(self, frames: bytes, skippable: Skippable | None = None) -> None:
        """Write whole frames, or note that this detail was left out; never waits."""

    def close_soon(self, code: CloseCode) -> None:
        """Close the session in the background."""

    def end_if_revoked(self, revoked_at: datetime) -> None:
        """Close the session in the background if its token was issued up to this instant."""

    def end_if_other_kind(self, *, is_business: bool) -> None:
        """Close the session in the background if its token is of the other kind of account."""

    def end_if_withdrawn(self, keys: Collection[str]) -> None:
        """Close the session in the background if its token was signed by one of these keys of the provider."""


class Delivery:
    """Writes that are still to do, in order."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self._pending: deque[tuple[bytes, Skippable | None, Iterator[Session]]] = deque()

    def send(
        self,
        frames: bytes,
        audience: Collection[Session],
        *,
        frames_count: int = 1,
        skippable: Skippable | None = None,
    ) -> None:
        """Write the frames to all of the audience, as it is now."""
        self._count(frames_count * len(audience))
        if not self._pending and len(audience) <= WRITES_A_TURN:
            for session in audience:
                session.push(frames, skippable)
            return
        self._pending.append((frames, skippable, iter(list(audience))))
        if len(self._pending) == 1:
            self._turn()

    def _turn(self) -> None:
        allowed = WRITES_A_TURN
        while self._pending and allowed:
            frames, skippable, sessions = self._pending[0]
            written = 0
            for session in islice(sessions, allowed):
                session.push(frames, skippable)
                written += 1
            if written < allowed:
                self._pending.popleft()
            allowed -= written
        if self._pending:
            asyncio.get_running_loop().call_soon(self._turn)
