"""Bytes that wait in this process because their clients do not read them.

Promises:
    Least rate: a connection that reads less than `LEAST_BYTES_PER_SECOND` over `WINDOW_SECONDS` while bytes wait for it
    is aborted, whatever was sent to it.
    Budgets: the waiting bytes of one user, of one address without a token, and of all clients together are bounded.
    Beyond a budget, the connections that have waited longest are aborted.

A connection reports when bytes begin to wait (`add`) and when none wait any more (`remove`), so a client that reads its
responses is never seen here. Authenticated sockets have a rule of their own (`realtime.session`).
"""

import asyncio
import fcntl
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

LEAST_BYTES_PER_SECOND: Final = 4 * 1024  # a phone with a bad connection; ours
WINDOW_SECONDS: Final = 10.0  # over which the rate is measured, and how long a stall may last
LOOK_SECONDS: Final = 1.0  # between two checks of the waiting connections
ALL_BYTES: Final = 256 * 1024 * 1024  # of all clients of this process


class Client(NamedTuple):
    """The client that should read: a user, or an address without a token."""

    kind: Literal["user", "address"]
    name: str


@dataclass(slots=True)
class _Waiting:
    reader: Client
    held: int
    """Bytes in this process at the last check."""
    left: int
    """Bytes that the client had not read at the last check, those in the kernel included."""
    began_at: float
    began_with: int
    """The bytes that the client had not read when the window of the rate began."""


class UnsentBytes:
    """The connections with waiting bytes, the longest wait first.

    `per_user` and `per_address` are bytes; 0: no limit.
    """

    def __init__(
        self,
        per_user: int,
        per_address: int,
        *,
        on_cut: Callable[[], None] = lambda: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = {"user": per_user, "address": per_address}
        self._on_cut = on_cut
        self._now = timer
        self._waiting: dict[asyncio.Transport, _Waiting] = {}
        self._of_reader: dict[Client, dict[asyncio.Transport, None]] = {}
        self._bytes: Counter[Client] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self.total = 0
        """Waiting bytes, as of the last check."""

    def add(self, transport: asyncio.Transport, reader: Client) -> None:
        """Watch a connection whose bytes begin to wait. Idempotent."""
        if transport in self._waiting:
            return
        loop = asyncio.get_running_loop()
        held, left = _sizes_of(transport)
        self._waiting[transport] = _Waiting(reader, held, left, self._now(), left)
        self._of_reader.setdefault(reader, {})[transport] = None
        self._count(reader, held)
        if self._timer is None:
            self._timer = loop.call_later(LOOK_SECONDS, self._look_on)
        self._enforce(reader)

    def remove(self, transport: asyncio.Transport) -> None:
        """Stop watching a connection: nothing waits for it any more, or it ended. Idempotent."""
        waiting = self._waiting.pop(transport, None)
        if waiting is None:
            return
        reader = waiting.reader
        self._count(reader, -waiting.held)
        of_reader = self._of_reader[reader]
        del of_reader[transport]
        if not of_reader:
            del self._of_reader[reader], self._bytes[reader]

    def _count(self, reader: Client, size: int) -> None:
        self._bytes[reader] += size
        self.total += size

    def _enforce(self, reader: Client) -> None:
        limit = self._limits[reader.kind]
        while limit and self._bytes[reader] > limit:
            self._cut(next(iter(self._of_reader[reader])))
        while self.total > ALL_BYTES:
            self._cut(next(iter(self._waiting)))

    def _look_on(self) -> None:
        self.look()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LOOK_SECONDS, self._look_on) if self._waiting else None

    def look(self) -> None:
        """Abort the connections below the least rate, and those beyond the budgets."""
        now = self._now()
        for transport, waiting in list(self._waiting.items()):
            held, left = _sizes_of(transport)
            # Bytes written meanwhile must not change the rate of reading.
            waiting.began_with += max(0, left - waiting.left)
            self._count(waiting.reader, held - waiting.held)
            waiting.held, waiting.left = held, left
            seconds = now - waiting.began_at
            if seconds < WINDOW_SECONDS:
                continue
            if waiting.began_with - left < LEAST_BYTES_PER_SECOND * seconds:
                self._cut(transport)
            else:
                waiting.began_at, waiting.began_with = now, left
        for reader in list(self._of_reader):
            self._enforce(reader)

    def _cut(self, transport: asyncio.Transport) -> None:
        self.remove(transport)
        self._on_cut()
        # Not at once: the transport may be in the middle of the write that called us.
        asyncio.get_running_loop().call_soon(transport.abort)


def _sizes_of(transport: asyncio.Transport) -> tuple[int, int]:
    """Bytes that wait in this process, and bytes that the client has not read, in this process and the kernel.

    The kernel frees space in large steps: a slow client reads for many seconds before this process can write again. So
    its rate shows only in the kernel's queue. On systems that do not report it, the window must be longer than a step.
    """
    held = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    if connection is None:
        return held, held
    try:
        queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except OSError:
        return held, held
    return held, held + int.from_bytes(queued, sys.byteorder)
