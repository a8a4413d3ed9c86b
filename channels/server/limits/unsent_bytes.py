"""Bytes that wait in this process because their clients do not read them.

Promises:
    Least rate: a connection that takes less than `LEAST_BYTES_PER_SECOND` over `WINDOW_SECONDS` while bytes wait for it
    is aborted, whatever it was sent: JSON, a page, a file, a refusal.
    Budgets: the waiting bytes of one user, of one address without a token, and of all together are bounded. Beyond its
    budget, the connections that have waited longest are aborted.

A connection reports when bytes begin to wait (`add`) and when none wait any more (`remove`): one that reads its answers
is never seen here. Authenticated sockets have a rule of their own (`session`).
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

LEAST_BYTES_PER_SECOND: Final = 4 * 1024  # a phone at the edge of its network; ours
WINDOW_SECONDS: Final = 10.0  # over which the rate is measured, and how long a stall may last
LOOK_SECONDS: Final = 1.0  # between two looks at the waiting connections
ALL_BYTES: Final = 256 * 1024 * 1024  # of all clients of this process together


class Reader(NamedTuple):
    """The client that should read: a user, or an address without a token."""

    kind: Literal["user", "address"]
    name: str


@dataclass(slots=True)
class _Waiting:
    reader: Reader
    held: int
    """Bytes that this process held for the client at the last look."""
    left: int
    """Bytes that the client had not taken at the last look, those in the kernel included."""
    began_at: float
    began_with: int
    """The window over which the rate is measured: its start, and what the client had not taken then."""


class UnsentBytes:
    """The connections of this process that have bytes waiting, in the order in which their waiting began.

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
        self._of_reader: dict[Reader, dict[asyncio.Transport, None]] = {}
        self._bytes: Counter[Reader] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self.total = 0
        """Bytes that wait, as of the last look."""

    def add(self, transport: asyncio.Transport, reader: Reader) -> None:
        """Watch a connection whose bytes begin to wait; again for the same one changes nothing."""
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
        """Forget a connection: nothing waits for it any more, or it is gone. An unknown one changes nothing."""
        waiting = self._waiting.pop(transport, None)
        if waiting is None:
            return
        reader = waiting.reader
        self._count(reader, -waiting.held)
        of_reader = self._of_reader[reader]
        del of_reader[transport]
        if not of_reader:
            del self._of_reader[reader], self._bytes[reader]

    def _count(self, reader: Reader, size: int) -> None:
        self._bytes[reader] += size
        self.total += size

    def _enforce(self, reader: Reader) -> None:
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
        """Cut the connections that did not take what the least rate asks, and those beyond the budgets."""
        now = self._now()
        for transport, waiting in list(self._waiting.items()):
            held, left = _sizes_of(transport)
            # What was written meanwhile is no reading, and no failure to read either.
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
        # Not at once: the transport may be in the middle of the write that brought us here.
        asyncio.get_running_loop().call_soon(transport.abort)


def _sizes_of(transport: asyncio.Transport) -> tuple[int, int]:
    """Bytes that wait in this process, and those in this process and the kernel that the client has not taken.

    The kernel makes room in large steps. A slow client reads for many seconds before this process can write again, so
    its rate shows in the kernel's queue alone. Where the system does not tell that, the window has to cover a step.
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
