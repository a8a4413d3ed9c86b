"""Load that does not wait: so many requests a second, whatever becomes of the earlier ones, from a process of its own.

A caller that sends its next request after the last answer slows down with the server and never overloads it. This one
sends on whichever connection is idle, and tells apart what was accepted and what was refused.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final, cast

import uvloop

STEP_SECONDS: Final = 0.005
PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rush:
    """So many a second for so long; the requests round and round."""

    host: str
    port: int
    requests: Sequence[bytes]
    per_second: float
    seconds: float
    connections: int


@dataclass(slots=True)
class Told:
    """What became of it; latencies are seconds from the sending of one request to its whole answer."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    """Refusals that do not say when to come back."""
    unanswered: int = 0
    unsent: int = 0
    """Requests whose time came while every connection waited for an answer."""
    seconds: float = 0.0


def quantile(latencies: Sequence[float], share: float) -> float:
    """The latency below which this share of them is."""
    return sorted(latencies)[min(len(latencies) - 1, int(share * len(latencies)))]


class _Caller(asyncio.Protocol):
    def __init__(self, told: Told, idle: "deque[_Caller]") -> None:
        self._told = told
        self._idle = idle
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.sent_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._idle.append(self)

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self.sent_at = time.perf_counter()
        self._transport.write(request)

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        head, _, body = buffer.partition(b"\r\n\r\n")
        place = head.find(b"Content-Length: ")
        length = int(head[place + 16 :].partition(b"\r\n")[0]) if place >= 0 else 0
        if len(head) == len(buffer) or len(body) < length or self.sent_at is None:
            self._buffer = buffer
            return
        self._buffer = b""
        seconds, status = time.perf_counter() - self.sent_at, int(head[9:12])
        self.sent_at = None
        told = self._told
        told.statuses[status] += 1
        if status < 400:
            told.accepted.append(seconds)
        else:
            told.refused.append(seconds)
            told.without_retry_after += b"\r\nRetry-After: " not in head
        self._idle.append(self)


async def rush(job: Rush) -> Told:
    """Do the job in this process."""
    loop = asyncio.get_running_loop()
    told, idle = Told(), deque[_Caller]()
    callers = [
        (await loop.create_connection(lambda: _Caller(told, idle), job.host, job.port))[1]
        for _ in range(job.connections)
    ]
    started, due = time.perf_counter(), 0
    while (now := time.perf_counter()) < started + job.seconds:
        while due < (now - started) * job.per_second:
            # In turn, since the server ends connections that say nothing; a new one is not what is measured.
            while idle and idle[0].is_closed:
                idle.popleft()
            if idle:
                idle.popleft().send(job.requests[due % len(job.requests)])
            else:
                told.unsent += 1
            due += 1
        await asyncio.sleep(STEP_SECONDS)
    told.seconds = time.perf_counter() - started
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while any(caller.sent_at for caller in callers) and time.perf_counter() < deadline:
        await asyncio.sleep(STEP_SECONDS)
    told.unanswered = sum(caller.sent_at is not None for caller in callers)
    for caller in callers:
        caller.close()
    return told


def serve(pipe: Connection) -> None:
    """Do jobs until the other side is gone (the function of a `Child`)."""
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(uvloop.run(rush(job)))
